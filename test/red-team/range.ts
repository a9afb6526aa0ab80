// The red team at work: a human at a terminal, real sessions, and what they printed and left. Started by range.sh, inside its
// namespaces, for one level. Prints a LevelResult as JSON.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IsolationLevel } from "../../src/control/protocol.ts";
import { type Human, sitDown } from "../end-to-end/human.ts";
import { until } from "../end-to-end/world.ts";
import { type Attempt, expected, judge, type Seen, type Verdict } from "./attempt.ts";
import { attempts } from "./attempts.ts";
import { type Machine, makeMachine } from "./machine.ts";
import { atTheTerminal } from "./terminal.ts";

export interface LevelResult {
  readonly level: IsolationLevel;
  /** Why the level does not exist here: then nothing was tried. */
  readonly refused?: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** What `agent-run audit --verify` said at the end. */
  readonly audit: string;
  readonly ms: number;
}

const BATCH_MS = 90_000;
const LINE_MS = 15_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function runLevel(level: IsolationLevel, only: readonly string[]): Promise<LevelResult> {
  const begun = performance.now();
  await using machine = await makeMachine();
  const size = { cols: 100, rows: 30 };
  await using human = await sitDown(machine.env, machine.project, size);
  await using other = await sitDown(machine.env, machine.home, size);
  const terminals = { RT_TTY: await ttyOf(human), RT_OTHER_TTY: await ttyOf(other) };
  const refusal = await refusalOf(machine, level);
  if (refusal !== undefined) return { level, refused: refusal, verdicts: {}, audit: "", ms: performance.now() - begun };
  const chosen = attempts.filter((each) => (only.length === 0 || only.includes(each.id)) && expected(each, level) !== "untried");
  const seen = new Map<string, Seen>();
  const session = async (batch: readonly Attempt[], name: string): Promise<void> => {
    if (batch.length === 0) return;
    const [list, results] = [join(machine.project, `${name}.json`), join(machine.project, `${name}.ndjson`)];
    writeFileSync(
      list,
      JSON.stringify({
        facts: { ...machine.facts, ...terminals },
        attempts: batch.map(({ id, with: language = "sh", program }) => ({ id, language, program })),
      }),
    );
    writeFileSync(results, "");
    const before = (await human.prompt())?.number ?? 0;
    // A descriptor that the human's shell has open is one that the launcher inherits.
    human.type(`exec 7<~/.netrc; agent-run --isolation ${level} claude inside.mjs ${name}.json ${name}.ndjson\r`);
    const isOver = async (): Promise<boolean> => ((await human.prompt())?.number ?? 0) > before;
    if (name === "many") {
      await until(async () => readFileSync(results, "utf8") !== "" || (await isOver()), BATCH_MS, "the first result");
      await machine.openLateSocket();
    }
    const over = until(isOver, BATCH_MS, `the end of the session ${name}`);
    const during = await whileItRuns(batch, results, machine, level, isOver);
    await over.catch(async (error) => {
      say(`${(await human.screen()).join("\n")}`);
      throw error;
    });
    const said = linesOf(results);
    for (const { id } of batch) {
      const lines = said.filter((each) => each.id === id);
      seen.set(id, {
        id,
        output: lines.map(({ output }) => output).join("") + (during.get(id) ?? ""),
        marked: false,
        cutOff: batch.length > 1 && !lines.some(({ done }) => done),
      });
    }
    const cut = batch.filter(({ id }) => seen.get(id)?.cutOff);
    if (cut.length > 0) say(`cut off: ${cut.map(({ id }) => id).join(" ")}\n${(await human.screen()).join("\n")}`);
  };
  const isAlone = (attempt: Attempt): boolean =>
    attempt.alone === "always" || (attempt.alone !== undefined && expected(attempt, level) === "reached");
  const ours = chosen.filter(({ group }) => group !== "approval and kill");
  await session(
    ours.filter((attempt) => !isAlone(attempt)),
    "many",
  );
  const heard = other.raw();
  for (const attempt of ours.filter((each) => !isAlone(each))) {
    const so = seen.get(attempt.id);
    if (so) seen.set(attempt.id, await after(attempt, so, machine, level, heard));
  }
  for (const attempt of ours.filter(isAlone)) {
    await session([attempt], attempt.id);
    const so = seen.get(attempt.id);
    if (so) seen.set(attempt.id, await after(attempt, so, machine, level, ""));
  }
  for (const each of await atTheTerminal(human, machine, level, only)) seen.set(each.id, each);
  const verdicts = Object.fromEntries([...seen].map(([id, each]) => [id, judge(each, machine.canaries)]));
  const { output: audit } = await line("agent-run audit --verify", machine.env, machine.project);
  return { level, verdicts, audit, ms: performance.now() - begun };
}

/** What the human does meanwhile, attempt by attempt, and what came of it. */
async function whileItRuns(
  batch: readonly Attempt[],
  results: string,
  machine: Machine,
  level: IsolationLevel,
  isOver: () => Promise<boolean>,
): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  for (const { id, meanwhile, passes } of batch) {
    if (meanwhile === undefined) continue;
    const isReady = (): boolean => linesOf(results).some((said) => said.id === id && said.output.includes("READY"));
    await until(async () => isReady() || (await isOver()), BATCH_MS, `${id} to be ready`);
    using gate = new DisposableStack();
    if (!passes) {
      const refusal = { latencyMs: 1000, error: { code: "AccessDenied", status: 403, message: "not you" } };
      gate.use(machine.cloud.switches.fault({ operation: "sts:GetCallerIdentity", ...refusal }));
    }
    const { output } = await line(meanwhile, { ...machine.env, ...machine.facts, RT_ID: id, RT_LEVEL: level }, machine.project);
    seen.set(id, `\n${ofTheHuman(output)}`);
    writeFileSync(join(machine.project, `${id}-over`), "");
  }
  return seen;
}

/** What the human's own programs print besides is the human's. */
function ofTheHuman(output: string): string {
  return output
    .split("\n")
    .filter((text) => /^(REACHED|CONTROL)/.test(text))
    .join("\n");
}

/** What the human does afterwards, and what became of it. */
async function after({ id, later }: Attempt, so: Seen, machine: Machine, level: IsolationLevel, heard: string): Promise<Seen> {
  let output = so.output;
  if (heard.includes(`to-the-other-terminal-${id}`)) output += "\nREACHED another terminal of the human's";
  if (later !== undefined) {
    const done = await line(later, { ...machine.env, ...machine.facts, RT_ID: id, RT_LEVEL: level }, machine.project);
    output += `\n${ofTheHuman(done.output)}`;
    if (done.hung) output += `\nREACHED: the human's line hung: ${later}`;
  }
  return { ...so, output, marked: existsSync(join(machine.marks, id)) };
}

/** Undefined where a session at this level can be had. */
async function refusalOf(machine: Machine, level: IsolationLevel): Promise<string | undefined> {
  const { code, output } = await line(`agent-run --isolation ${level} true`, machine.env, machine.project);
  return code === 0 ? undefined : `status ${code}: ${output.trim()}`;
}

interface Done {
  readonly code: number | null;
  readonly output: string;
  readonly hung: boolean;
}

/** Runs a shell line of the human's. Not synchronously: the servers of the machine are in this process. */
async function line(text: string, env: Record<string, string>, cwd: string): Promise<Done> {
  const child = spawn("bash", ["-c", text], { env, cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part: string) => (output += part));
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  }, LINE_MS);
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  clearTimeout(limit);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { code, output, hung };
}

interface Said {
  readonly id: string;
  readonly output: string;
  readonly done?: true;
}

function linesOf(file: string): Said[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Said);
}

async function ttyOf(human: Human): Promise<string> {
  await human.run("tty > /media/tty-$$");
  return readFileSync(`/media/tty-${human.shell}`, "utf8").trim();
}

const [level = "standard", ...only] = process.argv.slice(2);
const result = await runLevel(level as IsolationLevel, only);
process.stdout.write(JSON.stringify(result), () => process.exit(0));
