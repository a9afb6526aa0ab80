// From the key press that confirms a kill to the endpoint refusing, and to the agent's whole process tree gone without grace, in a real terminal on the local
// cloud. The agent ignores every signal that can be ignored and has children that do. Run by `npm run bench`, or alone: node bench/kill.mjs
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { spawn as spawnPty } from "@lydell/node-pty";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
/** An answer counts half a second after the question stands. */
const ARMED_MS = 650;
const root = join(import.meta.dirname, "..");
const bin = join(root, "bin", "agent-run.cjs");
const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const cloud = spawn(process.execPath, [join(root, "dist", "main.cjs"), "local-cloud"], { stdio: ["pipe", "pipe", "inherit"] });
const told = JSON.parse(await new Promise((resolve) => createInterface({ input: cloud.stdout }).once("line", resolve)));
const home = mkdtempSync(join(tmpdir(), "ar-bench-"));
mkdirSync(join(home, "own", "config"), { recursive: true, mode: 0o700 });
writeFileSync(
  join(home, "own", "config", "config.toml"),
  `profile = "demo"\n[profiles.demo]\nrole = "${told.roleArn}"\nisolation.level = "none"\n`,
);
const env = {
  PATH: process.env["PATH"],
  HOME: home,
  TERM: "xterm-256color",
  AGENT_RUN_HOME: join(home, "own"),
  AWS_ACCESS_KEY_ID: told.accessKeyId,
  AWS_SECRET_ACCESS_KEY: told.secretAccessKey,
  AWS_ENDPOINT_URL: told.url,
  AWS_REGION: told.region,
};
const stubborn = "trap '' TERM HUP INT";
writeFileSync(
  join(home, "agent"),
  `#!/bin/sh\n${stubborn}\n(${stubborn}; while :; do sleep 1; done) &\n(${stubborn}; while :; do sleep 1; done) &\n` +
    'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN $AGENT_RUN_SESSION" > told.new; mv told.new told\nwhile :; do sleep 1; done\n',
  { mode: 0o755 },
);

/** Status of one fetch; 0 where nobody listens any more. */
const fetchOnce = (uri, token) =>
  new Promise((resolve) => {
    const asked = request(uri, { headers: { authorization: token }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", () => resolve(0));
    asked.end();
  });

/** Processes that carry the session in their environment, but for the launcher's own. */
const tree = (session) =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`AGENT_RUN_SESSION=${session}\0`);
    } catch {
      return false;
    }
  });

async function round() {
  rmSync(join(home, "told"), { force: true });
  const pty = spawnPty(process.execPath, [bin, "./agent"], { cols: 100, rows: 30, cwd: home, env });
  let screen = "";
  pty.onData((text) => {
    screen += text;
  });
  const ended = new Promise((resolve) => pty.onExit(resolve));
  while (!existsSync(join(home, "told"))) await nap(10);
  const [uri, token, session] = readFileSync(join(home, "told"), "utf8").trim().split(" ");
  if ((await fetchOnce(uri, token)) !== 200) throw new Error("the endpoint does not serve");
  await nap(2500);
  pty.write("\x0b");
  while (!screen.includes("End agent?")) await nap(10);
  await nap(ARMED_MS);
  const pressed = performance.now();
  pty.write("\x0b");
  let refusedMs;
  for (let status = 200; status === 200; ) {
    status = await fetchOnce(uri, token);
    refusedMs = performance.now() - pressed;
  }
  await nap(ARMED_MS);
  // The second one skips the grace.
  const hurried = performance.now();
  pty.write("\x0b");
  while (tree(session).length > 0) await nap(1);
  const goneMs = performance.now() - hurried;
  await ended;
  return { refusedMs, goneMs };
}

const say = (what, values, goal) => {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  const verdict = at(0.99) < goal ? "met" : "missed";
  console.log(`${what}: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms (goal below ${goal} ms: ${verdict})`);
};
try {
  const rounds = [];
  await round();
  for (let count = 0; count < ROUNDS; count += 1) rounds.push(await round());
  say(
    "key press to endpoint refusing",
    rounds.map(({ refusedMs }) => refusedMs),
    20,
  );
  say(
    "key press to process tree gone, without grace",
    rounds.map(({ goneMs }) => goneMs),
    150,
  );
} finally {
  spawnSync(process.execPath, [bin, "daemon", "stop"], { env });
  cloud.kill();
  rmSync(home, { recursive: true, force: true });
}
