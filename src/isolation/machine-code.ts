// What makes the two programs of ours that are no scripts: an assembler for a few hundred bytes, the ELF file around them, and how both end when they cannot go
// on. Used by prelude.ts and sandbox-init.ts. Pure.

export type Arch = "x64" | "arm64";

/** asm/unistd_64.h and asm-generic/unistd.h */
const EXECVE = { x64: 59, arm64: 221 } as const;
export const WRITE = { x64: 1, arm64: 64 } as const;
export const EXIT_GROUP = { x64: 231, arm64: 94 } as const;

/** As every failure of ours. */
export const OUR_FAILURE = 125;

/** Where the file is loaded: above vm.mmap_min_addr, and aligned to the largest page that arm64 has. */
const ADDRESS = 0x40_0000;
const PAGE = 0x1_0000;
/** elf(5): sizes of Elf64_Ehdr and Elf64_Phdr. */
const [HEADER, SEGMENT] = [64, 56];
const CODE_AT = HEADER + SEGMENT;

/** elf(5): one segment, which is the whole file, to read and to run; nothing of it can be written. */
export function executable(arch: Arch, code: Uint8Array): Uint8Array {
  const file = new Uint8Array(CODE_AT + code.length);
  const view = new DataView(file.buffer);
  // Magic; 64 bits; little-endian; version 1; the rest of e_ident is zero.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // e_type: ET_EXEC
  view.setUint16(18, arch === "x64" ? 62 : 183, true); // e_machine: EM_X86_64, EM_AARCH64
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, BigInt(ADDRESS + CODE_AT), true); // e_entry
  view.setBigUint64(32, BigInt(HEADER), true); // e_phoff
  view.setUint16(52, HEADER, true); // e_ehsize
  view.setUint16(54, SEGMENT, true); // e_phentsize
  view.setUint16(56, 1, true); // e_phnum
  view.setUint32(HEADER, 1, true); // p_type: PT_LOAD
  view.setUint32(HEADER + 4, 4 | 1, true); // p_flags: PF_R, PF_X
  view.setBigUint64(HEADER + 16, BigInt(ADDRESS), true); // p_vaddr
  view.setBigUint64(HEADER + 24, BigInt(ADDRESS), true); // p_paddr
  view.setBigUint64(HEADER + 32, BigInt(file.length), true); // p_filesz
  view.setBigUint64(HEADER + 40, BigInt(file.length), true); // p_memsz
  view.setBigUint64(HEADER + 48, BigInt(PAGE), true); // p_align
  file.set(code, CODE_AT);
  return file;
}

/** A piece of a program: bytes, the place that a name stands for, or bytes that depend on how far away a name is. */
export type Piece =
  | readonly number[]
  | { readonly label: string }
  | { readonly size: number; readonly to: string; readonly bytes: (distance: number) => readonly number[] };

/** `distance` counts from the piece's own first byte. */
export function assemble(pieces: readonly Piece[]): Uint8Array {
  const places = new Map<string, number>();
  let length = 0;
  for (const piece of pieces) {
    if ("label" in piece) places.set(piece.label, length);
    else length += "to" in piece ? piece.size : piece.length;
  }
  const code: number[] = [];
  for (const piece of pieces) {
    if ("label" in piece) continue;
    const place = "to" in piece ? places.get(piece.to) : undefined;
    if ("to" in piece && place === undefined) throw new Error(`no label ${piece.to}`);
    code.push(...("to" in piece ? piece.bytes((place ?? 0) - code.length) : piece));
  }
  return Uint8Array.from(code);
}

export const text = (words: string): readonly number[] => [...new TextEncoder().encode(words)];
export const word = (value: number): readonly number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];

/** A jump, or whatever names a place by how far it is from its own end: four bytes behind the opcode. */
export const jumpX64 = (opcode: readonly number[], to: string): Piece => {
  const size = opcode.length + 4;
  return { size, to, bytes: (far) => [...opcode, ...word((far - size) >>> 0)] };
};

/** Becomes `argv[1]` with `argv+1`, at the stack that a program starts with: `[rsp]` is argc (System V ABI, 3.4.1). Goes on only where that failed. */
export const X64_EXEC_NEXT: readonly Piece[] = [
  [0x48, 0x8b, 0x04, 0x24], //                           mov rax, [rsp]         argc
  [0x48, 0x8d, 0x54, 0xc4, 0x10], //                     lea rdx, [rsp+rax*8+16]  envp: behind argv and the NULL at its end
  [0x48, 0x8d, 0x74, 0x24, 0x10], //                     lea rsi, [rsp+16]      argv+1
  [0x48, 0x8b, 0x3e], //                                 mov rdi, [rsi]
  [0xb8, ...word(EXECVE.x64)], //                        mov eax, execve
  [0x0f, 0x05], //                                       syscall
];

/**
 * Says on stderr the text that `rsi` and `edx` name, with the errno in `eax` (negative, as a call gives it) as three digits behind it, and ends with 125.
 * x86-64 (Intel SDM vol. 2). A call: number in rax, arguments in rdi, rsi, rdx, r10, r8, r9; rcx and r11 are lost (syscall(2)).
 */
export const X64_FAIL: readonly Piece[] = [
  [0x89, 0xc3], //                                       mov ebx, eax
  [0xf7, 0xdb], //                                       neg ebx                errno
  [0xbf, ...word(2)], //                                 mov edi, 2             stderr
  [0xb8, ...word(WRITE.x64)], //                         mov eax, write
  [0x0f, 0x05], //                                       syscall
  // Three digits and a line's end, below the stack pointer, where no signal handler writes (System V ABI: the red zone).
  [0x89, 0xd8], //                                       mov eax, ebx
  [0xb9, ...word(10)], //                                mov ecx, 10
  [0xc6, 0x44, 0x24, 0xfb, 0x0a], //                     mov byte [rsp-5], 10
  ...[0xfa, 0xf9, 0xf8].map((place) => [
    ...[0x31, 0xd2], //                                  xor edx, edx
    ...[0xf7, 0xf1], //                                  div ecx
    ...[0x80, 0xc2, 0x30], //                            add dl, '0'
    ...[0x88, 0x54, 0x24, place], //                     mov [rsp-6], dl        then [rsp-7], [rsp-8]
  ]),
  [0x48, 0x8d, 0x74, 0x24, 0xf8], //                     lea rsi, [rsp-8]
  [0xba, ...word(4)], //                                 mov edx, 4
  [0xbf, ...word(2)], //                                 mov edi, 2
  [0xb8, ...word(WRITE.x64)], //                         mov eax, write
  [0x0f, 0x05], //                                       syscall
  [0xbf, ...word(OUR_FAILURE)], //                       mov edi, 125
  [0xb8, ...word(EXIT_GROUP.x64)], //                    mov eax, exit_group
  [0x0f, 0x05], //                                       syscall
];

/** Instructions of A64 (Arm ARM, C6.2) by their fields; registers by number, 31 is sp or zero. */
export const movz = (register: number, value: number) => word((0xd280_0000 | (value << 5) | register) >>> 0);
export const adr = (register: number, to: string): Piece => ({
  ...{ size: 4, to },
  bytes: (far) => word((0x1000_0000 | ((far & 3) << 29) | ((far >> 2) << 5) | register) >>> 0),
});
export const SVC = word(0xd400_0001);

/** A conditional jump; the distance, in instructions, is in bits 5 to 23. */
export const jumpArm64 = (opcode: number, to: string): Piece => ({
  ...{ size: 4, to },
  bytes: (far) => word((opcode | (((far >> 2) & 0x7_ffff) << 5)) >>> 0),
});
/** Where the result of a call is below zero: its fourteen bits for the distance are the lower ones of those. */
export const ifRefusedArm64 = (to: string): Piece => ({
  ...{ size: 4, to },
  bytes: (far) => word((0xb7f8_0000 | ((far >> 2) << 5)) >>> 0),
});

/** The same as `X64_EXEC_NEXT`; `[sp]` is argc. */
export const ARM64_EXEC_NEXT: readonly Piece[] = [
  word(0xf940_03e3), //                                  ldr x3, [sp]           argc
  word(0x9100_23e1), //                                  add x1, sp, 8          argv
  word(0x9100_2021), //                                  add x1, x1, 8          argv+1
  word(0x8b03_0c22), //                                  add x2, x1, x3, lsl 3  envp: behind argv and the NULL at its end
  word(0xf940_0020), //                                  ldr x0, [x1]
  movz(8, EXECVE.arm64), //                              mov x8, execve
  SVC, //                                                svc 0
];

/** The same as `X64_FAIL`, of the text that `x1` and `x2` name and the errno in `x0`. A call: number in x8, arguments in x0 to x5, result in x0 (syscall(2)). */
export const ARM64_FAIL: readonly Piece[] = [
  word(0xcb00_03f3), //                                  neg x19, x0            errno
  movz(0, 2), //                                         mov x0, 2              stderr
  movz(8, WRITE.arm64), //                               mov x8, write
  SVC, //                                                svc 0
  // Three digits and a line's end, on the stack, which stays aligned to 16.
  word(0xd100_43ff), //                                  sub sp, sp, 16
  movz(9, 10), //                                        mov x9, 10
  word(0x3900_0fe9), //                                  strb w9, [sp, 3]       a line's end is 10 too
  ...[2, 1, 0].flatMap((place) => [
    word(0x9ac9_0a6a), //                                udiv x10, x19, x9
    word(0x9b09_cd4b), //                                msub x11, x10, x9, x19
    word(0x1100_c16b), //                                add w11, w11, '0'
    word((0x3900_03eb | (place << 10)) >>> 0), //        strb w11, [sp, place]
    word(0xaa0a_03f3), //                                mov x19, x10
  ]),
  movz(0, 2), //                                         mov x0, 2
  word(0x9100_03e1), //                                  mov x1, sp
  movz(2, 4), //                                         mov x2, 4
  movz(8, WRITE.arm64), //                               mov x8, write
  SVC, //                                                svc 0
  movz(0, OUR_FAILURE), //                               mov x0, 125
  movz(8, EXIT_GROUP.arm64), //                          mov x8, exit_group
  SVC, //                                                svc 0
];
