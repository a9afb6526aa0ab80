// The program that leaves the human's session keyring before the sandbox starts: an ELF executable of some 400 bytes, built here, for x64 and arm64.
// scripts/build.mjs writes it into dist/, bubblewrap.ts puts it before bwrap. Nothing that every machine has can make this one call, and Node cannot.
// PURE.
import {
  ARM64_EXEC_NEXT,
  ARM64_FAIL,
  type Arch,
  adr,
  assemble,
  executable,
  movz,
  type Piece,
  SVC,
  text,
  word,
  X64_EXEC_NEXT,
  X64_FAIL,
} from "./machine-code.ts";
import { KEYRING_REFUSED } from "./own-programs.ts";

/**
 * keyctl(2), KEYCTL_JOIN_SESSION_KEYRING without a name: a new, empty session keyring, which all that is started from here on inherits. It takes the old
 * one's place, so nothing in that is possessed any more, neither by a program nor where the kernel itself looks for a key. Then `execve(argv[1], argv+1)`.
 */
const JOIN = { x64: 250, arm64: 219 } as const;
const KEYCTL_JOIN_SESSION_KEYRING = 1;

const NOT_STARTED = "agent-run: error: bubblewrap cannot be started: execve ended with errno ";

/** The whole executable. */
export function sessionKeyringProgram(arch: Arch): Uint8Array {
  return executable(arch, assemble(arch === "x64" ? X64 : ARM64));
}

/** At the start `[rsp]` is argc. */
const X64: readonly Piece[] = [
  [0xb8, ...word(JOIN.x64)], //                          mov eax, keyctl
  [0xbf, ...word(KEYCTL_JOIN_SESSION_KEYRING)], //       mov edi, 1
  [0x31, 0xf6], //                                       xor esi, esi           no name
  [0x0f, 0x05], //                                       syscall
  [0x48, 0x85, 0xc0], //                                 test rax, rax
  { size: 2, to: "refused", bytes: (far) => [0x78, far - 2] }, // js refused
  ...X64_EXEC_NEXT,
  { size: 7, to: "not started", bytes: (far) => [0x48, 0x8d, 0x35, ...word(far - 7)] }, // lea rsi, [rip+not started]
  [0xba, ...word(NOT_STARTED.length)], //                mov edx, its length
  { size: 2, to: "fail", bytes: (far) => [0xeb, far - 2] }, //   jmp fail
  { label: "refused" },
  { size: 7, to: "refused text", bytes: (far) => [0x48, 0x8d, 0x35, ...word(far - 7)] }, // lea rsi, [rip+refused text]
  [0xba, ...word(KEYRING_REFUSED.length)], //            mov edx, its length
  { label: "fail" },
  ...X64_FAIL,
  { label: "refused text" },
  text(KEYRING_REFUSED),
  { label: "not started" },
  text(NOT_STARTED),
];

/** At the start `[sp]` is argc. */
const ARM64: readonly Piece[] = [
  movz(8, JOIN.arm64), //                                mov x8, keyctl
  movz(0, KEYCTL_JOIN_SESSION_KEYRING), //               mov x0, 1
  movz(1, 0), //                                         mov x1, 0              no name
  SVC, //                                                svc 0
  { size: 4, to: "refused", bytes: (far) => word((0xb7f8_0000 | ((far >> 2) << 5)) >>> 0) }, // tbnz x0, 63, refused
  ...ARM64_EXEC_NEXT,
  adr(1, "not started"), //                              adr x1, not started
  movz(2, NOT_STARTED.length), //                        mov x2, its length
  { size: 4, to: "fail", bytes: (far) => word((0x1400_0000 | (far >> 2)) >>> 0) }, // b fail
  { label: "refused" },
  adr(1, "refused text"), //                             adr x1, refused text
  movz(2, KEYRING_REFUSED.length), //                    mov x2, its length
  { label: "fail" },
  ...ARM64_FAIL,
  { label: "refused text" },
  text(KEYRING_REFUSED),
  { label: "not started" },
  text(NOT_STARTED),
];
