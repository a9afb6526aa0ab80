// The prompt's functions and `agent-run status` on status files that an agent without a sandbox has written itself.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shellInit, shells } from "../../src/cli/shell/scripts.ts";
import { readStatusFiles } from "../../src/session/status-file.ts";

const packageFolder = join(import.meta.dirname, "..", "..");
const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
let runtime: string;

beforeAll(() => {
  runtime = mkdtempSync(join(tmpdir(), "ar-prompt-"));
  const status = (session: string, line: string): void => {
    mkdirSync(join(runtime, session));
    writeFileSync(join(runtime, session, "status"), line);
  };
  status("sess_00000001", "4000000000 stop cla\u001b]52;c;eA==\u0007ude readonly\n");
  status("sess_00000002", "4000000001 stop claude #(touch$IFS)x\u009b31m\n");
  status("sess_00000003", "4000000002 stop codex deploy\n");
  status("sess_%F{red}$(id)", "4000000003 stop codex deploy\n");
});
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

describe("the segment of the prompt", () => {
  describe.each(shells)("in %s", (shell) => {
    it.skipIf(!has(shell))("shows no session whose names are not plain (needs the shell)", () => {
      const script = `${shellInit(shell, [], runtime, { packageFolder, self: "agent-run" })}\nagent_run_prompt\n`;
      const { stdout } = spawnSync(shell, ["-c", script], {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], NO_COLOR: "1", LANG: "C.UTF-8" },
      });
      expect(stdout).toMatch(/^codex deploy 00000003 \d+h\d\dm $/);
    });
  });
});

it("agent-run status has plain names alone", () => {
  const names = readStatusFiles(runtime).flatMap(({ actor, profile }) => [actor, profile]);
  expect(names).toHaveLength(6);
  for (const name of names) expect(name).toMatch(/^[\w.-]+$/);
});
