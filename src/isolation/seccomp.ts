// The filter of system calls that bubblewrap installs: what no namespace takes away. A classic BPF program, built here, for x64 and arm64. Used by isolate.ts.

/** seccomp_data in linux/seccomp.h: where the filter finds what it looks at. The low half of an argument comes first on both machines. */
const OFFSET = { number: 0, arch: 4, arguments: [16, 24, 32, 40] } as const;
/** linux/audit.h */
const ARCH = { x86_64: 0xc000_003e, i386: 0x4000_0003, aarch64: 0xc000_00b7 } as const;
/** linux/bpf_common.h: load a word, jump if equal, jump if at least, jump if it has one of these bits, return. */
const CODE = { load: 0x20, equal: 0x15, atLeast: 0x35, hasBits: 0x45, give: 0x06 } as const;
/** linux/seccomp.h */
const ALLOW = 0x7fff_0000;
const errno = (number: number): number => 0x0005_0000 | number;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
/**
 * asm-generic/ioctls.h: both put typed characters into a terminal, as if the human had typed them (CVE-2017-5226). linux/kd.h: on a console these say what
 * a key types from then on, also after the agent's end: KDSKBENT, KDSKBSENT, KDSKBDIACR, KDSETKEYCODE, KDSKBDIACRUC.
 */
const TYPING = [0x5412, 0x541c, 0x4b47, 0x4b49, 0x4b4b, 0x4b4d, 0x4bfb];
/** asm-generic/ioctls.h, TIOCSETD: what reads a terminal's bytes in the kernel. For most numbers it loads a driver first, for modems and the like, and those have had holes. */
const LINE_DISCIPLINE = 0x5423;
/** linux/fcntl.h, F_SETLEASE and F_SETDELEG: who holds a lease on a file has everybody else wait who opens it, for 45 seconds each time. */
const LEASES = [1024, 1040];
/** sys/stat.h. A folder that hands on its group has SETGID by right, so that is refused to new files alone. */
const [SETUID, SETUID_OR_SETGID] = [0o4000, 0o6000];
/** asm-generic/fcntl.h: O_CREAT, and O_TMPFILE's own bit. Without one of them nobody looks at a mode. */
const CREATES = 0o20000100;
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
const SETUID_PROGRAMS =
  "what can make a program that runs as the human for whoever starts it, where no filter looks: openat takes its place";
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
  { name: "openat2", why: SETUID_PROGRAMS, errno: ENOSYS, numbers: [437, 437, 437] },
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

/** Refuses the call with this number where its argument is one of the values. */
const refuseValues = (number: number, argument: 0 | 1, values: readonly number[], result: number): Instruction[] => [
  [CODE.equal, 0, 2 * values.length + 2, number],
  load(OFFSET.arguments[argument]),
  ...values.flatMap((value) => giveIf(value, result)),
  give(ALLOW),
];

/** Refuses the call with this number where its argument has one of the bits; `only`: where another one has one of these. */
function refuseBits(
  number: number,
  argument: 1 | 2 | 3,
  bits: number,
  only?: { readonly argument: 1 | 2; readonly bits: number },
): Instruction[] {
  const body: Instruction[] = [
    ...(only === undefined ? [] : ([load(OFFSET.arguments[only.argument]), [CODE.hasBits, 1, 0, only.bits], give(ALLOW)] as const)),
    load(OFFSET.arguments[argument]),
    [CODE.hasBits, 0, 1, bits],
    give(errno(EPERM)),
    give(ALLOW),
  ];
  return [[CODE.equal, 0, body.length, number], ...body];
}

/** Numbers of calls that are refused for what they are given. */
interface Calls {
  readonly arch: number;
  readonly column: 0 | 1 | 2;
  readonly openat: number;
  readonly ioctl: number;
  readonly fcntl: readonly number[];
  readonly socket: number;
  /** `chmod(path, mode)` and its like. */
  readonly mode: { readonly open?: number; readonly second: readonly number[]; readonly third: readonly number[] };
  /** The same of those that make files. */
  readonly make: { readonly second: readonly number[]; readonly third: readonly number[] };
}

const X64: Calls = {
  ...{ arch: ARCH.x86_64, column: 0, openat: 257, ioctl: 16, fcntl: [72], socket: 41 },
  // open; chmod, fchmod; fchmodat, fchmodat2; creat, mknod; mknodat
  mode: { open: 2, second: [90, 91], third: [268, 452] },
  make: { second: [85, 133], third: [259] },
};
const X86: Calls = {
  ...{ arch: ARCH.i386, column: 1, openat: 295, ioctl: 54, fcntl: [55, 221], socket: 359 },
  mode: { open: 5, second: [15, 94], third: [306, 452] },
  make: { second: [8, 14], third: [297] },
};
const ARM64: Calls = {
  ...{ arch: ARCH.aarch64, column: 2, openat: 56, ioctl: 29, fcntl: [25], socket: 198 },
  mode: { second: [52], third: [53, 452] },
  make: { second: [], third: [33] },
};

/** Whether there is a table for the machine. 32-bit x86 programs run on x64 through their own numbers; any other foreign machine finds no system calls. */
export const hasFilter = (arch: string): boolean => Object.hasOwn(TABLES, arch);

const TABLES: Readonly<Record<string, readonly Calls[]>> = { x64: [X64, X86], arm64: [ARM64] };

/**
 * The compiled filter for `bwrap --seccomp`; undefined for a machine that it has no table for.
 * @param network `own`: what would lead out of a network namespace is refused too
 */
export function seccompFilter(arch: string, network: "own" | "shared"): Uint8Array | undefined {
  const known = hasFilter(arch) ? TABLES[arch] : undefined;
  return known && assemble([...known.flatMap((calls) => section(calls, network === "own")), give(errno(ENOSYS))]);
}

/** @param closed sockets that lead out of a network namespace are refused */
function section({ arch, column, openat, ioctl, fcntl, socket, mode, make }: Calls, closed: boolean): Instruction[] {
  const noWayOut: Instruction[] = [
    ...refuseValues(socket, 0, [AF_VSOCK], errno(EAFNOSUPPORT)),
    ...(arch === ARCH.i386 ? giveIf(SOCKETCALL, errno(ENOSYS)) : []),
  ];
  const body: Instruction[] = [
    load(OFFSET.number),
    ...(arch === ARCH.x86_64 ? ([[CODE.atLeast, 0, 1, X32], give(errno(ENOSYS))] satisfies Instruction[]) : []),
    // What is called most comes first: the kernel remembers which calls always pass, but not these.
    ...refuseBits(openat, 3, SETUID_OR_SETGID, { argument: 2, bits: CREATES }),
    ...fcntl.flatMap((number) => refuseValues(number, 1, LEASES, errno(EPERM))),
    ...refuseValues(ioctl, 1, [...TYPING, LINE_DISCIPLINE], errno(EPERM)),
    ...(mode.open === undefined ? [] : refuseBits(mode.open, 2, SETUID_OR_SETGID, { argument: 1, bits: CREATES })),
    ...mode.second.flatMap((number) => refuseBits(number, 1, SETUID)),
    ...mode.third.flatMap((number) => refuseBits(number, 2, SETUID)),
    ...make.second.flatMap((number) => refuseBits(number, 1, SETUID_OR_SETGID)),
    ...make.third.flatMap((number) => refuseBits(number, 2, SETUID_OR_SETGID)),
    ...REFUSED.flatMap((call) => {
      const number = call.numbers[column];
      return number === undefined ? [] : giveIf(number, errno(call.errno));
    }),
    ...(closed ? noWayOut : []),
    give(ALLOW),
  ];
  // A jump reaches 255 instructions; a section stays well below.
  return [load(OFFSET.arch), [CODE.equal, 0, body.length, arch], ...body];
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
