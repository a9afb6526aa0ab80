// The agent's own cgroup: when one is made, where, and that nothing of it stays. What it is for is shown by the red team (cgroups-mounted).
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCgroup, removeCgroup, removeLeftCgroup, steeredCgroup } from "../../src/isolation/own-cgroup.ts";
import { unprivileged } from "./unprivileged.ts";

describe("the cgroup of an agent", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cgroup-"));
    mkdirSync(join(root, "user.slice/app.scope"), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const TEXT = "12:pids:/elsewhere\n0::/user.slice/app.scope\n";
  const scope = (): string => join(root, "user.slice/app.scope");
  const files = (mode: number): void => {
    for (const name of ["cgroup.freeze", "cgroup.procs"]) writeFileSync(join(scope(), name), "", { mode });
  };

  it("is made below the launcher's where that is the human's, and is gone at the end with all that the agent made in it", () => {
    files(0o644);
    const found = steeredCgroup(TEXT, [join(root, "not-there"), root]);
    expect(found).toEqual({ folder: scope(), isOpen: true });
    if (found === undefined) return;
    const own = makeCgroup(found, "sess_00000000", root);
    expect(own).toBe(join(scope(), "agent-run-sess_00000000"));
    // A second command of the same run.
    expect(makeCgroup(found, "sess_00000000", root)).toBe(own);
    mkdirSync(join(own, "a/b"), { recursive: true });
    expect(removeCgroup(found, "sess_00000000")).toEqual([]);
    expect(existsSync(own)).toBe(false);
    expect(removeCgroup(found, "sess_00000000")).toEqual([]);
  });

  it("is not needed at the root of all cgroups, outside of what can be seen, and where another user's is", () => {
    expect(steeredCgroup(TEXT, [root])).toBeUndefined();
    expect(steeredCgroup("0::/\n", [root])).toBeUndefined();
    expect(steeredCgroup("0::/../user.slice/app.scope\n", [root])).toBeUndefined();
    expect(steeredCgroup("4:memory:/x\n", [root])).toBeUndefined();
    expect(steeredCgroup("", [root])).toBeUndefined();
    files(0o644);
    // In a folder that is closed, and then in one that is open: the files are this user's, whom `unprivileged` is not.
    if (process.getuid?.() === 0) {
      unprivileged(() => expect(steeredCgroup(TEXT, [root])).toBeUndefined());
      chmodSync(root, 0o755);
    }
  });

  it("that cannot be made where the human's is one to steer is told, and does not start without", () => {
    const found = { folder: join(root, "gone"), isOpen: true };
    expect(() => makeCgroup(found, "sess_00000000", root)).toThrow(expect.objectContaining({ code: "isolation" }));
  });

  it("of a launcher that is gone is found by what that noted, and nothing else is taken for it", async () => {
    files(0o644);
    const found = { folder: scope(), isOpen: true };
    const own = makeCgroup(found, "sess_00000000", root);
    mkdirSync(join(own, "made-inside"));
    const note = join(root, "cgroup");
    // Another session's, one outside of the cgroups, one that leads out of them.
    expect(await removeLeftCgroup(root, "sess_11111111", [root])).toEqual([]);
    expect(await removeLeftCgroup(root, "sess_00000000", [join(root, "elsewhere")])).toEqual([]);
    writeFileSync(note, `${root}/user.slice/../user.slice/app.scope/agent-run-sess_00000000`);
    expect(await removeLeftCgroup(root, "sess_00000000", [root])).toEqual([]);
    expect(existsSync(own)).toBe(true);
    writeFileSync(note, own);
    expect(await removeLeftCgroup(root, "sess_00000000", [root])).toEqual([]);
    expect(existsSync(own)).toBe(false);
    // Removed already, and where there was none.
    expect(await removeLeftCgroup(root, "sess_00000000", [root])).toEqual([]);
    rmSync(note);
    expect(await removeLeftCgroup(root, "sess_00000000", [root])).toEqual([]);
  });
});
