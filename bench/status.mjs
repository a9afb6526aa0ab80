// Wall time of `agent-run status --format prompt`, which a shell asks for at every prompt, beside `node -e 0`, with no session and with five, in interleaved rounds. Run by
// `npm run bench`.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
const GOAL_MS = 30;
const bin = join(import.meta.dirname, "..", "bin", "agent-run.cjs");
const home = mkdtempSync(join(tmpdir(), "ar-bench-"));

function place(name, sessions) {
  for (let at = 0; at < sessions; at += 1) {
    const folder = join(home, name, "run", `sess_0000000${at}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "status"), `${Math.floor(Date.now() / 1000) + 3600} refresh claude readonly\n`);
  }
  return { PATH: [dirname(process.execPath), process.env["PATH"]].join(":"), HOME: home, AGENT_RUN_HOME: join(home, name) };
}

const [none, five] = [place("none", 0), place("five", 5)];
const ask = ["status", "--format", "prompt"];
const cases = [
  ["node -e 0", process.execPath, ["-e", "0"], none],
  ["agent-run status --format prompt, no session", bin, ask, none],
  ["agent-run status --format prompt, five sessions", bin, ask, five],
  ["the same from Node (as --format text is)", process.execPath, [bin, ...ask], five],
];
const times = new Map(cases.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, file, args, env] of cases) {
    const begun = performance.now();
    const { status, stderr } = spawnSync(file, args, { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${name}: ${status} ${stderr}`);
    times.get(name).push(performance.now() - begun);
  }
}
rmSync(home, { recursive: true, force: true });

const at = (values, part) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)];
for (const [name, values] of times) {
  console.log(`${name.padEnd(48)} median ${at(values, 0.5).toFixed(1)} ms, 95 % ${at(values, 0.95).toFixed(1)} ms`);
}
const worst = at(times.get(cases[2][0]), 0.95);
console.log(`goal ${GOAL_MS} ms: ${worst < GOAL_MS ? "held" : "missed"} (95 % with five sessions: ${worst.toFixed(1)} ms)`);
