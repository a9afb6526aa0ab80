// Runs inside a session, as the agent: each program of the list, a few at a time, and writes down what it printed. Started by range.ts under the name `claude`.
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";

const AT_ONCE = 3;
const LIMIT_MS = 30_000;
const MOST_OUTPUT = 200_000;
const INTERPRETERS = {
  sh: ["/bin/sh", "-c"],
  python: ["/usr/bin/python3", "-c"],
  node: ["node", "--input-type=module", "-e"],
};

const [list, results] = process.argv.slice(2);
const { facts, attempts } = JSON.parse(readFileSync(list, "utf8"));

function run({ id, language, program }) {
  const [file, ...args] = INTERPRETERS[language];
  const child = spawn(file, [...args, program], { env: { ...process.env, ...facts, RT_ID: id }, stdio: ["ignore", "pipe", "pipe"] });
  let length = 0;
  const say = (said) => appendFileSync(results, `${JSON.stringify({ id, ...said })}\n`);
  // At once: some attempts end what they run in.
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (output) => {
      length += output.length;
      if (length < MOST_OUTPUT) say({ output });
    });
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  return new Promise((resolve) => {
    // Whatever it left running may hold its pipes: its own end counts.
    child.on("exit", () => {
      clearTimeout(limit);
      setTimeout(() => {
        say({ output: "", done: true });
        resolve();
      }, 30);
    });
  });
}

const waiting = [...attempts];
const worker = async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await run(next);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
process.exit(0);
