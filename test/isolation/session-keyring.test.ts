// The session keyring: what keys of the human's are left behind by the program before bwrap.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mountsOf } from "../../src/isolation/mounts.ts";
import { preludeFile } from "../../src/isolation/own-programs.ts";
import { preludeCalls } from "../../src/isolation/prelude-calls.ts";
import { has, ROOT, run, withCalls } from "./own-program.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const folder = mkdtempSync(join(tmpdir(), "session-keyring-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const LEAVING = { keyring: true, root: undefined, uid: 0, gid: 0 };
/** The program before bwrap, which leaves the keyring and becomes what follows. */
const LEAVES = [
  "/bin/sh",
  ...withCalls(join(folder, "calls"), [preludeFile(ROOT, process.arch) ?? ""], preludeCalls(mountsOf([], ""), LEAVING, false)),
];

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
    const said = holding([...LEAVES, ...bwrap, "/bin/sh", "-c", USE]);
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
    const probe = (keyring: boolean) =>
      `node -e 'import("${ROOT}/src/isolation/probe.ts").then(({probeIsolation})=>probeIsolation("standard",{platform:"linux",path:process.env.PATH,prelude:"${preludeFile(ROOT, process.arch)}",keyring:${keyring}})).then((probe)=>console.log(probe.ok||probe.hint))'`;
    // In a sandbox of ours keyctl is refused, and the keyring in it can be seen.
    const asked = probe(true);
    for (const hide of [[], ["/proc/keys"]])
      expect(world.run(asked, { hide }).stdout).toMatch(/keep the keyring by saying so: isolation\.allow = \["session-keyring"\]\n$/);
    // The kernel lets a root without privileges make no sandbox there at all.
    if (user.uid !== 0) expect(world.run(probe(false)).stdout).toBe("true\n");
  });
});
