// The first process of a sandbox, whose end the kernel makes the end of all others in it: an ELF executable of some 400 bytes, built here, for x64 and arm64.
// scripts/build.mjs writes it into dist/, bubblewrap.ts puts it before the command. bubblewrap's own can be traced from inside: an agent could have it take back
// its request to die with its parent (prctl(2), PR_SET_PDEATHSIG), and outlive a launcher and a daemon that are killed. Pure.
import {
  ARM64_EXEC_NEXT,
  ARM64_FAIL,
  type Arch,
  adr,
  assemble,
  EXIT_GROUP,
  executable,
  ifRefusedArm64,
  jumpArm64,
  jumpX64,
  movz,
  OUR_FAILURE,
  type Piece,
  SVC,
  text,
  word,
  X64_EXEC_NEXT,
  X64_FAIL,
} from "./machine-code.ts";

/** asm/unistd_64.h and asm-generic/unistd.h */
const PRCTL = { x64: 157, arm64: 167 } as const;
const CLONE = { x64: 56, arm64: 220 } as const;
const CLOSE = { x64: 3, arm64: 57 } as const;
/** Linux 5.9. */
const CLOSE_RANGE = 436;
const WAIT4 = { x64: 61, arm64: 260 } as const;
/** linux/prctl.h. Who is not dumpable is neither traced nor looked into by anybody without privileges (ptrace(2), proc(5)); a child that becomes its program is again. */
const [PR_SET_DUMPABLE, PR_SET_NAME] = [4, 15];
/** The name that it goes by: whoever tells the sandbox's own processes from the agent's looks for this one. */
const NAME = "bwrap\0";
const SIGCHLD = 17;
const ECHILD = 10;
/** Where the kernel has no close_range(2), as many as a process has by default. */
const MOST_DESCRIPTORS = 1024;

const NOT_STARTED = "agent-run: error: nothing can be started in the sandbox: the kernel ended it with errno ";

/**
 * The whole executable. It closes itself to tracers, starts `argv[1]` with `argv+1` as its child, keeps no descriptor but the three standard ones, takes in
 * whatever process of the sandbox has ended, and ends when that child does, with its exit status, or 128 and the signal that ended it.
 */
export function sandboxInitProgram(arch: Arch): Uint8Array {
  return executable(arch, assemble(arch === "x64" ? X64 : ARM64));
}

/** At the start `[rsp]` is argc. */
const X64: readonly Piece[] = [
  [0xb8, ...word(PRCTL.x64)], //                         mov eax, prctl
  [0xbf, ...word(PR_SET_DUMPABLE)], //                   mov edi, PR_SET_DUMPABLE
  [0x31, 0xf6], //                                       xor esi, esi
  [0x0f, 0x05], //                                       syscall
  [0x85, 0xc0], //                                       test eax, eax
  jumpX64([0x0f, 0x88], "not started"), //               js not started
  [0xb8, ...word(PRCTL.x64)], //                         mov eax, prctl
  [0xbf, ...word(PR_SET_NAME)], //                       mov edi, PR_SET_NAME
  jumpX64([0x48, 0x8d, 0x35], "name"), //                lea rsi, [rip+name]
  [0x0f, 0x05], //                                       syscall
  [0xb8, ...word(CLONE.x64)], //                         mov eax, clone
  [0xbf, ...word(SIGCHLD)], //                           mov edi, SIGCHLD       as fork(2)
  [0x31, 0xf6], //                                       xor esi, esi           the same stack
  [0x31, 0xd2], //                                       xor edx, edx
  [0x4d, 0x31, 0xd2], //                                 xor r10, r10
  [0x4d, 0x31, 0xc0], //                                 xor r8, r8
  [0x0f, 0x05], //                                       syscall
  [0x85, 0xc0], //                                       test eax, eax
  jumpX64([0x0f, 0x88], "not started"), //               js not started
  jumpX64([0x0f, 0x85], "parent"), //                    jnz parent
  ...X64_EXEC_NEXT,
  { label: "not started" },
  jumpX64([0x48, 0x8d, 0x35], "not started text"), //    lea rsi, [rip+not started text]
  [0xba, ...word(NOT_STARTED.length)], //                mov edx, its length
  ...X64_FAIL,
  { label: "parent" },
  [0x89, 0xc3], //                                       mov ebx, eax           the child
  [0xb8, ...word(CLOSE_RANGE)], //                       mov eax, close_range
  [0xbf, ...word(3)], //                                 mov edi, 3
  [0xbe, ...word(0xffff_ffff)], //                       mov esi, ~0            to the last
  [0x31, 0xd2], //                                       xor edx, edx
  [0x0f, 0x05], //                                       syscall
  [0x85, 0xc0], //                                       test eax, eax
  jumpX64([0x0f, 0x84], "wait"), //                      jz wait
  [0xbd, ...word(3)], //                                 mov ebp, 3
  { label: "close" },
  [0xb8, ...word(CLOSE.x64)], //                         mov eax, close
  [0x89, 0xef], //                                       mov edi, ebp
  [0x0f, 0x05], //                                       syscall
  [0xff, 0xc5], //                                       inc ebp
  [0x81, 0xfd, ...word(MOST_DESCRIPTORS)], //            cmp ebp, 1024
  jumpX64([0x0f, 0x82], "close"), //                     jb close
  { label: "wait" },
  [0xb8, ...word(WAIT4.x64)], //                         mov eax, wait4
  [0xbf, ...word(0xffff_ffff)], //                       mov edi, -1            for any
  [0x48, 0x8d, 0x74, 0x24, 0xf8], //                     lea rsi, [rsp-8]       its status
  [0x31, 0xd2], //                                       xor edx, edx
  [0x4d, 0x31, 0xd2], //                                 xor r10, r10
  [0x0f, 0x05], //                                       syscall
  [0x39, 0xd8], //                                       cmp eax, ebx
  jumpX64([0x0f, 0x84], "ended"), //                     je ended
  [0x83, 0xf8, 256 - ECHILD], //                         cmp eax, -ECHILD
  jumpX64([0x0f, 0x85], "wait"), //                      jne wait
  [0xbf, ...word(OUR_FAILURE)], //                       mov edi, 125
  jumpX64([0xe9], "out"), //                             jmp out
  { label: "ended" },
  [0x8b, 0x44, 0x24, 0xf8], //                           mov eax, [rsp-8]
  [0x0f, 0xb6, 0xfc], //                                 movzx edi, ah          its exit status
  [0x83, 0xe0, 0x7f], //                                 and eax, 127           the signal that ended it
  jumpX64([0x0f, 0x84], "out"), //                       jz out
  [0x8d, 0xb8, ...word(128)], //                         lea edi, [rax+128]
  { label: "out" },
  [0xb8, ...word(EXIT_GROUP.x64)], //                    mov eax, exit_group
  [0x0f, 0x05], //                                       syscall
  { label: "name" },
  text(NAME),
  { label: "not started text" },
  text(NOT_STARTED),
];

/** At the start `[sp]` is argc. */
const ARM64: readonly Piece[] = [
  movz(8, PRCTL.arm64), //                               mov x8, prctl
  movz(0, PR_SET_DUMPABLE), //                           mov x0, PR_SET_DUMPABLE
  movz(1, 0), //                                         mov x1, 0
  SVC, //                                                svc 0
  ifRefusedArm64("not started"), //                           tbnz x0, 63, not started
  movz(8, PRCTL.arm64), //                               mov x8, prctl
  movz(0, PR_SET_NAME), //                               mov x0, PR_SET_NAME
  adr(1, "name"), //                                     adr x1, name
  SVC, //                                                svc 0
  movz(8, CLONE.arm64), //                               mov x8, clone
  movz(0, SIGCHLD), //                                   mov x0, SIGCHLD        as fork(2)
  ...[1, 2, 3, 4].map((register) => movz(register, 0)), // mov x1, 0            the same stack; and so on
  SVC, //                                                svc 0
  ifRefusedArm64("not started"), //                           tbnz x0, 63, not started
  jumpArm64(0xb500_0000, "parent"), //                   cbnz x0, parent
  ...ARM64_EXEC_NEXT,
  { label: "not started" },
  adr(1, "not started text"), //                         adr x1, not started text
  movz(2, NOT_STARTED.length), //                        mov x2, its length
  ...ARM64_FAIL,
  { label: "parent" },
  word(0xaa00_03f3), //                                  mov x19, x0            the child
  word(0xd100_43ff), //                                  sub sp, sp, 16
  movz(8, CLOSE_RANGE), //                               mov x8, close_range
  movz(0, 3), //                                         mov x0, 3
  word(0x1280_0001), //                                  mov w1, ~0             to the last
  movz(2, 0), //                                         mov x2, 0
  SVC, //                                                svc 0
  jumpArm64(0xb400_0000, "wait"), //                     cbz x0, wait
  movz(20, 3), //                                        mov x20, 3
  { label: "close" },
  movz(8, CLOSE.arm64), //                               mov x8, close
  word(0xaa14_03e0), //                                  mov x0, x20
  SVC, //                                                svc 0
  word(0x9100_0694), //                                  add x20, x20, 1
  word((0xf100_029f | (MOST_DESCRIPTORS << 10)) >>> 0), // cmp x20, 1024
  jumpArm64(0x5400_000b, "close"), //                    b.lt close
  { label: "wait" },
  movz(8, WAIT4.arm64), //                               mov x8, wait4
  word(0x9280_0000), //                                  mov x0, -1             for any
  word(0x9100_03e1), //                                  mov x1, sp             its status
  movz(2, 0), //                                         mov x2, 0
  movz(3, 0), //                                         mov x3, 0
  SVC, //                                                svc 0
  word(0xeb13_001f), //                                  cmp x0, x19
  jumpArm64(0x5400_0000, "ended"), //                    b.eq ended
  word((0xb100_001f | (ECHILD << 10)) >>> 0), //         cmn x0, ECHILD
  jumpArm64(0x5400_0001, "wait"), //                     b.ne wait
  movz(0, OUR_FAILURE), //                               mov x0, 125
  jumpArm64(0x5400_000e, "out"), //                      b.al out
  { label: "ended" },
  word(0xb940_03e1), //                                  ldr w1, [sp]
  word(0x1200_1820), //                                  and w0, w1, 127        the signal that ended it
  word(0x1102_0000), //                                  add w0, w0, 128
  word(0x1200_1822), //                                  and w2, w1, 127
  jumpArm64(0x3500_0002, "out"), //                      cbnz w2, out
  word(0x5308_3c20), //                                  ubfx w0, w1, 8, 8      its exit status
  { label: "out" },
  movz(8, EXIT_GROUP.arm64), //                          mov x8, exit_group
  SVC, //                                                svc 0
  { label: "name" },
  text(NAME),
  { label: "not started text" },
  text(NOT_STARTED),
];
