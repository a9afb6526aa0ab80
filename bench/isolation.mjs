// What isolation costs: starting a program in the sandbox of each level beside starting it bare, and `git status` on a large tree inside and outside. Run by `npm run bench`.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolvePaths } from "../src/core/paths.ts";
import { describeIsolation, prepareIsolation } from "../src/isolation/isolate.ts";
import { plantHome } from "./world/home.mjs";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
const FILES = Number(process.env["FILES"] ?? 20_000);

const root = mkdtempSync(join(tmpdir(), "ar-bench-"));
const home = join(root, "home");
const project = join(home, "code", "app");
mkdirSync(project, { recursive: true });
plantHome(home);
const env = { PATH: process.env["PATH"] ?? "", HOME: home, AGENT_RUN_HOME: join(root, "own"), GIT_CONFIG_NOSYSTEM: "1" };

for (let index = 0; index < FILES; index += 1) {
  const folder = join(project, `d${index % 200}`);
  if (index < 200) mkdirSync(folder);
  writeFileSync(join(folder, `f${index}`), `${index}\n`);
}
const git = (...args) => spawnSync("git", ["-C", project, "-c", "user.name=b", "-c", "user.email=b@example.com", ...args], { env });
git("init", "-q");
git("add", ".");
git("commit", "-qm", "all");

const paths = resolvePaths(env, process.getuid());
const folder = join(paths.runtime, "sess_0000bec4");
const strictFolder = join(paths.runtime, "sess_0000bec5");
for (const path of [folder, strictFolder, paths.state]) mkdirSync(path, { recursive: true, mode: 0o700 });
const request = {
  level: "standard",
  uid: process.getuid(),
  project,
  cwd: project,
  agent: "sh",
  paths,
  packageFolder: join(import.meta.dirname, ".."),
  sessionFolder: folder,
  env,
  programs: [process.execPath],
  allow: [],
  write: [],
  hide: [],
  folder,
};

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
function clock(run) {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}
/** As the launcher starts it: with a channel where the sandbox has a network of its own, whose ports it hands out. */
async function clockStart({ file, args, cwd, env: given, channel }) {
  const begun = performance.now();
  const stdio = channel ? ["ignore", "ignore", "inherit", "ignore", "ipc"] : ["ignore", "ignore", "inherit"];
  const child = spawn(file, args, { cwd, env: given, stdio });
  channel?.attach(child);
  const status = await new Promise((resolve) => child.once("exit", resolve));
  if (status !== 0) throw new Error(`${file}: ${status}`);
  return performance.now() - begun;
}
function start({ file, args, cwd, env: given }) {
  const { status, stderr } = spawnSync(file, args, { cwd, env: given, encoding: "utf8" });
  if (status !== 0) throw new Error(`${file}: ${status} ${stderr}`);
}
const line = (name, ms, text) => console.log(`${name.padEnd(46)} ${ms.toFixed(2).padStart(8)} ms  ${text}`);

try {
  const isolation = await prepareIsolation(request);
  const noShell = isolation.wrap({ file: "/bin/true", args: [], cwd: project, env });
  const bare = { file: "/bin/true", args: [], cwd: project, env };
  const direct = { ...noShell, file: "/bin/sh", args: ["-c", 'exec "$@"', "sh", "/bin/true"] };
  const status = { file: "/usr/bin/git", args: ["status", "--porcelain"], cwd: project, env };
  const inside = isolation.wrap(status);
  const runs = { bare: [], shell: [], sandbox: [], plan: [], wrap: [], status: [], statusInside: [] };
  // An endpoint's port: strict has Node open it inside before the program starts.
  const endpoint = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => endpoint.once("listening", resolve));
  const closed = await prepareIsolation({ ...request, level: "strict", folder: strictFolder, sessionFolder: strictFolder });
  const levels = { bare, standard: noShell, strict: closed.wrap(bare, [endpoint.address().port]), portless: closed.wrap(bare) };
  const started = { bare: [], standard: [], strict: [], portless: [] };
  for (const each of [status, inside]) start(each);
  for (let round = 0; round < ROUNDS; round += 1) {
    runs.bare.push(clock(() => start(bare)));
    runs.shell.push(clock(() => start(direct)));
    runs.sandbox.push(clock(() => start(noShell)));
    runs.plan.push(clock(() => describeIsolation(request)));
    runs.wrap.push(clock(() => isolation.wrap(bare)));
    for (const [name, command] of Object.entries(levels)) started[name].push(await clockStart(command));
    if (round % 2 === 0)
      for (const [name, command] of [
        ["status", status],
        ["statusInside", inside],
      ])
        runs[name].push(clock(() => start(command)));
  }
  const of = (name) => median(runs[name]);
  const added = of("sandbox") - of("bare") + of("plan") + of("wrap");
  console.log(`isolation, ${isolation.plan.entries.length} entries in the plan`);
  line("/bin/true, bare", of("bare"), "1.00x");
  line(
    "/bin/true through a shell",
    of("shell"),
    `${(of("shell") / of("bare")).toFixed(2)}x; the shell that opens the descriptors: +${(of("shell") - of("bare")).toFixed(2)} ms`,
  );
  line("/bin/true in the sandbox", of("sandbox"), `${(of("sandbox") / of("bare")).toFixed(2)}x`);
  line("looking and planning (warm)", of("plan"), "");
  line("wrapping", of("wrap"), "");
  line("added to a launch, together", added, "goal: at most 15 ms");
  const more = (name) => `+${(median(started[name]) - median(started.bare)).toFixed(2)} ms`;
  line("/bin/true, bare, its start waited for", median(started.bare), "1.00x");
  line("the same at standard", median(started.standard), more("standard"));
  line("the same at strict without the endpoint's port", median(started.portless), more("portless"));
  line("the same at strict", median(started.strict), `${more("strict")}; ${closed.plan.entries.length} entries in the plan`);
  line(`git status, ${FILES} files, bare`, of("status"), "1.00x");
  line(
    `git status, ${FILES} files, in the sandbox`,
    of("statusInside"),
    `${((of("statusInside") - of("sandbox") + of("bare")) / of("status")).toFixed(3)}x without the start; goal: at most 1.05x`,
  );
  isolation.release();
  closed.release();
  endpoint.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
