// The program that joins a fresh session keyring: run by this machine and by an emulator of the other, and what keys of the human's are left behind it.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEYRING_REFUSED, sessionKeyringFile } from "../../src/isolation/own-programs.ts";
import { sessionKeyringProgram } from "../../src/isolation/session-keyring.ts";
import { has, ROOT, run } from "./own-program.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const OWN = sessionKeyringFile(ROOT, process.arch) ?? "";

describe("the program for the session keyring", () => {
  it.each(["x64", "arm64"] as const)("is built for %s as it is made here, and may be run", (arch) => {
    const file = sessionKeyringFile(ROOT, arch) ?? "";
    expect(readFileSync(file).equals(sessionKeyringProgram(arch))).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o755);
    expect(statSync(file).size).toBeLessThan(500);
  });

  it("is for no other machine", () => expect(sessionKeyringFile(ROOT, "riscv64")).toBeUndefined());

  it("becomes its arguments, with their environment, descriptors and exit status", () => {
    const script = 'printf "%s|" "$0" "$@" "$MARK" $# ; read line <&7; echo $line; exit 7';
    const made = run(["/bin/sh", "-c", 'echo through >"$1"; exec "$2" /bin/sh -c "$0" a "" "b c" 7<"$1"', script, temp("seven"), OWN], {
      MARK: "kept",
    });
    expect(made).toEqual({ status: 7, stdout: "a||b c|kept|2|through\n", stderr: "" });
  });

  it("ends with 125 and says why when there is nothing to become", () => {
    const why = "agent-run: error: bubblewrap cannot be started: execve ended with errno ";
    expect(run([OWN, "/there/is/none"])).toEqual({ status: 125, stdout: "", stderr: `${why}002\n` });
    expect(run([OWN])).toEqual({ status: 125, stdout: "", stderr: `${why}014\n` });
  });
});

const folder = mkdtempSync(join(tmpdir(), "session-keyring-"));
const temp = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const emulator = has("qemu-aarch64");
describe.skipIf(!emulator)(
  `its other half, in an emulator${emulator ? "" : " (skipped: needs qemu-aarch64, apt-get install qemu-user)"}`,
  () => {
    const program = temp("arm64");
    beforeAll(() => writeFileSync(program, sessionKeyringProgram("arm64"), { mode: 0o755 }));

    it("asks for a session keyring without a name, and goes no further when there is none", () => {
      // The emulator has no keyrings: it prints each call, and answers ENOSYS.
      const { status, stdout, stderr } = run(["qemu-aarch64", "-strace", program, "/bin/echo", "started"]);
      expect(status).toBe(125);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/ keyctl\(1,0,/);
      expect(stderr).toContain(`${KEYRING_REFUSED}038\n`.slice(-4));
      expect(run(["qemu-aarch64", program, "/bin/echo", "started"]).stderr).toBe(`${KEYRING_REFUSED}038\n`);
    });

    it("becomes its arguments when the call succeeds", () => {
      // In place of keyctl the first instruction names getpid, which succeeds: asm-generic/unistd.h, 172.
      const changed = Buffer.from(sessionKeyringProgram("arm64"));
      changed.writeUInt32LE((0xd280_0000 | (172 << 5) | 8) >>> 0, 120);
      const other = temp("arm64-getpid");
      writeFileSync(other, changed, { mode: 0o755 });
      const made = run(["qemu-aarch64", other, "/bin/sh", "-c", 'printf "%s|" "$0" "$@" "$MARK"; exit 7', "a", "", "b c"], {
        MARK: "kept",
      });
      expect(made).toEqual({ status: 7, stdout: "a||b c|kept|", stderr: "" });
      const failed = "agent-run: error: bubblewrap cannot be started: execve ended with errno 002\n";
      expect(run(["qemu-aarch64", other, "/there/is/none"])).toEqual({ status: 125, stdout: "", stderr: failed });
    });
  },
);

const keyctl = has("keyctl");
const needs = missing || (keyctl ? "" : " (skipped: needs keyctl, apt-get install keyutils)");

describe.skipIf(!hasBubblewrap || !keyctl).each(users)(`the session keyring of $name${needs}`, (user) => {
  const secret = `canary-${randomBytes(8).toString("hex")}`;
  /** Runs `argv` in a session keyring with two keys in it; the second can be seen by who possesses it only. Prints the keyring's id first. */
  const holding = (argv: readonly string[]): string => {
    const script = `keyctl add user listed "$SECRET" @s >&2; key=$(keyctl add user possessed "$SECRET" @s); keyctl setperm $key 0x3f000000
echo "outside $(keyctl id @s)"; exec "$@"`;
    const all = [...user.prefix, "keyctl", "session", "human", "/bin/sh", "-c", script, "sh", ...argv];
    const { stdout, stderr } = run(all, { SECRET: secret });
    return stdout + stderr;
  };
  const idOf = (where: string, text: string): string => new RegExp(`^${where} (\\d+)$`, "m").exec(text)?.[1] ?? `no id: ${text}`;
  /** All ways to a key for a program that no filter hinders: by search, by id, and as the kernel looks for one itself. */
  const USE = `echo "inside $(keyctl id @s)"; for key in listed possessed; do keyctl print $(keyctl request user $key) 2>&1; keyctl search @s user $key 2>&1; grep -o "user *$key:" /proc/keys; done; true`;
  const program = spawnSync("sh", ["-c", "command -v bwrap"], { encoding: "utf8" }).stdout.trim();
  const bwrap = [program, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];

  it("goes into a sandbox by itself, and every key of it can be used there", () => {
    const said = holding([...bwrap, "/bin/sh", "-c", USE]);
    expect(said.split(secret)).toHaveLength(3);
    expect(said).toMatch(/user *possessed:/);
    expect(idOf("inside", said)).toBe(idOf("outside", said));
  });

  it("is left behind by the program, without any filter of system calls: no key is possessed, found or read", () => {
    const said = holding([OWN, ...bwrap, "/bin/sh", "-c", USE]);
    expect(said).not.toContain(secret);
    expect(said).not.toMatch(/user *possessed:/);
    expect(said.match(/Required key not available/g)?.length).toBeGreaterThanOrEqual(4);
    expect(idOf("inside", said)).not.toBe(idOf("outside", said));
  });

  const inside = (more: Partial<IsolatedRun>): string => {
    using world = new World(user);
    world.settle();
    return holding(world.argv(["/bin/sh", "-c", "cat /proc/keys"], more).slice(user.prefix.length));
  };
  it.each(["standard", "strict"] as const)("of a run at %s is a fresh one, unless the human's was asked for", (level) => {
    // At strict the list is covered where no sandbox may start inside.
    const fresh = inside({ level, nested: true });
    expect(fresh).toMatch(/user *listed:/);
    expect(fresh).not.toMatch(/user *possessed:/);
    expect(inside({ level, nested: true, allow: ["session-keyring"] })).toMatch(/user *possessed:/);
  });

  it("that can not be left is kept by nobody who did not ask for it: the run is refused", () => {
    using world = new World(user);
    world.settle();
    const probe = (keyring: string) =>
      `node -e 'import("${ROOT}/src/isolation/probe.ts").then(({probeIsolation})=>probeIsolation("standard",{platform:"linux",path:process.env.PATH,keyring:${keyring}})).then((probe)=>console.log(probe.ok||probe.hint))'`;
    // In a sandbox of ours keyctl is refused, and the keyring in it can be seen.
    const asked = probe(`"${OWN}"`);
    for (const hide of [[], ["/proc/keys"]])
      expect(world.run(asked, { hide }).stdout).toMatch(/keep the keyring by saying so: isolation\.allow = \["session-keyring"\]\n$/);
    // The kernel lets a root without privileges make no sandbox there at all.
    if (user.uid !== 0) expect(world.run(probe("undefined")).stdout).toBe("true\n");
  });
});
