// What doctor reads of a project is as an agent may have left it: it holds up nothing, and is found beside what cannot be read.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Context } from "../../src/cli/command.ts";
import { agentChecks } from "../../src/cli/doctor/agent.ts";
import type { Profile } from "../../src/session/profile.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "doctor-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("doctor reads what a project puts in the place of the session's credentials, beside pipes, endless files and texts that are long to take apart", () => {
  const project = join(root, "project");
  for (const folder of [".claude", ".gemini"]) mkdirSync(join(project, folder), { recursive: true });
  execFileSync("mkfifo", [join(project, ".mcp.json"), join(project, ".claude/settings.json")]);
  symlinkSync("/dev/zero", join(project, ".claude/settings.local.json"));
  writeFileSync(join(project, ".env"), `${"\n".repeat(500_000)}AWS_PROFILE=prod\n`);
  writeFileSync(join(project, ".gemini/.env"), `export${" ".repeat(500_000)}\n export AWS_ROLE_ARN =x\n`);
  const context = { env: { HOME: join(root, "home") }, cwd: project } as unknown as Context;
  expect(agentChecks(context, {} as Profile).map(({ text }) => text)).toEqual([
    expect.stringContaining(`${project}/.env sets AWS_PROFILE`),
    expect.stringContaining(`${project}/.gemini/.env sets AWS_ROLE_ARN`),
  ]);
});
