// Claude Code, Codex and Gemini CLI in a real session, in the standard sandbox, beside the same program bare: start screen, another size of the window,
// Ctrl-Z and fg, row by row; and the kill key, which leaves nothing.
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
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

async function see(human: Human, what: string, shown: (screen: readonly string[]) => boolean): Promise<void> {
  await until(async () => shown(await human.screen()), PATIENCE_MS, what).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${(await human.screen()).join("\n")}`);
  });
}

interface Place {
  readonly human: Human;
  /** What starts the agent there. */
  readonly line: string;
  /** Rows of the bar. */
  readonly bar: number;
}

const isThere = (screen: readonly string[], shows: string): boolean => screen.some((row) => row.includes(shows));

async function start({ human, line }: Place, name: AgentName): Promise<void> {
  human.type(`clear; ${line}\r`);
  await see(
    human,
    `${name} to show itself`,
    (screen) => isThere(screen, agentPrograms[name].shows) && screen.some((row) => NAME.test(row)),
  );
}

/** Until it has drawn something for it. */
async function resize({ human, bar }: Place): Promise<void> {
  const before = human.raw().length;
  human.resize(SECOND.cols, SECOND.rows + bar);
  await see(human, "something drawn for the new size", () => human.raw().length > before);
}

async function stopAndBack({ human }: Place, name: AgentName): Promise<void> {
  const { shows } = agentPrograms[name];
  human.type("\x1a");
  if (name === "gemini") {
    await see(human, "its question", (screen) => isThere(screen, "again to suspend"));
    human.type("\x1a");
  }
  // The shell's prompt, with the status of a stop; an agent may leave its rows where it stood.
  await see(human, `${name} to stop`, (screen) => screen.some((row) => /^\d+:148>/.test(row)));
  human.type("clear\r");
  await see(human, "a clear screen", (screen) => /^\d+:0>/.test(screen[0] ?? "") && !isThere(screen, shows));
  // Without the name of the job, which is longer inside.
  human.type("fg >/dev/null\r");
  await see(human, `${name} to come back`, (screen) => isThere(screen, shows));
}

/** Both draw at their own pace: looks until both show the same, twice with a while between, and fails when that takes too long. */
async function agree(bare: Human, inside: Human, rows: number, shows: string, moment: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  const look = async (human: Human): Promise<string[]> => own((await human.screen()).slice(0, rows), shows);
  for (let before = ""; ; ) {
    const [alone, sandboxed] = [await look(bare), await look(inside)];
    const now = alone.join("\n");
    if (now === before && isDeepStrictEqual(alone, sandboxed) && alone.length > 3) return;
    if (performance.now() > end) {
      expect(sandboxed, moment).toEqual(alone);
      expect(alone.length, moment).toBeGreaterThan(3);
      return;
    }
    before = now;
    await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  }
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
      const places: readonly Place[] = [
        { human: bare, line: `seq ${LAUNCH_ROWS}; ${file}`, bar: 0 },
        { human, line: `${process.execPath} ${BIN} --isolation standard ${file}`, bar: 1 },
      ];
      await Promise.all(places.map((place) => start(place, name)));
      await agree(bare, human, FIRST.rows, shows, "start");
      await Promise.all(places.map(resize));
      await agree(bare, human, SECOND.rows, shows, "resized");
      await Promise.all(places.map((place) => stopAndBack(place, name)));
      await agree(bare, human, SECOND.rows, shows, "back");
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
