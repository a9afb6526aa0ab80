// The program that goes before bubblewrap: an ELF executable of some 400 bytes, built here, for x64 and arm64. It makes the system calls of a list (call-list.ts), and
// then becomes bwrap. scripts/build.mjs writes it into dist/, bubblewrap.ts puts it before bwrap. Node can make none of these calls, and nothing that every machine
// has makes them all. Pure.
import { CALL_SIZE, FIELDS, LIST_AT, LIST_FD, LONGEST_LIST } from "./call-list.ts";
import {
  ARM64_EXEC_NEXT,
  ARM64_FAIL,
  type Arch,
  adr,
  assemble,
  executable,
  ifRefusedArm64,
  jumpArm64,
  jumpX64,
  movz,
  type Piece,
  SVC,
  text,
  word,
  X64_EXEC_NEXT,
  X64_FAIL,
} from "./machine-code.ts";

/** asm/unistd_64.h and asm-generic/unistd.h */
const MMAP = { x64: 9, arm64: 222 } as const;
/** asm-generic/mman-common.h: a copy of our own, at the address that the list was made for. */
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_FIXED = 0x12;

const NO_LIST = "agent-run: error: the list of what comes before bubblewrap cannot be read: the kernel ended it with errno ";
const NOT_STARTED = "agent-run: error: bubblewrap cannot be started: execve ended with errno ";

/**
 * The whole executable. It maps the list that descriptor `LIST_FD` is, makes its calls one after the other, says what a refused one says of itself and ends
 * with 125, and at the end of the list becomes `argv[1]` with `argv+1`.
 */
export function preludeProgram(arch: Arch): Uint8Array {
  return executable(arch, assemble(arch === "x64" ? X64 : ARM64));
}

/** `[rbx+place]`, as the last byte of an instruction. */
const { number, allowed, skips, says, saysLength, args, uses } = FIELDS;

/** rbx is the call's place in the list, rbp what an earlier call gave; the kernel leaves both alone. */
const X64: readonly Piece[] = [
  [0xb8, ...word(MMAP.x64)], //                          mov eax, mmap
  [0xbf, ...word(LIST_AT)], //                           mov edi, LIST_AT
  [0xbe, ...word(LONGEST_LIST)], //                      mov esi, LONGEST_LIST
  [0xba, ...word(PROT_READ_WRITE)], //                   mov edx, PROT_READ|PROT_WRITE
  [0x41, 0xba, ...word(MAP_PRIVATE_FIXED)], //           mov r10d, MAP_PRIVATE|MAP_FIXED
  [0x41, 0xb8, ...word(LIST_FD)], //                     mov r8d, LIST_FD
  [0x45, 0x31, 0xc9], //                                 xor r9d, r9d
  [0x0f, 0x05], //                                       syscall
  [0x48, 0x85, 0xc0], //                                 test rax, rax
  jumpX64([0x0f, 0x88], "no list"), //                   js no list
  [0xbb, ...word(LIST_AT)], //                           mov ebx, LIST_AT
  { label: "call" },
  [0x48, 0x8b, 0x43, number], //                         mov rax, [rbx+number]
  [0x48, 0x85, 0xc0], //                                 test rax, rax
  jumpX64([0x0f, 0x88], "over"), //                      js over
  [0x48, 0x8b, 0x7b, args], //                           mov rdi, [rbx+args]
  [0x48, 0x8b, 0x73, args + 8], //                       mov rsi, [rbx+args+8]
  [0x48, 0x8b, 0x53, args + 16], //                      mov rdx, [rbx+args+16]
  [0x4c, 0x8b, 0x53, args + 24], //                      mov r10, [rbx+args+24]
  [0x4c, 0x8b, 0x43, args + 32], //                      mov r8, [rbx+args+32]
  [0xf6, 0x43, uses, 1], //                              test byte [rbx+uses], 1  takes what was kept
  [0x74, 3], //                                          jz 3
  [0x48, 0x89, 0xef], //                                 mov rdi, rbp
  [0x0f, 0x05], //                                       syscall
  [0x48, 0x85, 0xc0], //                                 test rax, rax
  jumpX64([0x0f, 0x88], "refused"), //                   js refused
  [0xf6, 0x43, uses, 2], //                              test byte [rbx+uses], 2  keeps what it gave
  [0x74, 3], //                                          jz 3
  [0x48, 0x89, 0xc5], //                                 mov rbp, rax
  { label: "next" },
  [0x48, 0x83, 0xc3, CALL_SIZE], //                      add rbx, CALL_SIZE
  jumpX64([0xe9], "call"), //                            jmp call
  { label: "refused" },
  [0xf6, 0x43, uses, 4], //                              test byte [rbx+uses], 4  may be refused for any reason
  jumpX64([0x0f, 0x85], "allowed"), //                   jnz allowed
  [0x48, 0x89, 0xc1], //                                 mov rcx, rax
  [0x48, 0x03, 0x4b, allowed], //                        add rcx, [rbx+allowed]   zero where that is its errno
  jumpX64([0x0f, 0x85], "not allowed"), //               jnz not allowed
  { label: "allowed" },
  [0x48, 0x6b, 0x4b, skips, CALL_SIZE], //               imul rcx, [rbx+skips], CALL_SIZE
  [0x48, 0x01, 0xcb], //                                 add rbx, rcx
  jumpX64([0xe9], "next"), //                            jmp next
  { label: "over" },
  ...X64_EXEC_NEXT,
  jumpX64([0x48, 0x8d, 0x35], "not started"), //         lea rsi, [rip+not started]
  [0xba, ...word(NOT_STARTED.length)], //                mov edx, its length
  jumpX64([0xe9], "fail"), //                            jmp fail
  { label: "no list" },
  jumpX64([0x48, 0x8d, 0x35], "no list text"), //        lea rsi, [rip+no list text]
  [0xba, ...word(NO_LIST.length)], //                    mov edx, its length
  jumpX64([0xe9], "fail"), //                            jmp fail
  { label: "not allowed" },
  [0x48, 0x8b, 0x73, says], //                           mov rsi, [rbx+says]
  [0x48, 0x8b, 0x53, saysLength], //                     mov rdx, [rbx+saysLength]
  { label: "fail" },
  ...X64_FAIL,
  { label: "not started" },
  text(NOT_STARTED),
  { label: "no list text" },
  text(NO_LIST),
];

/** `ldr register, [x19, place]` */
const load = (register: number, place: number) => word((0xf940_0000 | ((place / 8) << 10) | (19 << 5) | register) >>> 0);
/** `movz register, value >> 16, lsl 16` */
const movzHigh = (register: number, value: number) => word((0xd2a0_0000 | ((value >>> 16) << 5) | register) >>> 0);
/** `tbz x9, bit, 8`: past the next instruction where the bit is not set. */
const unlessBit = (bit: number) => word((0x3600_0000 | (bit << 19) | (2 << 5) | 9) >>> 0);

/** x19 is the call's place in the list, x20 what an earlier call gave; the kernel leaves all but x0 alone. */
const ARM64: readonly Piece[] = [
  movz(8, MMAP.arm64), //                                mov x8, mmap
  movzHigh(0, LIST_AT), //                               mov x0, LIST_AT
  movzHigh(1, LONGEST_LIST), //                          mov x1, LONGEST_LIST
  movz(2, PROT_READ_WRITE), //                           mov x2, PROT_READ|PROT_WRITE
  movz(3, MAP_PRIVATE_FIXED), //                         mov x3, MAP_PRIVATE|MAP_FIXED
  movz(4, LIST_FD), //                                   mov x4, LIST_FD
  movz(5, 0), //                                         mov x5, 0
  SVC, //                                                svc 0
  ifRefusedArm64("no list"), //                          tbnz x0, 63, no list
  movzHigh(19, LIST_AT), //                              mov x19, LIST_AT
  { label: "call" },
  load(8, number), //                                    ldr x8, [x19, number]
  { size: 4, to: "over", bytes: (far) => word((0xb7f8_0000 | ((far >> 2) << 5) | 8) >>> 0) }, // tbnz x8, 63, over
  ...[0, 1, 2, 3, 4].map((each) => load(each, args + 8 * each)), // ldr x0, [x19, args]  and so on
  load(9, uses), //                                      ldr x9, [x19, uses]
  unlessBit(0), //                                       tbz x9, 0, 8           takes what was kept
  word(0xaa14_03e0), //                                  mov x0, x20
  SVC, //                                                svc 0
  ifRefusedArm64("refused"), //                          tbnz x0, 63, refused
  unlessBit(1), //                                       tbz x9, 1, 8           keeps what it gave
  word(0xaa00_03f4), //                                  mov x20, x0
  { label: "next" },
  word((0x9100_0273 | (CALL_SIZE << 10)) >>> 0), //      add x19, x19, CALL_SIZE
  jumpArm64(0x5400_000e, "call"), //                     b.al call
  { label: "refused" },
  unlessBit(2), //                                       tbz x9, 2, 8           may be refused for any reason
  jumpArm64(0x5400_000e, "allowed"), //                  b.al allowed
  load(9, allowed), //                                   ldr x9, [x19, allowed]
  word(0xab00_0129), //                                  adds x9, x9, x0        zero where that is its errno
  jumpArm64(0x5400_0001, "not allowed"), //              b.ne not allowed
  { label: "allowed" },
  load(9, skips), //                                     ldr x9, [x19, skips]
  movz(10, CALL_SIZE), //                                mov x10, CALL_SIZE
  word(0x9b0a_4d33), //                                  madd x19, x9, x10, x19
  jumpArm64(0x5400_000e, "next"), //                     b.al next
  { label: "over" },
  ...ARM64_EXEC_NEXT,
  adr(1, "not started"), //                              adr x1, not started
  movz(2, NOT_STARTED.length), //                        mov x2, its length
  jumpArm64(0x5400_000e, "fail"), //                     b.al fail
  { label: "no list" },
  adr(1, "no list text"), //                             adr x1, no list text
  movz(2, NO_LIST.length), //                            mov x2, its length
  jumpArm64(0x5400_000e, "fail"), //                     b.al fail
  { label: "not allowed" },
  load(1, says), //                                      ldr x1, [x19, says]
  load(2, saysLength), //                                ldr x2, [x19, saysLength]
  { label: "fail" },
  ...ARM64_FAIL,
  { label: "not started" },
  text(NOT_STARTED),
  { label: "no list text" },
  text(NO_LIST),
];
