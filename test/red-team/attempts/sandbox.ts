// Attempts on what the sandbox itself is made of: its first process, the terminals that it has, the calls that its filter refuses.
import type { Attempt } from "../attempt.ts";

const PYTHON = `
import ctypes, errno, fcntl, os, platform, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def call(x64, arm64, *arguments):
    result = libc.syscall(arm64 if arm else x64, *[ctypes.c_long(each) if isinstance(each, int) else each for each in arguments])
    return result, os.strerror(ctypes.get_errno())
`;

export const sandbox: readonly Attempt[] = [
  {
    id: "untied",
    group: "processes",
    what: "have its sandbox outlive launcher and daemon: trace the process whose death ends it, read and write that one's memory, environment and descriptors",
    with: "python",
    program: `${PYTHON}
def name(pid):
    try: return open("/proc/%s/comm" % pid).read().strip()
    except OSError: return ""
# Without a sandbox it is the launcher.
first = 1 if name(1) == "bwrap" else int(os.environ["RT_SECOND_PID"])
if libc.ptrace(16, first, None, None) == 0:
    os.waitpid(first, 0x40000000)
    print("REACHED: traced")
    libc.ptrace(17, first, None, None)
else:
    print(os.strerror(ctypes.get_errno()))
for what, mode in (("mem", "r+b"), ("environ", "rb"), ("maps", "rb"), ("oom_score_adj", "r+b")):
    try:
        open("/proc/%d/%s" % (first, what), mode).close()
        print("REACHED", what)
    except OSError as error:
        print(what, error)
try:
    print("REACHED", os.listdir("/proc/%d/fd" % first), os.readlink("/proc/%d/root" % first))
except OSError as error:
    print(error)`,
    standard: "processes",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "cgroups-mounted",
    group: "processes",
    what: "steer the cgroup that the human's own programs are in, where it can end and freeze them: mount the cgroups anew in a namespace of its own",
    program: `mkdir -p cgroups; unshare -UrCm sh -c 'mount -t cgroup2 x cgroups && mkdir cgroups/red-team && echo made; test -w cgroups/cgroup.kill && echo its own to end' 2>&1; mkdir "$RT_SCOPE/red-team" 2>&1`,
    later: 'test -d "$RT_SCOPE/red-team" && echo REACHED && rmdir "$RT_SCOPE/red-team"; true',
    standard: "processes",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "user-systemd",
    group: "sockets",
    what: "have the human's own systemd run a program and read its output (systemd-run --user), and start a unit of its own",
    program: `XDG_RUNTIME_DIR="$RT_SYSTEMD" timeout 10 systemd-run --user --quiet --wait --pipe cat "$HOME/.netrc" 2>&1
      XDG_RUNTIME_DIR="$RT_SYSTEMD" timeout 10 systemd-run --user --quiet touch "$RT_MARKS/$RT_ID" 2>&1`,
    later: "sleep 0.3",
    standard: "mounts",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "bus-activation",
    group: "sockets",
    what: "have the session bus start a service of the human's (D-Bus activation)",
    program: `DBUS_SESSION_BUS_ADDRESS="unix:path=$RT_RUNTIME/bus" dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.StartServiceByName string:org.example.RedTeam uint32:0 2>&1 & sleep 0.7; kill $! 2>/dev/null; true`,
    later: "sleep 0.2",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "terminal-calls",
    group: "processes",
    what: "type into, take over or change every terminal that it has or finds: TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS, keys of a console",
    with: "python",
    program: `${PYTHON}
import glob
names = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")] + ["/dev/tty", "/dev/console", os.environ["RT_TTY"], os.environ["RT_OTHER_TTY"]]
names += glob.glob("/dev/pts/*") + glob.glob("/dev/tty*") + glob.glob("/dev/vcs*")
CALLS = (("TIOCSTI", 0x5412, b"\\n"), ("TIOCLINUX", 0x541c, b"\\2"), ("TIOCSETD", 0x5423, struct.pack("i", 27)), ("TIOCCONS", 0x541d, b""), ("KDSKBENT", 0x4b47, bytes(8)), ("KDSKBSENT", 0x4b49, bytes(513)))
for name in dict.fromkeys(names):
    try: fd = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error: print(name, error); continue
    if not os.isatty(fd): continue
    for what, number, argument in CALLS:
        try:
            fcntl.ioctl(fd, number, argument)
            print("REACHED", what, name, flush=True)
            if what == "TIOCSETD": fcntl.ioctl(fd, number, struct.pack("i", 0))
        except OSError as error: print(what, name, error)`,
    alone: "where it is reached",
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "every-keyctl",
    group: "processes",
    what: "use the kernel's keyrings by any operation, on any special keyring, with any type of key, a persistent one and a callout among them",
    with: "python",
    program: `${PYTHON}
def tried(name, result):
    if result[0] >= 0 or result[1] != os.strerror(errno.EPERM): print("REACHED", name, result)
buffer = ctypes.create_string_buffer(512)
for ring in (-1, -2, -3, -4, -5, -6, -7, -8):
    tried("id of %d" % ring, call(250, 219, 0, ring, 0))
    tried("names in %d" % ring, call(250, 219, 11, ring, buffer, 512))
    tried("persistent to %d" % ring, call(250, 219, 22, -1, ring))
    for kind in (b"user", b"logon", b"keyring", b"big_key", b"encrypted", b"asymmetric"):
        tried("add %s" % kind, call(248, 217, kind, b"red-team:x", b"x", 1, ring))
        tried("request %s" % kind, call(249, 218, kind, b"red-team", b"callout", ring))
for operation in range(40):
    tried("operation %d" % operation, call(250, 219, operation, -3, buffer, 0, 0))
print("tried")`,
    alone: "where it is reached",
    standard: "system calls",
    none: "reached",
  },
  {
    id: "netlink",
    group: "network",
    what: "change the machine's network over netlink: take loopback's address away, end others' connections",
    with: "python",
    program: `
import os, socket, struct
def ask(protocol, kind, flags, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as netlink:
        netlink.settimeout(2)
        netlink.send(struct.pack("=IHHII", 16 + len(body), kind, 1 | flags, 1, 0) + body)
        return netlink.recv(65536)
def outcome(answer):
    code = struct.unpack("=i", answer[16:20])[0]
    return os.strerror(-code) if code else "REACHED"
ROUTE, DIAG, DUMP, ACK = 0, 4, 0x300, 4
try:
    if len(ask(ROUTE, 22, DUMP, struct.pack("=BBBBI", 2, 0, 0, 0, 0))) > 40: print("CONTROL: it answers")
    address = struct.pack("=HH4s", 8, 2, bytes([169, 254, 170, 2]))
    print(outcome(ask(ROUTE, 21, ACK, struct.pack("=BBBBI", 2, 32, 0, 0, 1) + address)))
    ports = [line.split()[1].split(":")[1] for line in open("/proc/net/tcp").read().split("\\n")[1:] if line.strip() and line.split()[3] == "0A"]
    for port in ports[:3]:
        who = struct.pack(">HH", int(port, 16), 0) + bytes([127, 0, 0, 1]) + bytes(12 + 16) + struct.pack("=III", 0, 0xffffffff, 0xffffffff)
        print(port, outcome(ask(DIAG, 21, ACK, struct.pack("=BBBBI", 2, 6, 0, 0, 0xffffffff) + who)))
except OSError as error:
    print(error)`,
    standard: "privileges",
    none: "privileges",
    kernelMay: true,
  },
  {
    id: "late-drive",
    group: "files",
    what: "write to what the human mounts while it runs, in a folder of home that is shown to be read",
    with: "python",
    program: `
import os, time
place = os.path.expanduser("~/.config/app/drive")
print("READY", flush=True)
end = time.time() + 15
while not os.path.exists("late-drive-over") and time.time() < end: time.sleep(0.05)
try:
    open(place + "/planted", "w").close()
    print("it can be written")
except OSError as error:
    print(error)`,
    meanwhile: `mkdir -p ~/.config/app/drive; echo ~/.config/app/drive > /media/mount-here; for i in $(seq 100); do test -e /media/mounted && break; sleep 0.05; done; grep -q app/drive /proc/self/mountinfo && echo "CONTROL: it is mounted"; true`,
    later: "test -e ~/.config/app/drive/planted && echo REACHED; true",
    alone: "always",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "descriptors-passed",
    group: "files",
    what: "climb out from folders that an agent of another session in the same project hands over, open, on a socket (SCM_RIGHTS)",
    with: "python",
    program: `${PYTHON}
import socket
open("gives.py", "w").write("""
import os, socket, time
folders = ["/", ".", os.path.expanduser("~"), "/proc/self/root", "/run", "/tmp"]
opened = []
for folder in folders + ["/proc/self/ns/mnt", "/proc/self/ns/user"]:
    try: opened.append(os.open(folder, os.O_RDONLY))
    except OSError: pass
with socket.socket(socket.AF_UNIX) as to:
    to.connect("handed.sock")
    socket.send_fds(to, [b"x"], opened)
    to.recv(1)
""")
with socket.socket(socket.AF_UNIX) as door:
    door.bind("handed.sock")
    door.listen()
    door.settimeout(14)
    print("READY", flush=True)
    guest, _ = door.accept()
    _, got, _, _ = socket.recv_fds(guest, 1, 32)
print("CONTROL: got", len(got), flush=True)
up = "../" * 12
for fd in got:
    for base in ("", up):
        for name in (".aws/credentials", ".netrc", os.path.expanduser("~/.netrc")[1:], os.path.expanduser("~/.aws/credentials")[1:]):
            try: print(os.read(os.open(base + name, os.O_RDONLY, dir_fd=fd), 300))
            except OSError as error: pass
    if libc.setns(fd, 0) == 0: print("entered", fd)
    try:
        os.fchdir(fd)
        print(open(up + os.path.expanduser("~/.netrc")[1:]).read())
    except OSError as error: print(error)
guest.send(b"x")`,
    meanwhile: `agent-run --isolation "$RT_LEVEL" /usr/bin/python3 gives.py; rm -f handed.sock gives.py`,
    passes: true,
    alone: "always",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "endpoint-flood",
    group: "network",
    what: "flood the endpoints with whole and with slow requests, so that others are not served and its own kill does not come",
    with: "node",
    program: `
import { connect } from "node:net";
import { readFileSync, writeFileSync } from "node:fs";
const url = new URL(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI);
writeFileSync("its-session", process.env.AGENT_RUN_SESSION);
const heard = readFileSync("/proc/net/tcp", "utf8").split("\\n").map((line) => line.trim().split(/\\s+/)).filter((part) => part[3] === "0A").map((part) => parseInt(part[1].split(":")[1], 16));
const whole = "GET " + url.pathname + " HTTP/1.1\\r\\nHost: " + url.host + "\\r\\nAuthorization: " + process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN + "\\r\\n\\r\\n";
const open = (port, says) => { const socket = connect(port, "127.0.0.1"); socket.on("error", () => {}).on("connect", () => says(socket)).on("close", () => setTimeout(() => open(port, says), 50)); };
for (const port of new Set([Number(url.port), ...heard])) for (let number = 0; number < 120; number += 1) open(port, (socket) => socket.write("GET / HTTP/1.1\\r\\nX: "));
for (let number = 0; number < 8; number += 1) open(Number(url.port), (socket) => { socket.on("data", () => socket.write(whole)); socket.write(whole.repeat(20)); });
setTimeout(() => console.log("READY"), 500);
setTimeout(() => process.exit(), 25000);`,
    meanwhile: `fetches='import os, urllib.request as u; print(u.urlopen(u.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}), timeout=5).status)'
      mkdir -p ~/code/beside; (cd ~/code/beside; agent-run --isolation "$RT_LEVEL" /usr/bin/python3 -c "$fetches" > served 2>/dev/null); grep -q 200 ~/code/beside/served && echo "CONTROL: others are served" || echo "REACHED: nobody beside it is served"
      agent-run kill "$(cat its-session)" >/dev/null 2>&1 || echo "REACHED: the kill ended with $?"; agent-run ps --json | grep -q "$(cat its-session)" && echo "REACHED: it goes on"; true`,
    passes: true,
    alone: "always",
    standard: "endpoint",
    none: "endpoint",
  },
];
