// The agent's own cgroup: when one is made, where, and that nothing of it stays. What it is for is shown by the red team (cgroups-mounted).
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCgroup, removeCgroup, steeredCgroup } from "../../src/isolation/own-cgroup.ts";
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
    const own = makeCgroup(found, "sess_00000000");
    expect(own).toBe(join(scope(), "agent-run-sess_00000000"));
    // A second command of the same run.
    expect(makeCgroup(found, "sess_00000000")).toBe(own);
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
    expect(() => makeCgroup(found, "sess_00000000")).toThrow(expect.objectContaining({ code: "isolation" }));
  });
});
