// Wall time of `agent-run true` with a warm daemon beside `node -e 0`, in interleaved rounds on the local cloud. Run by `npm run bench`.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
const root = join(import.meta.dirname, "..");
const bin = join(root, "bin", "agent-run.cjs");

const cloud = spawn(process.execPath, [join(root, "dist", "main.cjs"), "local-cloud"], { stdio: ["pipe", "pipe", "inherit"] });
const told = JSON.parse(await new Promise((resolve) => createInterface({ input: cloud.stdout }).once("line", resolve)));
const home = mkdtempSync(join(tmpdir(), "ar-bench-"));
mkdirSync(join(home, "own", "config"), { recursive: true, mode: 0o700 });
mkdirSync(join(home, "own"), { recursive: true, mode: 0o700 });
writeFileSync(join(home, "own", "config", "config.toml"), `profile = "demo"\n[profiles.demo]\nrole = "${told.roleArn}"\n`);
const env = {
  PATH: process.env["PATH"],
  HOME: home,
  AGENT_RUN_HOME: join(home, "own"),
  AWS_ACCESS_KEY_ID: told.accessKeyId,
  AWS_SECRET_ACCESS_KEY: told.secretAccessKey,
  AWS_ENDPOINT_URL: told.url,
  AWS_REGION: told.region,
};

function time(file, args) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(file, args, { env, cwd: home, encoding: "utf8" });
  const took = performance.now() - begun;
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${status} ${stderr}`);
  return took;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const commands = {
  "node -e 0": [process.execPath, ["-e", "0"]],
  "agent-run --version": [process.execPath, [bin, "--version"]],
  "agent-run true (isolation none)": [process.execPath, [bin, "--isolation", "none", "true"]],
  ...(spawnSync("bwrap", ["--version"]).status === 0 ? { "agent-run true (isolation standard)": [process.execPath, [bin, "true"]] } : {}),
};
try {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (const [file, args] of Object.values(commands)) time(file, args);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, [file, args]] of Object.entries(commands)) times[name].push(time(file, args));
  const bare = median(times["node -e 0"]);
  for (const [name, values] of Object.entries(times)) {
    console.log(`${name.padEnd(38)} ${median(values).toFixed(1).padStart(7)} ms  ${(median(values) / bare).toFixed(2)}x`);
  }
} finally {
  spawnSync(process.execPath, [bin, "daemon", "stop"], { env });
  cloud.kill();
  rmSync(home, { recursive: true, force: true });
}
