// Claude Code, Codex and Gemini CLI in a real session, in the standard sandbox, beside the same program bare: start screen, another size of the window,
// Ctrl-Z and fg, row by row; and the kill key, which leaves nothing.
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { type AgentName, agentPrograms, isFetched, settle } from "../oracle/agent-programs.ts";
import { type Human, sitDown } from "./human.ts";
import { BIN, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const PATIENCE_MS = 30_000;
/** The agent's rows: inside, the terminal has one more. */
const FIRST = { cols: 100, rows: 30 };
const SECOND = { cols: 80, rows: 22 };
const STILL_MS = 800;
/** What a launch writes first; the agent begins below it, and where it begins matters to one that draws from its cursor. */
const LAUNCH_ROWS = 5;
/** The agent's name, which stands on its start screen; under load some draw it long after the place to type in. */
const NAME = /Claude Code v|OpenAI Codex|Gemini CLI v/;

/** The screen once it has not changed for a while, without the row of the bar. */
async function still(human: Human, rows: number): Promise<string[]> {
  for (let before = ""; ; ) {
    const now = (await human.screen()).slice(0, rows);
    if (now.join("\n") === before) return now;
    before = now.join("\n");
    await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  }
}

async function see(human: Human, what: string, shown: (screen: readonly string[]) => boolean): Promise<void> {
  await until(async () => shown(await human.screen()), PATIENCE_MS, what).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${(await human.screen()).join("\n")}`);
  });
}

interface Seen {
  readonly start: string[];
  readonly resized: string[];
  readonly back: string[];
}

/** Goes through all of it with one agent, up to `fg`, and leaves it running. */
async function watch(human: Human, line: string, name: AgentName, bar: number): Promise<Seen> {
  const { shows } = agentPrograms[name];
  const isThere = (screen: readonly string[]): boolean => screen.some((row) => row.includes(shows));
  human.type(`clear; ${line}\r`);
  await see(human, `${name} to show itself`, (screen) => isThere(screen) && screen.some((row) => NAME.test(row)));
  const start = await still(human, FIRST.rows);
  human.resize(SECOND.cols, SECOND.rows + bar);
  const resized = await still(human, SECOND.rows);
  human.type("\x1a");
  if (name === "gemini") {
    await see(human, "its question", (screen) => screen.some((row) => row.includes("again to suspend")));
    human.type("\x1a");
  }
  // The shell's prompt, with the status of a stop; an agent may leave its rows where it stood.
  await see(human, `${name} to stop`, (screen) => screen.some((row) => /^\d+:148>/.test(row)));
  human.type("clear\r");
  await see(human, "a clear screen", (screen) => /^\d+:0>/.test(screen[0] ?? "") && !isThere(screen));
  // Without the name of the job, which is longer inside.
  human.type("fg >/dev/null\r");
  await see(human, `${name} to come back`, isThere);
  return { start, resized, back: await still(human, SECOND.rows) };
}

/** From the agent's name on, where it stands there: what is above is the launch. An agent that comes back does not write its name again. */
function own(rows: readonly string[], shows: string): string[] {
  const from = Math.max(
    0,
    rows.findIndex((row) => NAME.test(row)),
  );
  return rows.slice(from, rows.findLastIndex((row) => row.includes(shows)) + 1);
}

describe.skipIf(!hasBubblewrap || !isFetched("claude"))("in the standard sandbox (needs bubblewrap and npm run oracle:agents)", () => {
  it.each(["claude", "codex", "gemini"] as const)(
    "%s is what it is bare: at its start, in another window, stopped and back with fg; and ended by the kill key",
    async (name) => {
      // A home each: agents remember what they have told.
      await using bareWorld = await makeWorld();
      await using world = await makeWorld();
      const environment = ({ env, home, project }: World): Record<string, string> => ({ ...env, ...settle(name, home, project) });
      const { file, shows } = agentPrograms[name];
      await using bare = await sitDown(environment(bareWorld), bareWorld.project, FIRST);
      await using human = await sitDown(environment(world), world.project, { ...FIRST, rows: FIRST.rows + 1 });
      const [alone, inside] = await Promise.all([
        watch(bare, `seq ${LAUNCH_ROWS}; ${file}`, name, 0),
        watch(human, `${process.execPath} ${BIN} --isolation standard ${file}`, name, 1),
      ]);
      for (const moment of ["start", "resized", "back"] as const) {
        expect(own(inside[moment], shows), moment).toEqual(own(alone[moment], shows));
        expect(own(alone[moment], shows).length, moment).toBeGreaterThan(3);
      }
      expect((await human.screen()).at(-1)).toContain("standard");
      human.type("\x0b");
      await see(human, "the question", (screen) => screen.some((row) => row.includes(`End ${basename(file)}?`)));
      await new Promise((resolve) => setTimeout(resolve, 700));
      human.type("\x0b");
      await see(human, "the shell's prompt after the kill", (screen) => screen.some((row) => /^\d+:137>/.test(row)));
      expect(human.holders()).toEqual([]);
      bare.hangUp();
    },
    180_000,
  );
});
