// Stand-ins when the run is over: what is in their place by then may be another's doing, and must hold up nobody.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thisMachine } from "../../src/core/machine.ts";
import { removeStandIns } from "../../src/isolation/stand-ins.ts";

describe("stand-ins that are no longer needed", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "stand-ins-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const listFile = (): string => join(root, "state", `stand-ins.${thisMachine().id}`);

  it("stay on a file system that machines share, where another one's sandbox may have covered them", () => {
    const [shared, own] = ["shared", "own"].map((name) => join(root, name, "hooks"));
    for (const path of [shared ?? "", own ?? ""]) mkdirSync(path, { recursive: true });
    mkdirSync(join(root, "state"));
    writeFileSync(listFile(), [shared, own].map((path) => `${JSON.stringify({ path })}\n`).join(""));
    const isShared = (folder: string): boolean => folder === join(root, "shared");
    expect(removeStandIns(join(root, "state"), join(root, "runtime/sess_00000000"), isShared)).toEqual([]);
    expect(["shared", "own"].map((name) => readdirSync(join(root, name)))).toEqual([["hooks"], []]);
  });

  it("are removed where they are as they were made, whatever stands in the place of others", () => {
    const at = (name: string): string => join(root, "project", name);
    mkdirSync(at("folder"), { recursive: true });
    mkdirSync(at("filled"));
    writeFileSync(at("filled/x"), "");
    const text = { same: ".\n", longer: ".\nx", changed: "x\n" };
    for (const [name, content] of Object.entries(text)) writeFileSync(at(name), content);
    execFileSync("mkfifo", [at("pipe")]);
    symlinkSync("/dev/zero", at("endless"));
    writeFileSync(at("huge"), ".\n");
    truncateSync(at("huge"), 3_000_000_000);
    const files = [...Object.keys(text), "pipe", "endless", "huge", "gone"].map((name) => ({ path: at(name), file: ".\n" }));
    const notes = [{ path: at("folder") }, { path: at("filled") }, ...files].map((each) => `${JSON.stringify(each)}\n`);
    mkdirSync(join(root, "state"));
    writeFileSync(listFile(), notes.join(""));
    expect(removeStandIns(join(root, "state"), join(root, "runtime/sess_00000000")).sort()).toEqual(
      ["endless", "pipe"].map((name) => `${at(name)} was left behind: it cannot be read any more`),
    );
    expect(readdirSync(join(root, "project")).sort()).toEqual(["changed", "endless", "filled", "huge", "longer", "pipe"]);
    expect(readdirSync(join(root, "state"))).toEqual([]);
  });
});
