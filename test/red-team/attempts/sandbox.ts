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
];
