// npm run oracle:more: fetches the coding agents that more-agents/package.json pins, and aider, and starts each bare and in a real session at standard, without a
// network; tells where the screens differ and what the run says at its end. By hand: they are a gigabyte. `-- goose` chooses; Cursor's is in no registry.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Human, sitDown } from "../end-to-end/human.ts";
import { BIN, makeWorld, ROOT, until, type World } from "../end-to-end/world.ts";

const AIDER = "aider-chat==0.86.2";
const NOWHERE = "http://127.0.0.1:9";
const SIZE = { cols: 100, rows: 30 };
const PATIENCE_MS = 60_000;
const STILL_MS = 1500;
const folder = join(ROOT, ".cache", "more-agents");
const module = (...path: string[]): string => join(folder, "node_modules", ...path);
const platform = `${process.platform}-${process.arch}`;

interface Agent {
  readonly file: string;
  readonly args?: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands on its screen when it is there. */
  readonly shows: string;
  /** Files of the home. */
  readonly files?: Readonly<Record<string, string>>;
}

const agents: Readonly<Record<string, Agent>> = {
  opencode: { file: module(`opencode-${platform}`, "bin", "opencode"), env: {}, shows: "ctrl+p commands" },
  // Further than to its first question it does not get without its server.
  amp: { file: module("@ampcode", `cli-${platform}`, "amp"), env: {}, shows: "Would you like to log in to Amp?" },
  goose: {
    file: module("@aaif", `goose-binary-${platform}`, "bin", "goose"),
    args: "session",
    env: { GOOSE_PROVIDER: "openai", GOOSE_MODEL: "none", OPENAI_API_KEY: "none", OPENAI_HOST: NOWHERE, GOOSE_TELEMETRY_ENABLED: "false" },
    shows: "goose is ready",
  },
  aider: {
    file: join(folder, "aider", "bin", "aider"),
    args: "--model gpt-4o --no-check-update --no-show-model-warnings --no-gitignore --no-show-release-notes --analytics-disable",
    env: { OPENAI_API_KEY: "none", OPENAI_API_BASE: NOWHERE },
    shows: "Repo-map:",
    files: { ".gitconfig": "[user]\n\tname = Dev\n\temail = dev@example.com\n" },
  },
};

function fetchAll(): void {
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(import.meta.dirname, "more-agents", file), join(folder, file));
  // No script of theirs runs.
  execFileSync("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  if (existsSync(join(folder, "aider", "bin", "aider"))) return;
  execFileSync("/usr/bin/python3", ["-m", "venv", join(folder, "aider")], { stdio: "inherit" });
  execFileSync(join(folder, "aider", "bin", "pip"), ["install", "--quiet", AIDER], { stdio: "inherit" });
}

/** Its own rows, with what differs by home, or from start to start, taken out. */
async function own(human: Human, home: string, shows: string): Promise<string[]> {
  const rows = (await human.screen()).slice(0, SIZE.rows).map((row) => row.replaceAll(home, "~").replace(/(Ask anything… )".*"/, "$1"));
  return rows.slice(0, rows.findLastIndex((row) => row.includes(shows)) + 1).filter((row) => row !== "" && !row.startsWith("✓"));
}

async function compare(name: string, { file, args = "", env, shows, files = {} }: Agent): Promise<boolean> {
  await using bareWorld = await makeWorld();
  await using world = await makeWorld();
  const places = [bareWorld, world].map((each: World, index) => {
    const bin = join(each.home, "bin");
    mkdirSync(bin);
    symlinkSync(file, join(bin, name));
    for (const [path, content] of Object.entries(files)) writeFileSync(join(each.home, path), content);
    execFileSync("git", ["init", "-q", each.project]);
    const PATH = [bin, dirname(process.execPath), each.env["PATH"]].join(delimiter);
    const line = index === 0 ? `${name} ${args}` : `${process.execPath} ${BIN} --isolation standard ${name} ${args}`;
    return {
      each,
      line,
      env: { ...each.env, ...env, PATH, HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE, COLORTERM: "truecolor" },
      rows: SIZE.rows + index,
    };
  });
  const humans = await Promise.all(places.map((place) => sitDown(place.env, place.each.project, { ...SIZE, rows: place.rows })));
  try {
    const screens = await Promise.all(
      humans.map(async (human, index) => {
        human.type(`clear; ${places[index]?.line}\r`);
        await until(async () => (await human.screen()).some((row) => row.includes(shows)), PATIENCE_MS, shows).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, STILL_MS));
        return own(human, places[index]?.each.home ?? "", shows);
      }),
    );
    const same = isDeepStrictEqual(screens[0], screens[1]) && (screens[0]?.length ?? 0) > 0;
    process.stdout.write(
      `${name}: ${same ? "the same" : `not the same\n--- bare\n${screens[0]?.join("\n")}\n--- inside\n${screens[1]?.join("\n")}\n`}\n`,
    );
    if (!same) process.stdout.write(`${(await humans[1]?.screen())?.join("\n")}\n`);
    const inside = humans[1];
    inside?.type("\x0b");
    await until(async () => (await inside?.screen())?.some((row) => row.includes(`End ${name}?`)) === true, 5000, "the question").catch(
      () => {},
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    inside?.type("\x0b");
    await until(async () => (await inside?.screen())?.some((row) => /^\d+:\d+>/.test(row)) === true, 20_000, "the end").catch(() => {});
    const said = (await inside?.screen())?.filter((row) => row.includes("agent-run:")) ?? [];
    process.stdout.write(`${said.map((row) => `  ${row}`).join("\n")}\n  left in home: ${readdirSync(world.home).join(" ")}\n`);
    return same;
  } finally {
    for (const human of humans) {
      human.hangUp();
      await human[Symbol.asyncDispose]();
    }
  }
}

const chosen = process.argv.slice(2);
fetchAll();
for (const [name, agent] of Object.entries(agents)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  if (!(await compare(name, agent))) process.exitCode = 1;
}
