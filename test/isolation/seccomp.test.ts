// The filter of system calls: its program walked through by hand for each machine, and its effect on real calls.
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { REFUSED, seccompFilter } from "../../src/isolation/seccomp.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const [ALLOW, EPERM, ENOSYS] = [0x7fff0000, 0x50001, 0x50026];
const [X86_64, I386, AARCH64, ARM] = [0xc000003e, 0x40000003, 0xc00000b7, 0x40000028];

interface Call {
  readonly arch: number;
  readonly number: number;
  readonly first?: number;
  readonly second?: number;
  readonly third?: number;
  readonly fourth?: number;
}

/** Runs the classic BPF program as the kernel would; only the instructions that it may consist of. */
function decide(program: Uint8Array, call: Call): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const words = new Map([
    [0, call.number],
    [4, call.arch],
    [16, call.first ?? 0],
    [24, call.second ?? 0],
    [32, call.third ?? 0],
    [40, call.fourth ?? 0],
  ]);
  let loaded = 0;
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, ifTrue, ifFalse, value] = [
      view.getUint16(at * 8, true),
      view.getUint8(at * 8 + 2),
      view.getUint8(at * 8 + 3),
      view.getUint32(at * 8 + 4, true),
    ];
    if (code === 0x06) return value;
    if (code === 0x20) {
      const word = words.get(value);
      if (word === undefined) throw new Error(`loads from ${value}`);
      loaded = word;
    } else if (code === 0x15) at += loaded === value ? ifTrue : ifFalse;
    else if (code === 0x45) at += (loaded & value) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x35) at += loaded >= value ? ifTrue : ifFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("fell off the end");
}

describe("the filter of system calls", () => {
  const filterOf = (arch: string, network: "own" | "shared"): Uint8Array => seccompFilter(arch, network) ?? new Uint8Array();
  const x64 = filterOf("x64", "shared");
  const arm64 = filterOf("arm64", "shared");

  it.each(REFUSED)("refuses $name on every machine that has it", ({ errno, numbers: [first, second, third] }) => {
    expect(decide(x64, { arch: X86_64, number: first })).toBe(0x50000 | errno);
    expect(decide(x64, { arch: I386, number: second })).toBe(0x50000 | errno);
    if (third !== undefined) expect(decide(arm64, { arch: AARCH64, number: third })).toBe(0x50000 | errno);
  });

  it("allows everything else, refuses of ioctls those that have a terminal type, and knows no foreign machine", () => {
    const refused = new Set(REFUSED.map((call) => call.numbers[0]));
    for (let number = 0; number < 470; number += 1)
      expect(decide(x64, { arch: X86_64, number })).toBe(refused.has(number) ? decide(x64, { arch: X86_64, number }) : ALLOW);
    for (const [program, arch, ioctl] of [
      [x64, X86_64, 16],
      [x64, I386, 54],
      [arm64, AARCH64, 29],
    ] as const) {
      expect(decide(program, { arch, number: ioctl, second: 0x5401 })).toBe(ALLOW);
      for (const second of [0x5412, 0x541c, 0x4b47, 0x4b49, 0x4b4b, 0x4b4d, 0x4bfb, 0x5423])
        expect(decide(program, { arch, number: ioctl, second })).toBe(EPERM);
    }
    expect(decide(x64, { arch: X86_64, number: 0x40000000 })).toBe(ENOSYS);
    expect(decide(x64, { arch: ARM, number: 4 })).toBe(ENOSYS);
    expect(decide(arm64, { arch: ARM, number: 4 })).toBe(ENOSYS);
    expect(seccompFilter("riscv64", "shared")).toBeUndefined();
  });

  it("lets nothing become a setuid program, and no new file a setgid one; folders may hand on their group", () => {
    const [CREATE, TEMPORARY, TRUNCATE] = [0o100, 0o20200000, 0o1000];
    for (const [program, arch, calls] of [
      [x64, X86_64, { openat: 257, open: 2, chmod: [90, 91], chmodat: [268, 452], make: [85, 133], makeat: [259] }],
      [x64, I386, { openat: 295, open: 5, chmod: [15, 94], chmodat: [306, 452], make: [8, 14], makeat: [297] }],
      [arm64, AARCH64, { openat: 56, open: undefined, chmod: [52], chmodat: [53, 452], make: [], makeat: [33] }],
    ] as const) {
      for (const [mode, chmod, make] of [
        [0o4755, EPERM, EPERM],
        [0o104755, EPERM, EPERM],
        [0o2755, ALLOW, EPERM],
        [0o100755, ALLOW, ALLOW],
        [0o1777, ALLOW, ALLOW],
      ] as const) {
        for (const number of calls.chmod) expect(decide(program, { arch, number, second: mode }), `chmod ${number}`).toBe(chmod);
        for (const number of calls.chmodat) expect(decide(program, { arch, number, third: mode }), `chmodat ${number}`).toBe(chmod);
        for (const number of calls.make) expect(decide(program, { arch, number, second: mode }), `creat ${number}`).toBe(make);
        for (const number of calls.makeat) expect(decide(program, { arch, number, third: mode }), `mknodat ${number}`).toBe(make);
        for (const flags of [CREATE | TRUNCATE | 1, TEMPORARY | 2]) {
          expect(decide(program, { arch, number: calls.openat, third: flags, fourth: mode }), "openat").toBe(make);
          if (calls.open) expect(decide(program, { arch, number: calls.open, second: flags, third: mode }), "open").toBe(make);
        }
        // What opens a file that is there may have anything in that place.
        expect(decide(program, { arch, number: calls.openat, third: TRUNCATE | 2, fourth: mode })).toBe(ALLOW);
        if (calls.open) expect(decide(program, { arch, number: calls.open, second: 0o200000, third: mode })).toBe(ALLOW);
      }
    }
  });

  it("gives no lease on a file, with which others could be held up", () => {
    for (const [program, arch, numbers] of [
      [x64, X86_64, [72]],
      [x64, I386, [55, 221]],
      [arm64, AARCH64, [25]],
    ] as const)
      for (const number of numbers) {
        for (const second of [1024, 1040]) expect(decide(program, { arch, number, second })).toBe(EPERM);
        // F_SETFD, F_SETLK, F_OFD_SETLK, F_DUPFD_CLOEXEC
        for (const second of [2, 6, 37, 1030]) expect(decide(program, { arch, number, second })).toBe(ALLOW);
      }
  });

  it("leaves no socket that leads out of a network of its own, and all others", () => {
    const [VSOCK, INET, NO_SUCH_FAMILY, I386_SOCKETCALL] = [40, 2, 0x50061, 102];
    for (const [arch, machine, socket] of [
      ["x64", X86_64, 41],
      ["x64", I386, 359],
      ["arm64", AARCH64, 198],
    ] as const) {
      const own = filterOf(arch, "own");
      expect(decide(own, { arch: machine, number: socket, first: VSOCK })).toBe(NO_SUCH_FAMILY);
      expect(decide(own, { arch: machine, number: socket, first: INET })).toBe(ALLOW);
      expect(decide(own, { arch: machine, number: socket + 1, first: VSOCK })).toBe(ALLOW);
      expect(decide(filterOf(arch, "shared"), { arch: machine, number: socket, first: VSOCK })).toBe(ALLOW);
    }
    const own = filterOf("x64", "own");
    expect(decide(own, { arch: I386, number: I386_SOCKETCALL })).toBe(ENOSYS);
    expect(decide(own, { arch: X86_64, number: I386_SOCKETCALL })).toBe(ALLOW);
    expect(decide(own, { arch: X86_64, number: 16, second: 0x5412 })).toBe(EPERM);
    expect(decide(own, { arch: X86_64, number: 250 })).toBe(EPERM);
  });

  const python = ((): boolean => {
    try {
      execFileSync("/usr/bin/python3", ["-c", ""], { stdio: "ignore" });
      return process.arch === "x64";
    } catch {
      return false;
    }
  })();
  it.skipIf(!hasBubblewrap || !python)(
    `keeps the kernel's keyrings away from real programs${missing || (python ? "" : " (skipped: needs /usr/bin/python3 on x64)")}`,
    () => {
      const [user] = users;
      if (!user) throw new Error("no user");
      using world = new World(user);
      world.settle();
      const script =
        "import ctypes; l=ctypes.CDLL(None,use_errno=True); print([(l.syscall(n,0,-3,1,0,0), ctypes.get_errno()) for n in (250,248,249,425,321)])";
      const { stdout } = world.run(`/usr/bin/python3 -c '${script}'`);
      expect(stdout.trim()).toBe("[(-1, 1), (-1, 1), (-1, 1), (-1, 38), (-1, 1)]");
      expect(execFileSync("/usr/bin/python3", ["-c", script], { encoding: "utf8" })).not.toContain("(-1, 38)");
    },
  );
});
