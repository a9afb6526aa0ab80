// Claude Code and Codex in a real session, in the standard sandbox: their start screens are those of the same program bare, row by row. They are fetched by
// `npm run oracle:agents`, and reach no network: the home is empty but for what takes them past the questions of a first start.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { sitDown } from "./human.ts";
import { BIN, hasBubblewrap, makeWorld, ROOT, until, type World } from "./world.ts";

const NOWHERE = "http://127.0.0.1:9";
const modules = join(ROOT, ".cache", "oracle-agents", "node_modules");
const programs = {
  claude: join(modules, "@anthropic-ai", `claude-code-${process.platform}-${process.arch}`, "claude"),
  codex: join(modules, ".bin", "codex"),
};
const START_MS = 20_000;
const ROWS = 30;

function file(world: World, name: string, content: string): void {
  mkdirSync(dirname(join(world.home, name)), { recursive: true });
  writeFileSync(join(world.home, name), content);
}

const agents = {
  claude: {
    env: {
      CLAUDE_CODE_USE_BEDROCK: "1",
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    settle: (world: World) =>
      file(
        world,
        ".claude.json",
        JSON.stringify({ hasCompletedOnboarding: true, theme: "dark", projects: { [world.project]: { hasTrustDialogAccepted: true } } }),
      ),
    shows: "/docs/en/permission-modes",
  },
  codex: {
    env: {},
    settle: (world: World) =>
      file(
        world,
        ".codex/config.toml",
        [
          "check_for_update_on_startup = false",
          'model = "none"',
          'model_provider = "none"',
          "[model_providers.none]",
          'name = "none"',
          `base_url = "${NOWHERE}/v1"`,
          'wire_api = "responses"',
          "[features]",
          "daemon_auto_start = false",
          `[projects."${world.project}"]`,
          'trust_level = "trusted"',
        ].join("\n"),
      ),
    shows: "none default",
  },
} as const;

/** What stands on the screen once the agent is at its start screen and has not changed for a second, without the line that was typed and without the bar. */
async function startScreen(world: World, line: string, agent: keyof typeof agents, rows: number): Promise<string[]> {
  agents[agent].settle(world);
  const env = { ...world.env, ...agents[agent].env, HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE, COLORTERM: "truecolor" };
  await using human = await sitDown(env, world.project, { cols: 100, rows });
  human.type(`clear; ${line}\r`);
  await until(
    async () => (await human.screen()).some((row) => row.includes(agents[agent].shows)),
    START_MS,
    `${agent} to show itself`,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${(await human.screen()).join("\n")}`);
  });
  for (let before = ""; ; ) {
    const now = (await human.screen()).slice(0, ROWS).join("\n");
    if (now === before) break;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return await human.screen();
}

describe.skipIf(!hasBubblewrap || !existsSync(programs.claude))(
  "in the standard sandbox (needs bubblewrap and npm run oracle:agents)",
  () => {
    it.each(["claude", "codex"] as const)(
      "%s shows its start screen as it does bare",
      async (agent) => {
        // A home each: agents remember what they have told.
        await using bareWorld = await makeWorld();
        await using world = await makeWorld();
        const bare = await startScreen(bareWorld, programs[agent], agent, ROWS);
        const inside = await startScreen(world, `${process.execPath} ${BIN} --isolation standard ${programs[agent]}`, agent, ROWS + 1);
        expect(inside.at(-1)).toContain("isolated: standard");
        // What comes below is an invitation that Claude Code shows at some starts.
        const { shows } = agents[agent];
        const own = (rows: readonly string[]): string[] =>
          rows.slice(
            rows.findIndex((row) => /Claude Code|OpenAI Codex/.test(row)),
            rows.findIndex((row) => row.includes(shows)) + 1,
          );
        expect(own(inside)).toEqual(own(bare));
        expect(own(bare).length).toBeGreaterThan(3);
      },
      180_000,
    );
  },
);
