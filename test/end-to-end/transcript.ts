// The language of test/transcripts: one file is a human's session at a terminal, a step a line. test/transcripts/README.md explains the steps.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { SessionView } from "../../src/control/protocol.ts";
import { allProcesses } from "../../src/core/process-tree.ts";
import { type Human, sitDown } from "./human.ts";
import { type Result, until, type World } from "./world.ts";

export interface Transcript {
  /** The comment that it opens with. */
  readonly title: string;
  /** The program that the machine must have, from a line `needs …`. */
  readonly needs: string | undefined;
  readonly steps: readonly Step[];
  /** Files that lie in the project's folder: what follows a line `-- name --`. */
  readonly files: Readonly<Record<string, string>>;
}

interface Step {
  readonly line: number;
  readonly verb: string;
  readonly rest: string;
  /** Rows to be found, of a step `shows`. */
  readonly rows: string[];
}

const KEYS: Record<string, string> = { enter: "\r", escape: "\x1b", up: "\x1b[A", "ctrl-\\": "\x1c", "ctrl-]": "\x1d" };
const PATIENCE_MS = 8000;
/** How long the end of a session may take that nobody waits for: its launcher was killed. */
const AFTERMATH_MS = 5000;

export function parseTranscript(text: string): Transcript {
  const [script = "", ...parts] = text.split(/^-- (\S+) --\n/m);
  const lines = script.split("\n");
  const title = lines.findIndex((line) => !line.startsWith("#"));
  const steps: Step[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.startsWith("|")) steps.at(-1)?.rows.push(line.slice(1).replace(/^ /, "").trimEnd());
    else if (line.trim() !== "" && !line.startsWith("#")) {
      const [verb = "", ...rest] = line.split(" ");
      steps.push({ line: index + 1, verb, rest: rest.join(" "), rows: [] });
    }
  }
  return {
    title: lines
      .slice(0, title)
      .map((line) => line.replace(/^# ?/, ""))
      .join(" "),
    needs: steps.find(({ verb }) => verb === "needs")?.rest,
    steps,
    files: Object.fromEntries(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ""]] : []))),
  };
}

/** Runs a transcript's steps in order. A step that fails is named with its line and what the screen showed then. */
export async function playTranscript(name: string, transcript: Transcript, world: World): Promise<void> {
  await using play = new Play(world);
  for (const [file, content] of Object.entries(transcript.files)) writeFileSync(join(world.project, file), content, { mode: 0o755 });
  for (const step of transcript.steps) {
    const carryOut = verbs[step.verb];
    if (!carryOut) throw new Error(`${name}:${step.line}: no step is called '${step.verb}'`);
    try {
      await carryOut(play, step.rest, step.rows);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${name}:${step.line}: ${step.verb} ${step.rest}\n${why}\n${await play.picture()}`, { cause: error });
    }
  }
}

class Play implements AsyncDisposable {
  readonly world: World;
  size = { cols: 80, rows: 24 };
  readonly settings: string[] = [];
  readonly profile: string[] = [];
  readonly env: Record<string, string>;
  /** Where the raw output of the last command begins. */
  from = 0;
  startedAt = 0;
  commandNumber = 0;
  limitAt = 0;
  /** What the last command elsewhere printed, and what was kept of it. */
  printed = "";
  readonly kept = new Map<string, string>();
  /** A command elsewhere that was not waited for. */
  meanwhile: Promise<Result> | undefined;
  #human: Human | undefined;

  constructor(world: World) {
    this.world = world;
    this.env = { ...world.env };
  }

  /** Sits down at the first step that needs a terminal. */
  async human(): Promise<Human> {
    if (this.#human) return this.#human;
    const { world, settings, profile } = this;
    const own = profile.some((line) => line.startsWith("isolation")) ? [] : ['isolation.level = "none"'];
    const lines = ['profile = "demo"', ...settings, "[profiles.demo]", `role = "${world.cloud.roleArn()}"`, ...own, ...profile, ""];
    writeFileSync(join(world.own, "config", "config.toml"), lines.join("\n"));
    this.#human = await sitDown(this.env, world.project, this.size);
    await this.#human.run("stty -g > stty-before");
    return this.#human;
  }

  async sessions(): Promise<SessionView[]> {
    return JSON.parse((await this.world.run(["ps", "--json"])).stdout);
  }

  async picture(): Promise<string> {
    if (!this.#human) return "(no terminal yet)";
    const rows = await this.#human.screen();
    const edge = "-".repeat(this.size.cols);
    return [edge, ...rows, edge, `last bytes: ${JSON.stringify(this.#human.raw().slice(-600))}`].join("\n");
  }

  /** What must hold whenever a session is over: the terminal is as it was, and nothing of the session is left. */
  async wiped(): Promise<void> {
    const human = await this.human();
    const { world, size } = this;
    await until(() => human.holders().length === 0, AFTERMATH_MS, "everybody but the shell to let go of the terminal");
    await until(() => world.sessionFolders().length === 0, AFTERMATH_MS, "the session's folder to go");
    await until(async () => (await this.sessions()).length === 0, AFTERMATH_MS, "the daemon to forget the session");
    expect(agentsOf(world), "processes of a session").toEqual([]);
    expect(await human.modes()).toEqual({
      alternate: false,
      cursorHidden: false,
      mouse: "none",
      bracketedPaste: false,
      applicationCursor: false,
    });
    expect(await human.run("stty -g > stty-after")).toBe(0);
    const read = (file: string): string => readFileSync(join(world.project, file), "utf8");
    expect(read("stty-after"), "the modes of the terminal").toBe(read("stty-before"));
    // Output scrolls through all rows, the bar's too: no scroll region and no painted row is left.
    const last = 100 + size.rows;
    await human.run(`seq 100 ${last}`);
    const rows = await human.screen();
    expect(rows.slice(0, -1)).toEqual(Array.from({ length: size.rows - 1 }, (_, index) => String(last - size.rows + 2 + index)));
    expect(rows.at(-1)).toMatch(/^\d+:0>$/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.world.cloud.switches.clear();
    this.world.cloud.switches.apply({ credentialSeconds: null });
    await this.#human?.[Symbol.asyncDispose]();
    await until(async () => (await this.sessions()).length === 0, 15_000, "the sessions of a transcript to end");
  }
}

const verbs: Record<string, (play: Play, rest: string, rows: readonly string[]) => Promise<void> | void> = {
  needs: () => {},
  size(play, rest) {
    play.size = sizeOf(rest);
  },
  config: (play, rest) => void play.settings.push(rest),
  profile: (play, rest) => void play.profile.push(rest),
  set(play, rest) {
    play.env[rest.slice(0, rest.indexOf("="))] = rest.slice(rest.indexOf("=") + 1);
  },
  cloud: (play, rest) => play.world.cloud.switches.apply(JSON.parse(rest)),
  fault: (play, rest) => void play.world.cloud.switches.fault(JSON.parse(rest)),
  mend: (play) => play.world.cloud.switches.clear(),

  async $(play, rest) {
    const human = await play.human();
    play.commandNumber = (await human.prompt())?.number ?? 0;
    play.from = human.raw().length;
    play.startedAt = performance.now();
    human.type(`${rest}\r`);
  },
  async type(play, rest) {
    (await play.human()).type(JSON.parse(rest));
  },
  async press(play, rest) {
    const human = await play.human();
    for (const key of rest.split(" ")) human.type(bytesOf(key));
  },
  pause: (_play, rest) => new Promise((resolve) => setTimeout(resolve, milliseconds(rest))),

  async see(play, rest) {
    const { sought, limitMs } = search(rest);
    const human = await play.human();
    await until(async () => sought.test((await human.screen()).join("\n")), limitMs, `${sought} on the screen`);
  },
  async gone(play, rest) {
    const { sought, limitMs } = search(rest);
    const human = await play.human();
    await until(async () => !sought.test((await human.screen()).join("\n")), limitMs, `${sought} to leave the screen`);
  },
  async shows(play, rest, rows) {
    const { limitMs } = search(rest);
    const sought = new RegExp(`(^|\n)${rows.map(wild).join("\n")}(\n|$)`);
    const human = await play.human();
    await until(async () => sought.test((await human.screen()).join("\n")), limitMs, `these rows:\n${rows.join("\n")}\n`);
  },
  async bar(play, rest, rows) {
    const human = await play.human();
    const exact = rows[0] === undefined ? undefined : new RegExp(`^${wild(rows[0])}$`);
    const { sought, limitMs } = exact ? { sought: exact, limitMs: PATIENCE_MS } : search(rest);
    await until(async () => sought.test((await human.screen()).at(-1) ?? ""), limitMs, `${sought} on the bar`);
  },
  async "no-bar"(play) {
    const rows = await (await play.human()).screen();
    expect(rows.at(-1)).not.toMatch(/agent-demo|NOT ISOLATED|ctrl-/);
  },

  async resize(play, rest) {
    play.size = sizeOf(rest);
    (await play.human()).resize(play.size.cols, play.size.rows);
  },
  async signal(play, rest) {
    const [who, name] = rest.split(" ");
    const pid = who === "daemon" ? await play.world.daemonPid() : launcherOf(await play.human());
    if (pid === undefined) throw new Error(`there is no ${who}`);
    process.kill(pid, name as NodeJS.Signals);
  },
  async elsewhere(play, rest) {
    const words = rest.split(" ").slice(1);
    const session = rest.includes("{session}") ? (await play.sessions())[0]?.session : "";
    const { stdout, stderr, code } = await play.world.run(words.map((word) => word.replace("{session}", session ?? "")));
    play.printed = stdout + stderr;
    expect(code, play.printed).toBe(0);
  },
  async meanwhile(play, rest) {
    const session = (await play.sessions())[0]?.session ?? "";
    const words = rest.split(" ").slice(1);
    play.meanwhile = play.world.run(words.map((word) => word.replace("{session}", session)));
    play.meanwhile.catch(() => {});
  },
  async finished(play, rest) {
    const result = await play.meanwhile;
    play.printed = `${result?.stdout}${result?.stderr}`;
    expect(result?.code, play.printed).toBe(Number(rest));
  },
  prints: (play, rest) => expect(play.printed).toMatch(search(rest).sought),
  keep(play, rest) {
    const [name = "", ...pattern] = rest.split(" ");
    play.kept.set(name, captured(play.printed, pattern.join(" ")));
  },
  same(play, rest) {
    const [name = "", ...pattern] = rest.split(" ");
    expect(captured(play.printed, pattern.join(" "))).toBe(play.kept.get(name));
  },
  async sent(play, rest) {
    const { sought, limitMs } = search(rest);
    const human = await play.human();
    await until(() => sought.test(human.raw().slice(play.from)), limitMs, `${sought} in the output`);
  },
  async unsent(play, rest) {
    expect((await play.human()).raw().slice(play.from)).not.toMatch(search(rest).sought);
  },
  file(play, rest) {
    const [name = "", ...content] = rest.split(" ");
    expect(readFileSync(join(play.world.project, name), "utf8")).toMatch(search(content.join(" ")).sought);
  },
  "no-file": (play, rest) => expect(existsSync(join(play.world.project, rest)), rest).toBe(false),

  async limit(play) {
    play.limitAt = (await play.sessions())[0]?.limitAt ?? 0;
    expect(play.limitAt).toBeGreaterThan(0);
  },
  prompt: (play) => nextPrompt(play, PATIENCE_MS, 0),
  async stopped(play) {
    await nextPrompt(play, PATIENCE_MS, 148);
  },
  async ends(play, rest) {
    const [status = "", ...more] = rest.split(" ");
    const limited = /^within (\S+)( of the limit)?$/.exec(more.join(" "));
    await nextPrompt(play, 20_000, Number(status));
    if (limited) {
      const took = limited[2] ? Date.now() - play.limitAt : performance.now() - play.startedAt;
      expect(took).toBeGreaterThan(0);
      expect(took).toBeLessThan(milliseconds(limited[1] ?? ""));
    }
    await play.wiped();
  },
};

/** Waits for the shell's next prompt, which must show this exit status. */
async function nextPrompt(play: Play, limitMs: number, status: number): Promise<void> {
  const human = await play.human();
  await until(async () => ((await human.prompt())?.number ?? 0) > play.commandNumber, limitMs, "the shell's prompt");
  const prompt = await human.prompt();
  expect(prompt?.status, "exit status").toBe(status);
  play.commandNumber = prompt?.number ?? 0;
}

function sizeOf(text: string): { cols: number; rows: number } {
  const [cols = 80, rows = 24] = text.split("x").map(Number);
  return { cols, rows };
}

function bytesOf(key: string): string {
  const control = /^ctrl-([a-z])$/.exec(key)?.[1];
  return control ? String.fromCharCode(control.charCodeAt(0) & 0x1f) : (KEYS[key] ?? key);
}

function milliseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)(ms|s)$/.exec(text) ?? [];
  if (unit === undefined) throw new Error(`'${text}' is no time`);
  return Number(number) * (unit === "s" ? 1000 : 1);
}

/** `"text"` or `/regular expression/`, and perhaps `within 10s`. */
function search(rest: string): { sought: RegExp; limitMs: number } {
  const match = /^(.*?)(?:(?:^| )within (\S+))?$/.exec(rest);
  const what = match?.[1] ?? "";
  const limitMs = match?.[2] === undefined ? PATIENCE_MS : milliseconds(match[2]);
  if (what.startsWith("/")) return { sought: expression(what), limitMs };
  return { sought: new RegExp(literal(what.startsWith('"') ? JSON.parse(what) : what)), limitMs };
}

/** With `^` and `$` for rows. */
function expression(text: string): RegExp {
  const [, source = "", flags = ""] = /^\/(.*)\/(s?)$/.exec(text) ?? [];
  return new RegExp(source, `m${flags}`);
}

/** What the group of a pattern holds. */
function captured(text: string, pattern: string): string {
  const found = search(pattern).sought.exec(text)?.[1];
  if (found === undefined) throw new Error(`${pattern} is not in ${text}`);
  return found;
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A row where `…` stands for anything. */
const wild = (row: string): string => row.split("…").map(literal).join(".*");

/** The one child of the shell, running or stopped. */
function launcherOf(human: Human): number | undefined {
  return allProcesses().find((info) => info.parent === human.shell)?.pid;
}

/** Processes that carry a session of this world, wherever they hang in the tree. */
function agentsOf(world: World): number[] {
  return allProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
        return environment.includes("AGENT_RUN_SESSION=") && environment.includes(`HOME=${world.home}\0`);
      } catch {
        return false;
      }
    });
}
