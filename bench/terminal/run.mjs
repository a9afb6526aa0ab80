// `npm run bench:terminal`: how fast an agent's output, keys and idleness go through agent-run's terminal, beside no wrapper, script, tmux and screen, in rounds
// that take turns. Needs the build and cc. ROUNDS, MEGABYTES and KEYS make it longer or shorter.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { writeCorpus } from "./corpus.mjs";
import { openBench, processesOf } from "./wrappers.mjs";

const setting = (name, usual) => Number(process.env[name] ?? usual);
const ROUNDS = setting("ROUNDS", 5);
const MEGABYTES = setting("MEGABYTES", 100);
const KEYS = setting("KEYS", 300);
const ONLY = process.env["ONLY"]?.split(",");
/** Long enough for what agent-run loads once the agent runs. */
const SETTLE_MS = setting("SETTLE_MS", 1500);
const IDLE_MS = setting("IDLE_MS", 8000);

if (process.platform !== "linux" || !existsSync(join(import.meta.dirname, "..", "..", "dist", "main.cjs"))) {
  console.error("needs Linux and the build (npm run build)");
  process.exit(1);
}

const END = ["@@the-end", "-of-it@@"];
const shell = (script) => ["/bin/sh", "-c", script];
const flooding = (file) => shell(`stty -echo; read line; cat '${file}'; printf '%s%s' '${END[0]}' '${END[1]}'; sleep 60`);
const echoing = shell("stty raw -echo; exec cat");

using bench = await openBench();
const names = Object.keys(bench.wrap).filter((name) => ONLY === undefined || ONLY.includes(name));

/**
 * Runs the harness on an agent in one wrapper or more; `during` gets the command's pid when it has settled, and the harness' stdin is closed behind it. Gives the
 * lines after that.
 */
async function run(mode, argument, wrappers, agent, during = async () => undefined) {
  const commands = wrappers.flatMap((name, i) => [...(i === 0 ? [] : ["@@"]), ...bench.wrap[name](agent)]);
  const child = spawn(bench.harness, [mode, String(SETTLE_MS * wrappers.length), String(argument), ...commands], {
    env: bench.env,
    cwd: bench.folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line !== "settled") continue;
    await during(Number(lines[0]));
    child.stdin.end();
  }
  if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode !== 0) throw new Error(`${wrappers}: the harness ended with ${child.exitCode ?? child.signalCode}`);
  return lines.slice(2);
}

/** Seconds of processor time of all threads, to the nanosecond: proc(5), schedstat. */
function cpu(pid) {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return ns / 1e9;
}
const rss = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
const sum = (values) => values.reduce((total, value) => total + value, 0);
const at = (values, share) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
const median = (values) => at(values, 0.5);

/** Takes turns between the wrappers, a round of each; gives a list of results for each. */
async function interleaved(measure) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) for (const name of names) results[name].push(await measure(name));
  return results;
}

function table(title, head, rows) {
  console.log(`\n${title}\n${"".padEnd(12)}${head.map((cell) => cell.padStart(16)).join("")}`);
  for (const [name, cells] of rows) console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(16)).join(""));
}

async function flood(kind, megabytes) {
  const file = join(bench.folder, kind);
  const bytes = writeCorpus(file, kind, megabytes * 1e6);
  const seconds = await interleaved(async (name) => Number((await run("flood", END.join(""), [name], flooding(file)))[0]));
  const bare = median(seconds["bare"] ?? [Number.NaN]);
  table(
    `flood, ${(bytes / 1e6).toFixed(0)} MB of ${kind}`,
    ["seconds", "MB/s", "over bare", "tmux over it"],
    names.map((name) => {
      const its = median(seconds[name]);
      return [
        name,
        [
          its.toFixed(2),
          (bytes / 1e6 / its).toFixed(0),
          `${(its / bare).toFixed(2)}x`,
          `${(median(seconds["tmux"] ?? [Number.NaN]) / its).toFixed(2)}x`,
        ],
      ];
    }),
  );
}

/** All wrappers at once, a key of each in turn: what else the machine does meets them alike, so that also the slowest keys can be compared. */
async function echo() {
  const rounds = names.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const times = names.map(() => []);
    for (const line of await run("echo", KEYS, names, echoing)) {
      const [index, time] = line.split(" ").map(Number);
      times[index].push(time);
    }
    for (const [index, its] of times.entries()) rounds[index].push(its);
  }
  const shares = [0.25, 0.5, 0.9, 0.99];
  const figures = rounds.map((its) => shares.map((share) => median(its.map((times) => at(times, share)))));
  const bare = figures[names.indexOf("bare")] ?? [];
  table(
    `echo of a key, ${KEYS} keys a round, µs (the median round)`,
    ["p25", "p50", "p90", "p99", "p50 over bare", "p99 over bare"],
    names.map((name, index) => {
      const its = figures[index];
      return [name, [...its, its[1] - bare[1], its[3] - bare[3]].map((value) => value.toFixed(0))];
    }),
  );
}

async function idle() {
  const results = await interleaved(async (name) => {
    let result = {};
    await run("hold", "-", [name], flooding(join(bench.folder, "mixed")), async (pid) => {
      const pids = processesOf(name, pid);
      // The flood first: memory is what it leaves behind.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      const before = sum(pids.map(cpu));
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      result = { share: (sum(pids.map(cpu)) - before) / (IDLE_MS / 1000), rss: sum(pids.map(rss)) };
    });
    return result;
  });
  table(
    "idle after that flood",
    ["CPU", "RSS"],
    names.map((name) => [
      name,
      [
        `${(100 * median(results[name].map(({ share }) => share))).toFixed(2)} %`,
        `${median(results[name].map((its) => its.rss)).toFixed(0)} MB`,
      ],
    ]),
  );
}

const PARTS = { mixed: () => flood("mixed", MEGABYTES), redraws: () => flood("redraws", MEGABYTES / 2), echo, idle };
for (const part of (process.env["PARTS"] ?? Object.keys(PARTS).join(",")).split(",")) await PARTS[part]();
