// Claude Code, Codex and Gemini CLI at their start screens, against the oracle.
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { node } from "../terminal/outer.ts";
import { type AgentName, agentPrograms, isFetched, settle } from "./agent-programs.ts";
import { openStage, type Stage } from "./program.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** Its start screen, what is typed, and its shortcuts. */
async function compare(name: AgentName, typed: string, shortcuts: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { file, shows } = agentPrograms[name];
  const home = join(stage.folder, name);
  const project = join(home, "project");
  const settings = settle(name, home, project);
  await stage.compare(
    `cd ${project}; ${file}`,
    // An agent that has not taken in yet that its line is empty takes the question mark for a text.
    [
      { type: "", shows },
      { type: "hello", shows: typed },
      { type: "\x15", hides: "hello" },
      { type: "?", shows: shortcuts },
    ],
    // The ones from npm begin with `#!/usr/bin/env node`.
    { HOME: home, PATH: `${dirname(node)}${delimiter}${process.env["PATH"]}`, ...settings, ...env },
  );
}

describe("coding agents look as they do alone", () => {
  it.skipIf(!isFetched("claude"))(
    "Claude Code (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => compare("claude", "hello", "for commands", { AWS_REGION: "us-east-1" }),
    240_000,
  );

  it.skipIf(!isFetched("codex"))(
    "Codex (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => compare("codex", "› hello", "Keyboard shortcuts"),
    240_000,
  );

  it.skipIf(!isFetched("gemini"))(
    "Gemini CLI (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => compare("gemini", "hello", "Shortcuts"),
    240_000,
  );
});
