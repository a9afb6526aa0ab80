// A kill while nobody holds a session: what the daemon that follows ends meanwhile is told, and so is what nobody ends.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { killHere } from "../../src/cli/kill-here.ts";
import { type Paths, resolvePaths } from "../../src/core/paths.ts";

const ONE = "sess_0000000a";
const OTHER = "sess_0000000b";
let home: string;
let paths: Paths;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "kill-"));
  paths = resolvePaths({ AGENT_RUN_HOME: home }, process.getuid?.() ?? 0);
  for (const session of [ONE, OTHER]) mkdirSync(join(paths.runtime, session), { recursive: true, mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it("tells which sessions were ended by the daemon that took over, and which by nobody", async () => {
  const killing = killHere(paths, { session: "all" });
  // As the daemon that follows does it, after the first question.
  setTimeout(() => rmSync(join(paths.runtime, ONE), { recursive: true }), 300);
  expect(await killing).toEqual({ reply: undefined, lost: [ONE], left: [OTHER] });
}, 20_000);

it("looks for nothing but the session that is named", async () => {
  rmSync(join(paths.runtime, ONE), { recursive: true });
  expect(await killHere(paths, { session: ONE })).toEqual({ reply: undefined, lost: [], left: [] });
});
