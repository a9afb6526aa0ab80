// The filter of system calls that bubblewrap installs: what no namespace takes away. A classic BPF program, built here, for x64 and arm64. Used by isolate.ts.

/** seccomp_data in linux/seccomp.h: where the filter finds what it looks at. The low half of an argument comes first on both machines. */
const OFFSET = { number: 0, arch: 4, firstArgument: 16, secondArgument: 24 } as const;
/** linux/audit.h */
const ARCH = { x86_64: 0xc000_003e, i386: 0x4000_0003, aarch64: 0xc000_00b7 } as const;
/** linux/bpf_common.h: load a word, jump if equal, jump if at least, return. */
const CODE = { load: 0x20, equal: 0x15, atLeast: 0x35, give: 0x06 } as const;
/** linux/seccomp.h */
const ALLOW = 0x7fff_0000;
const errno = (number: number): number => 0x0005_0000 | number;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
/** asm-generic/ioctls.h: both put typed characters into a terminal, as if the human had typed them (CVE-2017-5226). */
const [TIOCSTI, TIOCLINUX] = [0x5412, 0x541c];
/** bits/socket.h: sockets between a virtual machine and its host, which no network namespace takes away (vsock(7)). */
const AF_VSOCK = 40;
/** i386's way to all calls for sockets, whose arguments a filter cannot look at. */
const SOCKETCALL = 102;
/** asm/unistd.h: numbers from here on are x32 calls, which no program here needs, and which would slip past the table. */
const X32 = 0x4000_0000;

interface Refused {
  readonly name: string;
  readonly why: string;
  readonly errno: number;
  /** Numbers on x86_64, i386, aarch64; undefined where the machine has no such call. */
  readonly numbers: readonly [number, number, number | undefined];
}

const KEYS = "the kernel's keyrings are not part of any namespace";
const KERNEL = "changes the machine, or has often let programs break out of a namespace";

/**
 * What is refused. Left alone on purpose: ptrace and process_vm_* (debuggers; the PID namespace bounds them), the mount calls, unshare and setns
 * (nested sandboxes of browsers and agents), Unix sockets.
 */
export const REFUSED: readonly Refused[] = [
  { name: "add_key", why: KEYS, errno: EPERM, numbers: [248, 286, 217] },
  { name: "request_key", why: KEYS, errno: EPERM, numbers: [249, 287, 218] },
  { name: "keyctl", why: KEYS, errno: EPERM, numbers: [250, 288, 219] },
  { name: "bpf", why: KERNEL, errno: EPERM, numbers: [321, 357, 280] },
  { name: "perf_event_open", why: KERNEL, errno: EPERM, numbers: [298, 336, 241] },
  { name: "userfaultfd", why: KERNEL, errno: EPERM, numbers: [323, 374, 282] },
  // Programs try io_uring and do without when the kernel has none.
  { name: "io_uring_setup", why: KERNEL, errno: ENOSYS, numbers: [425, 425, 425] },
  { name: "io_uring_enter", why: KERNEL, errno: ENOSYS, numbers: [426, 426, 426] },
  { name: "io_uring_register", why: KERNEL, errno: ENOSYS, numbers: [427, 427, 427] },
  { name: "kexec_load", why: KERNEL, errno: EPERM, numbers: [246, 283, 104] },
  { name: "init_module", why: KERNEL, errno: EPERM, numbers: [175, 128, 105] },
  { name: "finit_module", why: KERNEL, errno: EPERM, numbers: [313, 350, 273] },
  { name: "delete_module", why: KERNEL, errno: EPERM, numbers: [176, 129, 106] },
  { name: "quotactl", why: KERNEL, errno: EPERM, numbers: [179, 131, 60] },
  { name: "quotactl_fd", why: KERNEL, errno: EPERM, numbers: [443, 443, 443] },
  { name: "open_by_handle_at", why: "opens files past the mounts that hide them", errno: EPERM, numbers: [304, 342, 265] },
  { name: "pidfd_getfd", why: "takes open files from other processes", errno: EPERM, numbers: [438, 438, 438] },
  { name: "swapon", why: KERNEL, errno: EPERM, numbers: [167, 87, 224] },
  { name: "swapoff", why: KERNEL, errno: EPERM, numbers: [168, 115, 225] },
  { name: "reboot", why: KERNEL, errno: EPERM, numbers: [169, 88, 142] },
  { name: "acct", why: KERNEL, errno: EPERM, numbers: [163, 51, 89] },
  { name: "settimeofday", why: KERNEL, errno: EPERM, numbers: [164, 79, 170] },
  { name: "clock_settime", why: KERNEL, errno: EPERM, numbers: [227, 264, 112] },
  { name: "syslog", why: "the kernel's log", errno: EPERM, numbers: [103, 103, 116] },
  { name: "iopl", why: KERNEL, errno: EPERM, numbers: [172, 110, undefined] },
  { name: "ioperm", why: KERNEL, errno: EPERM, numbers: [173, 101, undefined] },
];

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (offset: number): Instruction => [CODE.load, 0, 0, offset];
const give = (value: number): Instruction => [CODE.give, 0, 0, value];
/** Gives `result` when the loaded word is `value`, else goes on. */
const giveIf = (value: number, result: number): Instruction[] => [[CODE.equal, 0, 1, value], give(result)];

/**
 * The compiled filter for `bwrap --seccomp`; undefined for a machine that it has no table for.
 * @param network `own`: what would lead out of a network namespace is refused too
 */
export function seccompFilter(arch: string, network: "own" | "shared"): Uint8Array | undefined {
  const closed = network === "own";
  const native =
    arch === "x64"
      ? section(ARCH.x86_64, 0, { ioctl: 16, socket: 41, closed })
      : arch === "arm64"
        ? section(ARCH.aarch64, 2, { ioctl: 29, socket: 198, closed })
        : undefined;
  if (!native) return undefined;
  // 32-bit x86 programs run on x64 through their own numbers; any other foreign machine finds no system calls.
  const compatible = arch === "x64" ? section(ARCH.i386, 1, { ioctl: 54, socket: 359, closed }) : [];
  return assemble([...native, ...compatible, give(errno(ENOSYS))]);
}

interface Calls {
  readonly ioctl: number;
  readonly socket: number;
  /** Whether sockets that lead out of a network namespace are refused. */
  readonly closed: boolean;
}

function section(machine: number, column: 0 | 1 | 2, { ioctl, socket, closed }: Calls): Instruction[] {
  const noWayOut: Instruction[] = [
    [CODE.equal, 0, 4, socket],
    load(OFFSET.firstArgument),
    ...giveIf(AF_VSOCK, errno(EAFNOSUPPORT)),
    give(ALLOW),
    ...(machine === ARCH.i386 ? giveIf(SOCKETCALL, errno(ENOSYS)) : []),
  ];
  const body: Instruction[] = [
    load(OFFSET.number),
    ...(machine === ARCH.x86_64 ? ([[CODE.atLeast, 0, 1, X32], give(errno(ENOSYS))] satisfies Instruction[]) : []),
    ...REFUSED.flatMap((call) => {
      const number = call.numbers[column];
      return number === undefined ? [] : giveIf(number, errno(call.errno));
    }),
    ...(closed ? noWayOut : []),
    [CODE.equal, 1, 0, ioctl],
    give(ALLOW),
    load(OFFSET.secondArgument),
    ...giveIf(TIOCSTI, errno(EPERM)),
    ...giveIf(TIOCLINUX, errno(EPERM)),
    give(ALLOW),
  ];
  // A jump reaches 255 instructions; a section stays well below.
  return [load(OFFSET.arch), [CODE.equal, 0, body.length, machine], ...body];
}

/** struct sock_filter in linux/filter.h: 16-bit code, two 8-bit jumps, 32-bit value; both machines are little-endian. */
function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, ifTrue);
    bytes.setUint8(index * 8 + 3, ifFalse);
    bytes.setUint32(index * 8 + 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}
