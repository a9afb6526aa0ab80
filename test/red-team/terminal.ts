// A human who watches the screen and presses keys: whether the bar stays, the kill key works, and the terminal is left as it was. Used by range.ts.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { IsolationLevel } from "../../src/control/protocol.ts";
import { PASTE_WAIT_MS } from "../../src/terminal/key-tap.ts";
import { type Human, sitDown } from "../end-to-end/human.ts";
import { until } from "../end-to-end/world.ts";
import type { Seen } from "./attempt.ts";
import { type TerminalAttempt, terminal } from "./attempts/terminal.ts";
import type { Machine } from "./machine.ts";

const KILL = "\x0b";
/** A paste that never ends: what is typed right after counts as pasted. */
const PASTE_BEGINS = "\x1b[200~";
/** An answer that comes at once is no answer to the question. */
const READ_MS = 650;
const END_MS = 20_000;
const MOST_PRESSES = 3;
/** As over a line to another machine. */
const LATENCY_MS = 150;
/** It comes at once, on a machine that is busy later; until then keys go nowhere. */
const SUSPENDED_MS = 12_000;

/** @param only ids; all when empty */
export async function atTheTerminal(human: Human, machine: Machine, level: IsolationLevel, only: readonly string[]): Promise<Seen[]> {
  const chosen = terminal.filter(({ id }) => only.length === 0 || only.includes(id));
  const seen: Seen[] = [];
  const painters = chosen.filter(({ watch }) => watch === "bar");
  if (painters.length > 0) seen.push(...(await watchBar(human, machine, level, painters)));
  for (const attempt of chosen.filter(({ watch }) => watch === "keys")) seen.push(await typeMeanwhile(human, machine, level, attempt));
  for (const attempt of chosen.filter(({ watch }) => watch === "output")) seen.push(await watchOutput(human, machine, level, attempt));
  for (const { id, program } of chosen.filter(({ watch }) => watch === "answer"))
    seen.push({ id, output: await lateAnswer(machine, level, id, program), marked: false });
  for (const attempt of chosen.filter(({ watch }) => watch === "kill")) {
    seen.push(await pressKill(human, machine, level, attempt));
    if (attempt.id !== "kill-key-taken") continue;
    for (const { id } of chosen.filter(({ watch }) => watch === "modes")) seen.push({ id, output: await modesLeft(human), marked: false });
  }
  return seen;
}

const lastRow = async (human: Human): Promise<string> => (await human.screen()).at(-1) ?? "";

/** One session for all of them. Each is shown bare first, which must spoil the last row: else it would show nothing. */
async function watchBar(human: Human, machine: Machine, level: IsolationLevel, attempts: readonly TerminalAttempt[]): Promise<Seen[]> {
  const file = (id: string, what: string): string => join(machine.project, `${what}-${id}`);
  const script = join(machine.project, "painter.sh");
  const calm = "printf '\\033[!p\\033[?6l\\033[r\\033[?3l\\033[?1049l\\033[2J\\033[H'";
  const steps = attempts.map(
    ({ id, program }) => `${program}\n: > shown-${id}\nuntil test -e seen-${id}; do sleep 0.02; done\nstty rows 29 cols 100; ${calm}\n`,
  );
  writeFileSync(script, steps.join(""));
  const outputs = new Map<string, string[]>(attempts.map(({ id }) => [id, []]));
  for (const [run, command] of [
    ["bare", "sh painter.sh"],
    ["inside", `agent-run --isolation ${level} sh painter.sh`],
  ] as const) {
    for (const { id } of attempts) for (const what of ["shown", "seen"]) rmSync(file(id, what), { force: true });
    const before = (await human.prompt())?.number ?? 0;
    human.type(`printf '\\033[30;1HSHELL\\033[1;1H'; ${command}\r`);
    for (const { id } of attempts) {
      await until(() => existsSync(file(id, "shown")), END_MS, `${id} to be painted, ${run}`);
      await wait(150);
      const row = await lastRow(human);
      if (run === "bare")
        outputs.get(id)?.push(row.includes("SHELL") ? `the last row stays bare too: ${row}` : "CONTROL: bare, the last row is lost");
      else outputs.get(id)?.push(row.includes("ctrl-k") && row.includes("demo") ? `the bar: ${row}` : `REACHED: the last row is '${row}'`);
      writeFileSync(file(id, "seen"), "");
    }
    await until(async () => ((await human.prompt())?.number ?? 0) > before, END_MS, `the painter's end, ${run}`);
    human.resize(100, 30);
  }
  return attempts.map(({ id }) => ({ id, output: (outputs.get(id) ?? []).join("\n"), marked: false }));
}

/** Bare first: it must send what is looked for. */
async function watchOutput(human: Human, machine: Machine, level: IsolationLevel, { id, program, sends }: TerminalAttempt): Promise<Seen> {
  writeFileSync(join(machine.project, "sends.sh"), program);
  const sent = async (command: string): Promise<boolean> => {
    const from = human.raw().length;
    await human.run(command);
    return sends?.test(human.raw().slice(from)) ?? false;
  };
  const bare = await sent("sh sends.sh");
  const inside = await sent(`agent-run --isolation ${level} sh sends.sh`);
  return {
    id,
    output: `${bare ? "CONTROL: bare it is sent" : "bare it is not sent either"}\n${inside ? "REACHED" : "not sent"}`,
    marked: false,
  };
}

/** A terminal that reports its title, as old ones do, with a command in it. */
async function lateAnswer(machine: Machine, level: IsolationLevel, id: string, program: string): Promise<string> {
  const mark = join(machine.marks, id);
  const reply = (output: string): string => (output.includes("\x1b[21t") ? `\x1b]l;touch ${mark};: \r\x1b\\` : "");
  await using slow = await sitDown(machine.env, machine.project, { cols: 100, rows: 30 }, { reply, latencyMs: LATENCY_MS });
  writeFileSync(join(machine.project, "asks.sh"), program);
  const typed = async (command: string): Promise<boolean> => {
    const from = slow.raw().length;
    slow.type(`${command}\r`);
    await until(() => slow.raw().slice(from).includes("\x1b]2;x"), END_MS, "the question");
    const ran = await comes(() => existsSync(mark), LATENCY_MS * 10);
    rmSync(mark, { force: true });
    return ran;
  };
  const bare = await typed("sh asks.sh");
  const inside = await typed(`clear; agent-run --isolation ${level} sh asks.sh`);
  return `${bare ? "CONTROL: bare it is typed" : "bare it is not typed either"}\n${inside ? "REACHED" : "not typed"}`;
}

async function pressKill(human: Human, machine: Machine, level: IsolationLevel, { id, program }: TerminalAttempt): Promise<Seen> {
  writeFileSync(join(machine.project, "stays.sh"), program);
  const before = (await human.prompt())?.number ?? 0;
  const from = human.raw().length;
  const isBack = async (): Promise<boolean> => ((await human.prompt())?.number ?? 0) > before;
  human.type(`agent-run --isolation ${level} sh stays.sh\r`);
  if (!(await comes(() => /it-runs|no question here/.test(human.raw().slice(from)), END_MS)))
    return { id, output: `it did not run: ${(await human.screen()).join("\n")}`, marked: false, cutOff: true };
  const suspended = id === "kill-key-stopped" && (await comes(isBack, SUSPENDED_MS));
  if (suspended) {
    // As bare, the human is back at the shell; the kill comes from there.
    // Ctrl-U takes away what the terminal may have answered meanwhile.
    await wait(READ_MS);
    await human.run("\x15true");
    const status = await human.run("agent-run kill --all");
    const left = await human.run("pgrep -f '^sh stays[.]sh'");
    return {
      id,
      output: `CONTROL: it ran\n${status === 0 && left === 1 ? "killed" : `REACHED: status ${status}, processes left: ${left === 0}`}`,
      marked: false,
    };
  }
  await wait(500);
  if (id === "kill-key-taken") {
    human.type(`${PASTE_BEGINS}pasted`);
    await wait(PASTE_WAIT_MS + 300);
  }
  human.type(KILL);
  await until(() => human.raw().slice(from).includes("End agent?"), END_MS, `the question, ${id}`).catch(() => {});
  // On a machine that is busy the question may stand later than it is painted: whoever sees that nothing happens presses again.
  let ended = false;
  for (let presses = 0; !ended && presses < MOST_PRESSES; presses += 1) {
    await wait(READ_MS);
    human.type(KILL);
    ended = await comes(isBack, END_MS / MOST_PRESSES);
  }
  const status = (await human.prompt())?.status;
  const left = ended ? await human.run("pgrep -f '^sh stays[.]sh'") : 0;
  return {
    id,
    output: `CONTROL: it ran\n${ended && status === 137 && left === 1 ? "killed" : `REACHED: status ${status}, processes left: ${left === 0}`}`,
    marked: false,
  };
}

/** What is typed to a shell that waits for a pipeline, or goes on beside it. */
async function typeMeanwhile(
  human: Human,
  machine: Machine,
  level: IsolationLevel,
  { id, program, start = "" }: TerminalAttempt,
): Promise<Seen> {
  const file = (name: string): string => join(machine.project, name);
  for (const name of ["taken", "taking", "tried"]) rmSync(file(name), { force: true });
  writeFileSync(file("keys.sh"), program);
  const isBackground = start.endsWith("&");
  human.type(`agent-run --isolation ${level} ${start}\r`);
  if (!(await comes(() => existsSync(file("taking")), END_MS)))
    return { id, output: `it did not run: ${(await human.screen()).join("\n")}`, marked: false, cutOff: true };
  const reached: string[] = [];
  // Beside a shell that reads too it is a matter of chance who gets a key.
  if (!isBackground) human.type("typed!\r");
  await until(() => existsSync(file("tried")), END_MS, `${id} to have tried`);
  if (isBackground) {
    await human.run("stty -a > modes");
    if (/ -echo /.test(readFileSync(file("modes"), "latin1"))) reached.push("REACHED: the terminal's modes");
    await human.run("wait");
  } else if (readFileSync(file("taken"), "latin1").includes("typed!")) reached.push("REACHED: what was typed");
  await until(async () => (await human.prompt()) !== undefined, END_MS, `the end of ${id}`);
  await wait(READ_MS);
  await human.run("\x15stty echo");
  return { id, output: ["it ran", ...reached].join("\n"), marked: false };
}

const comes = (condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> =>
  until(condition, ms, "it").then(
    () => true,
    () => false,
  );

async function modesLeft(human: Human): Promise<string> {
  const modes = await human.modes();
  const left = Object.entries(modes).filter(([, on]) => on !== false && on !== "none");
  const raw = human.raw();
  const pushed = raw.lastIndexOf("\x1b[>31u");
  const popped = ["\x1b[<u", "\x1b[<1u", "\x1b[=0u", "\x1b[=0;1u"].some((text) => raw.indexOf(text, pushed) > pushed);
  const lines = left.map(([name, value]) => `REACHED: ${name} is ${value}`);
  if (pushed >= 0 && !popped) lines.push("REACHED: the kitty keyboard protocol is still on");
  return [pushed >= 0 ? "CONTROL: they were on" : "they never were on", ...lines].join("\n");
}
