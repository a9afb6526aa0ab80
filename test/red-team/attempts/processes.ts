// Attempts on other processes, on what no file system holds (keys, shared memory, queues), and on the kernel's odd corners.
import type { Attempt } from "../attempt.ts";

/** Numbers of system calls by machine, as the programs below look them up. */
const PYTHON = `
import ctypes, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def call(x64, arm64, *arguments):
    result = libc.syscall(arm64 if arm else x64, *arguments)
    return result, os.strerror(ctypes.get_errno())
victim = int(os.environ["RT_VICTIM"])
`;

/** The human's own processes that must go on. */
const SPARED = 'kill -0 "$RT_VICTIM" && kill -0 "$RT_SPARE" || echo "REACHED a process of the human\'s"';

export const processes: readonly Attempt[] = [
  {
    id: "environments",
    group: "processes",
    what: "read the environment of every process",
    program: "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; echo; echo end",
    standard: "processes",
    none: "reached",
  },
  {
    id: "own-environment",
    group: "processes",
    what: "find secrets of the human's in its own environment",
    program: "env | sed 's/^LANG=/CONTROL: LANG=/'; tr '\\0' '\\n' < /proc/self/environ",
    standard: "environment",
    none: "environment",
  },
  {
    id: "arguments",
    group: "processes",
    what: "read the arguments of every process",
    program: "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; echo; echo end",
    standard: "processes",
    none: "reached",
  },
  {
    id: "memory",
    group: "processes",
    what: "read another process's memory through /proc",
    with: "python",
    program: `${PYTHON}
for path in ["/proc/%d/mem" % victim] + ["/proc/%s/mem" % p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]:
    try:
        with open(path, "rb") as memory:
            memory.seek(int(os.environ["RT_VICTIM_ADDRESS"]))
            print(memory.read(64))
    except OSError as error:
        print(path, error)`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "ptrace",
    group: "processes",
    what: "attach to another process as a debugger",
    with: "python",
    // One of its own may have the same number.
    program: `${PYTHON}
if libc.ptrace(16, victim, None, None) == 0:
    os.waitpid(victim, 0)
    print("REACHED: attached" if b"red-team-victim" in open("/proc/%d/cmdline" % victim, "rb").read() else "its own")
    libc.ptrace(17, victim, None, None)
print(os.strerror(ctypes.get_errno()))`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "process-vm-readv",
    group: "processes",
    what: "read another process's memory with process_vm_readv",
    with: "python",
    program: `${PYTHON}
buffer = ctypes.create_string_buffer(64)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
mine, theirs = Vector(ctypes.addressof(buffer), 64), Vector(int(os.environ["RT_VICTIM_ADDRESS"]), 64)
libc.process_vm_readv(victim, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
print(buffer.raw, os.strerror(ctypes.get_errno()))`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "pidfd-getfd",
    group: "processes",
    what: "take an open file out of another process with pidfd_getfd",
    with: "python",
    program: `${PYTHON}
pidfd, why = call(434, 434, victim, 0)
fd, why = call(438, 438, pidfd, int(os.environ["RT_VICTIM_FD"]), 0) if pidfd >= 0 else (-1, why)
print(os.pread(fd, 100, 0) if fd >= 0 else why)`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "files-of-others",
    group: "processes",
    what: "read the files that every process has open, through /proc",
    program:
      'for fd in /proc/[0-9]*/fd/*; do test -f "$fd" && head -c 4096 "$fd"; done 2>/dev/null; cat "/proc/$RT_VICTIM/fd/$RT_VICTIM_FD" 2>&1',
    standard: "processes",
    none: "reached",
  },
  {
    id: "namespaces-of-others",
    group: "processes",
    what: "enter another process's namespaces",
    program: `for p in 1 "$RT_VICTIM" "$PPID"; do nsenter -t "$p" -U -m --preserve-credentials cat "$HOME/.netrc" 2>&1; nsenter -t "$p" -a cat "$HOME/.netrc" 2>&1; done
      echo "CONTROL: $(unshare -Ur id -u) is what a namespace of its own makes of it" | grep 'CONTROL: 0 '`,
    standard: "processes",
    none: "privileges",
  },
  {
    id: "keyring",
    group: "processes",
    what: "read a key from the kernel's keyrings",
    with: "python",
    program: `${PYTHON}
for ring in (-3, -4, -5, -2, -1):
    key, why = call(250, 219, 10, ring, b"user", b"red-team", 0)
    if key > 0:
        buffer = ctypes.create_string_buffer(200)
        call(250, 219, 11, key, buffer, 200)
        print(buffer.value)
    else:
        print(why)
print(call(249, 218, b"user", b"red-team", None, 0))`,
    standard: "system calls",
    none: "reached",
  },
  {
    id: "keys-listed",
    group: "processes",
    what: "read the names of keys in /proc/keys and try each by number",
    with: "python",
    program: `${PYTHON}
for line in open("/proc/keys"):
    number = int(line.split()[0], 16)
    buffer = ctypes.create_string_buffer(200)
    length, why = call(250, 219, 11, number, buffer, 200)
    print(buffer.value if length > 0 else why)`,
    standard: "system calls",
    strict: "mounts",
    none: "reached",
  },
  {
    id: "key-names",
    group: "processes",
    what: "learn what a key of the human's in the kernel's keyrings is called",
    program: `grep -q red-team /proc/keys && echo "REACHED a name in /proc/keys"; echo end`,
    standard: "reached",
    strict: "mounts",
    none: "reached",
    gap: "Names of keys",
  },
  {
    id: "key-possessed",
    group: "processes",
    what: "possess a key of the human's session keyring, as the kernel itself looks for them",
    program: "grep possessed-alone /proc/keys | sed 's/^/REACHED /'; echo end",
    standard: "keyring",
    none: "reached",
  },
  {
    id: "key-added",
    group: "processes",
    what: "put a key of its own into the human's keyring",
    with: "python",
    program: `${PYTHON}
key, why = call(248, 217, b"user", b"red-team-planted", b"x", 1, -4)
print("REACHED" if key > 0 else why)
if key > 0: call(250, 219, 3, key)`,
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "shared-memory",
    group: "processes",
    what: "attach System V shared memory",
    with: "python",
    program: `${PYTHON}
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x7ED7EA, 0, 0)
print(ctypes.string_at(libc.shmat(segment, None, 0o10000), 64) if segment >= 0 else os.strerror(ctypes.get_errno()))`,
    standard: "ipc",
    none: "reached",
  },
  {
    id: "message-queue",
    group: "processes",
    what: "take a message from a System V queue",
    with: "python",
    program: `${PYTHON}
queue = libc.msgget(0x7ED7EB, 0)
buffer = ctypes.create_string_buffer(200)
print(libc.msgrcv(queue, buffer, 100, 0, 0o4000) if queue >= 0 else os.strerror(ctypes.get_errno()), buffer.raw)`,
    standard: "ipc",
    none: "reached",
  },
  {
    id: "posix-queue",
    group: "processes",
    what: "take a message from a POSIX queue",
    with: "python",
    program: `${PYTHON}
rt = ctypes.CDLL("librt.so.1", use_errno=True)
queue = rt.mq_open(b"/red-team", os.O_RDONLY | os.O_NONBLOCK)
buffer = ctypes.create_string_buffer(9000)
print(rt.mq_receive(queue, buffer, 9000, None) if queue >= 0 else os.strerror(ctypes.get_errno()), buffer.value)`,
    standard: "ipc",
    none: "reached",
  },
  {
    id: "kill-by-number",
    group: "processes",
    what: "kill a process of the human's by its number",
    program: 'kill -9 "$RT_SPARE" 2>&1',
    later: SPARED,
    standard: "processes",
    none: "reached",
  },
  {
    id: "stop-launcher",
    group: "processes",
    what: "stop the launcher of another session with SIGSTOP",
    with: "python",
    program: `${PYTHON}
import signal, time
pid = int(os.environ["RT_SECOND_PID"])
try:
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.1)
    print("REACHED" if open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[0] == "T" else "runs")
    os.kill(pid, signal.SIGCONT)
except OSError as error:
    print(error)`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "tiocsti",
    group: "processes",
    what: "type into a terminal with TIOCSTI",
    with: "python",
    program: `
import fcntl, os
for name in ("/dev/tty", os.environ["RT_TTY"], os.environ["RT_OTHER_TTY"]):
    try:
        fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(fd, 0x5412, b"\\n")
        print("REACHED", name)
    except OSError as error:
        print(name, error)`,
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "other-terminals",
    group: "processes",
    what: "write to the human's other terminals",
    program: 'for t in "$RT_OTHER_TTY" /dev/console; do echo "to-the-other-terminal-$RT_ID" > "$t"; done 2>&1',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "setuid",
    group: "processes",
    what: "become root's through a setuid program",
    program: `(sleep 1 | su root -c true >/dev/null 2>&1) & sleep 0.3
      for s in /proc/[0-9]*/status; do awk '/^Name:/{n=$2} /^Uid:/{if (n=="su" && $3==0) print "REACHED: su has the effective uid", $3}' "$s" 2>/dev/null; done; grep NoNewPrivs /proc/self/status`,
    standard: "privileges",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "io-uring",
    group: "processes",
    what: "set up io_uring, which no filter of system calls sees",
    with: "python",
    program: `${PYTHON}
fd, why = call(425, 425, 4, ctypes.create_string_buffer(200))
print("REACHED" if fd >= 0 else why)`,
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "userfaultfd",
    group: "processes",
    what: "use userfaultfd, perf_event_open and bpf",
    with: "python",
    program: `${PYTHON}
attributes = ctypes.create_string_buffer(struct.pack("<IIQ", 1, 112, 0) + bytes(96), 112)
attributes[40] = b"\\x60"
for name, x64, arm64, arguments in (("userfaultfd", 323, 282, (1,)), ("perf_event_open", 298, 241, (attributes, 0, -1, -1, 0)), ("bpf", 321, 280, (0, ctypes.create_string_buffer(struct.pack("<IIII", 2, 4, 4, 1) + bytes(60), 76), 72))):
    fd, why = call(x64, arm64, *arguments)
    print("REACHED" if fd >= 0 else "", name, why)`,
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "user-namespaces",
    group: "processes",
    what: "reach the kernel's code for owners of namespaces: unshare, and clone3, which no filter looks into",
    with: "python",
    program: `${PYTHON}
NEW_USER = 0x10000000
arguments = ctypes.create_string_buffer(struct.pack("<8Q", NEW_USER, 0, 0, 0, 17, 0, 0, 0), 64)
child, why = call(435, 435, arguments, 64)
if child == 0: os._exit(0)
if child > 0: os.waitpid(child, 0)
print("REACHED by clone3" if child > 0 else why)
child = os.fork()
if child == 0:
    result, why = call(272, 97, NEW_USER)
    print("REACHED by unshare" if result == 0 else why, flush=True)
    os._exit(0)
os.waitpid(child, 0)`,
    standard: "reached",
    strict: "privileges",
    none: "reached",
    kernelMay: "everywhere",
    gap: "The kernel is shared",
  },
  {
    id: "forged-end",
    group: "processes",
    what: "say that it ended, with the word that it reads out of the memory of the shell above it, and go on",
    with: "python",
    program: `
import os, re, signal, time
def text(path):
    try:
        return open(path, "rb").read()
    except OSError:
        return b""
words = set()
for pid in filter(str.isdigit, os.listdir("/proc")):
    if b"agent_run_nonce" not in text("/proc/%s/cmdline" % pid): continue
    for line in text("/proc/%s/maps" % pid).decode().splitlines():
        if " rw" not in line: continue
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        try:
            with open("/proc/%s/mem" % pid, "rb") as memory:
                memory.seek(start)
                words |= set(re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", memory.read(end - start)))
        except (OSError, ValueError) as error:
            print(error)
print("CONTROL: words:", len(words), flush=True)
if os.fork() == 0:
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
    os.execv("/bin/sleep", ["sleep", "87654"])
time.sleep(0.2)
for word in words:
    with open("/dev/tty", "wb", buffering=0) as terminal: terminal.write(b"\\033]7777;%s;exit;0\\007" % word)
time.sleep(2)`,
    later: "pgrep -f '^sleep 87654' >/dev/null && echo REACHED",
    alone: "always",
    standard: "processes",
    none: "daemon",
    kernelMay: true,
  },
  {
    id: "x32-and-i386",
    group: "processes",
    what: "reach refused system calls by the numbers of x32",
    with: "python",
    program: `${PYTHON}
if arm:
    print("no such numbers here")
key, why = (-1, "") if arm else call(0x40000000 + 250, 0, 10, -3, b"user", b"red-team", 0)
print("REACHED" if key > 0 else why)
key, why = call(250, 219, 10, -3, b"user", b"red-team", 0)
print("CONTROL" if key > 0 else why)`,
    standard: "system calls",
    none: "privileges",
    kernelMay: true,
  },
  {
    id: "mount-alone",
    group: "processes",
    what: "mount, unmount and change the root without a namespace of its own",
    program: `mount -t tmpfs x /mnt 2>&1 && echo REACHED; umount "$HOME" 2>&1 && echo REACHED; mount -o remount,bind,rw "$HOME" 2>&1 && echo REACHED; chroot / true 2>&1 && echo REACHED
      unshare -Urm sh -c 'mount -t tmpfs x /mnt && echo CONTROL'`,
    standard: "privileges",
    none: "privileges",
  },
  {
    id: "kernel-settings",
    group: "processes",
    what: "write core_pattern, sysrq and cgroups",
    program: `for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /sys/fs/cgroup/cgroup.procs /sys/kernel/uevent_helper; do (echo x >> "$f") 2>&1 && echo "REACHED $f"; done
      test -e /proc/sys/kernel/core_pattern && echo CONTROL`,
    standard: "privileges",
    none: "privileges",
  },
  {
    id: "many-processes",
    group: "processes",
    what: "start 300 processes at once",
    with: "python",
    program: `
import os, subprocess
many = [subprocess.Popen(["sleep", "5"]) for _ in range(300)]
print("REACHED: a third hundred" if sum(one.poll() is None for one in many) == 300 else "stopped")
for one in many: one.kill()`,
    standard: "reached",
    none: "reached",
    gap: "No limits on resources",
  },
  {
    id: "stay-behind",
    group: "processes",
    what: "leave a process behind that ignores signals and has a session of its own",
    with: "python",
    program: `
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2): os.dup2(null, fd)
        os.execv("/bin/sleep", ["sleep", "98765"])
    os._exit(0)
time.sleep(0.3)
print("CONTROL: it runs" if any(b"98765" in open("/proc/%s/cmdline" % p, "rb").read() for p in os.listdir("/proc") if p.isdigit()) else "it does not run")`,
    later: "pgrep -f '^sleep 98765' && echo REACHED",
    standard: "processes",
    none: "daemon",
  },
  {
    id: "kill-everything",
    group: "processes",
    what: "kill every process that it may, with kill -9 -1",
    program: "kill -9 -1",
    later: SPARED.replace(' && kill -0 "$RT_SPARE"', ""),
    alone: "always",
    standard: "processes",
    none: "untried",
  },
  {
    id: "kill-daemon",
    group: "processes",
    what: "kill agent-run's daemon",
    program: `pgrep -f 'main.cjs d[a]emon run' | while read -r pid; do kill -9 "$pid" && echo "REACHED $pid"; done; echo end`,
    alone: "where it is reached",
    standard: "processes",
    none: "reached",
  },
  {
    id: "kill-launcher",
    group: "processes",
    what: "kill the launcher, so that nobody watches",
    // What it says must be written down before it is ended with its launcher.
    program: `pgrep -f 'agent-run.cjs --i[s]olation' | while read -r pid; do kill -0 "$pid" && echo "REACHED $pid"; sleep 0.5; kill -9 "$pid"; done; echo end`,
    alone: "where it is reached",
    standard: "processes",
    none: "reached",
  },
];
