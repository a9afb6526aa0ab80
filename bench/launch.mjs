// Wall time of `agent-run true` with a warm daemon beside `node -e 0`, on pipes and in a terminal, in interleaved rounds on the local cloud. Run by
// `npm run bench`.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { spawn as spawnInTerminal } from "@lydell/node-pty";
import { plantHome } from "./world/home.mjs";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
/** How long STS takes for each of its answers, besides what the local cloud takes itself. */
const STS_MS = Number(process.env["STS_MS"] ?? 0);
const root = process.env["BUILD"] ?? join(import.meta.dirname, "..");
const bin = join(root, "bin", "agent-run.cjs");

const cloud = spawn(process.execPath, [join(root, "dist", "main.cjs"), "local-cloud"], { stdio: ["pipe", "pipe", "inherit"] });
const told = JSON.parse(await new Promise((resolve) => createInterface({ input: cloud.stdout }).once("line", resolve)));
if (STS_MS > 0) {
  const answered = new Promise((resolve) => cloud.stdout.once("data", resolve));
  cloud.stdin.write(`${JSON.stringify({ command: "apply", settings: { faults: [{ operation: "sts:*", latencyMs: STS_MS }] } })}\n`);
  if (!JSON.parse(String(await answered)).ok) throw new Error("the local cloud did not take STS_MS");
}
const home = mkdtempSync(join(tmpdir(), "ar-bench-"));
mkdirSync(join(home, "own", "config"), { recursive: true, mode: 0o700 });
mkdirSync(join(home, "own"), { recursive: true, mode: 0o700 });
writeFileSync(join(home, "own", "config", "config.toml"), `profile = "demo"\n[profiles.demo]\nrole = "${told.roleArn}"\n`);
const project = join(home, "code", "app");
mkdirSync(project, { recursive: true });
plantHome(home);
const env = {
  PATH: process.env["PATH"],
  HOME: home,
  AGENT_RUN_HOME: join(home, "own"),
  AWS_ACCESS_KEY_ID: told.accessKeyId,
  AWS_SECRET_ACCESS_KEY: told.secretAccessKey,
  AWS_ENDPOINT_URL: told.url,
  AWS_REGION: told.region,
};

/** On pipes. */
function piped(file, args) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(file, args, { env, cwd: project, encoding: "utf8", timeout: 30_000 });
  const took = performance.now() - begun;
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${status} ${stderr}`);
  return took;
}

/** In a terminal of 100 by 30, which says where its cursor is when it is asked: that much a launch may wait for. */
function inTerminal(file, args) {
  const begun = performance.now();
  const terminal = spawnInTerminal(file, args, { name: "xterm-256color", cols: 100, rows: 30, cwd: project, env });
  let text = "";
  terminal.onData((data) => {
    text += data;
    if (data.includes("\x1b[6n")) terminal.write("\x1b[6;1R");
  });
  return new Promise((resolve, reject) => {
    terminal.onExit(({ exitCode }) => {
      const took = performance.now() - begun;
      if (exitCode === 0) resolve(took);
      else reject(new Error(`${file} ${args.join(" ")}: ${exitCode} ${text}`));
    });
  });
}

const shuffled = (values) =>
  values
    .map((value) => [Math.random(), value])
    .sort(([one], [other]) => one - other)
    .map(([, value]) => value);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const bare = [process.execPath, ["-e", "0"]];
const isolated = spawnSync("bwrap", ["--version"]).status === 0;
const none = [process.execPath, [bin, "--isolation", "none", "true"]];
const standard = [process.execPath, [bin, "true"]];
/** Name, how it is run, the command. The first that is run in the same way is what it is compared with. */
const variants = [
  ["node -e 0", piped, bare],
  ["agent-run --version", piped, [process.execPath, [bin, "--version"]]],
  ["agent-run true (isolation none)", piped, none],
  ...(isolated ? [["agent-run true (isolation standard)", piped, standard]] : []),
  ["node -e 0, in a terminal", inTerminal, bare],
  ["agent-run true (isolation none), in a terminal", inTerminal, none],
  ...(isolated ? [["agent-run true (isolation standard), in a terminal", inTerminal, standard]] : []),
];
const base = (run) => variants.findIndex(([, how]) => how === run);
try {
  const times = variants.map(() => []);
  // The first start the daemon and leave behind what V8 compiled.
  for (const [, run, command] of [...variants, ...variants]) await run(...command);
  // In another order each round: whoever comes after the same one each time finds the processor's caches as that one left them.
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, [, run, command]] of shuffled([...variants.entries()])) times[index].push(await run(...command));
  for (const [index, [name, run]] of variants.entries()) {
    const took = median(times[index]);
    console.log(`${name.padEnd(52)} ${took.toFixed(1).padStart(7)} ms  ${(took / median(times[base(run)])).toFixed(2)}x`);
  }
  for (const [where, run] of isolated
    ? [
        ["on pipes", piped],
        ["in a terminal", inTerminal],
      ]
    : []) {
    const of = (command) => median(times[variants.findIndex((each) => each[1] === run && each[2] === command)]);
    console.log(
      `isolation added to a launch, ${where}`.padEnd(52),
      `${(of(standard) - of(none)).toFixed(1).padStart(6)} ms`,
      ` STS takes ${STS_MS} ms more than the local cloud`,
    );
  }
} finally {
  spawnSync(process.execPath, [bin, "daemon", "stop"], { env });
  cloud.kill();
  rmSync(home, { recursive: true, force: true });
}
