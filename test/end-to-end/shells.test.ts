// What agent-run puts into shells, in the shells themselves: agents go through it, Tab completes, the prompt shows the time left, and all of it goes away again.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, FIXTURES, has, makeWorld, until, type World } from "./world.ts";

interface Shell {
  readonly name: string;
  /** Starts it without anybody's start-up files. */
  readonly command: string;
  /** Lines that load what agent-run gives, as its documentation says. */
  readonly load: readonly string[];
  readonly prompt: string;
  /** A function of the human's own that has an agent's name. */
  readonly own: string;
  /** Writes a text as one word. */
  quote(text: string): string;
}

const posixQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const shells: readonly Shell[] = [
  {
    name: "bash",
    command: "bash --norc --noprofile -i",
    load: ['eval "$(agent-run shell-init bash)"', "source <(agent-run completion bash)"],
    prompt: "PS1='$(agent_run_prompt)READY '",
    own: 'claude() { command claude mine "$@"; }',
    quote: posixQuote,
  },
  {
    name: "zsh",
    command: "zsh -f -i",
    load: ["autoload -U compinit; compinit -u -D", 'eval "$(agent-run shell-init zsh)"', "source <(agent-run completion zsh)"],
    prompt: "setopt prompt_subst; PROMPT='$(agent_run_prompt)READY '",
    own: 'claude() { command claude mine "$@"; }',
    quote: posixQuote,
  },
  {
    name: "fish",
    command: "fish --no-config -i",
    load: ["agent-run shell-init fish | source", "agent-run completion fish | source"],
    prompt: "function fish_prompt; agent_run_prompt; echo -n 'READY '; end",
    own: "function claude; command claude mine $argv; end",
    quote: (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  },
];

const HOSTILE = ["a b", "c\"d'e", "$(touch nope)", "`id`", "*", "-x", "\\", "ü😀", ""];
const LIMIT_MS = 25_000;

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  const bin = join(world.home, "bin dir");
  mkdirSync(bin);
  symlinkSync(BIN, join(bin, "agent-run"));
  symlinkSync(join(FIXTURES, "prints-arguments.mjs"), join(bin, "claude"));
  world.env["PATH"] = [bin, world.env["PATH"]].join(delimiter);
});
afterEach(() => world[Symbol.asyncDispose]());

/** A shell in tmux, 150 columns wide. */
class Terminal implements Disposable {
  readonly #socket = `shells-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor(shell: Shell, env: Record<string, string>, cwd: string) {
    this.#tmux(["-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "50", "-c", cwd, shell.command], env);
  }

  #tmux(args: readonly string[], env?: Record<string, string>): string {
    return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8", ...(env ? { env } : {}) });
  }

  type(text: string, ...keys: string[]): void {
    if (text !== "") this.#tmux(["send-keys", "-l", "--", text]);
    for (const key of keys) this.#tmux(["send-keys", key]);
  }

  /** What is on the screen, with lines that were too long put together again. */
  screen(): string {
    return this.#tmux(["capture-pane", "-p", "-J", "-S", "-200"]);
  }

  async shows(text: string | RegExp): Promise<void> {
    const there = (): boolean => (typeof text === "string" ? this.screen().includes(text) : text.test(this.screen()));
    await until(there, LIMIT_MS, String(text)).catch(() => {
      throw new Error(`never on the screen: ${text}\n${this.screen()}`);
    });
  }

  /** Waits until the last line is a prompt that nothing was typed behind. */
  async waits(): Promise<void> {
    await this.shows(/READY *\s*$/);
  }

  /** What the agent printed, each time that it ran. */
  printed(): { session: boolean; args: string[] }[] {
    return [...this.screen().matchAll(/<<(\{.*?\})>>/g)].map(([, json = ""]) => JSON.parse(json));
  }

  async ran(times: number): Promise<void> {
    await until(() => this.printed().length >= times, LIMIT_MS, `the agent for the ${times}. time`).catch(() => {
      throw new Error(`the agent did not run ${times} times\n${this.screen()}`);
    });
  }

  [Symbol.dispose](): void {
    this.#tmux(["kill-server"]);
  }
}

async function open(shell: Shell, more: Record<string, string> = {}, before: readonly string[] = []): Promise<Terminal> {
  const terminal = new Terminal(shell, { ...world.env, ...more }, world.project);
  for (const line of [...before, ...shell.load, shell.prompt]) terminal.type(line, "Enter");
  await terminal.waits();
  terminal.type("", "C-l");
  await terminal.waits();
  return terminal;
}

/** A session as far as a prompt sees one. */
function standIn(session: string, minutes: number, rest: string): void {
  const folder = join(world.own, "run", session);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "status"), `${Math.floor(Date.now() / 1000) + minutes * 60 - 5} ${rest}\n`);
}

for (const shell of shells) {
  const there = has("tmux") && has(shell.name);
  describe.skipIf(!there)(`in ${shell.name}${there ? "" : ` (needs tmux and ${shell.name})`}`, () => {
    it("an agent goes through agent-run, `command` is the bare one, and what is typed arrives as it is", async () => {
      using terminal = await open(shell);
      terminal.type(`claude ${HOSTILE.map(shell.quote).join(" ")}`, "Enter");
      await terminal.ran(1);
      expect(terminal.printed()[0]).toEqual({ session: true, args: HOSTILE });
      await terminal.waits();
      terminal.type("command claude bare", "Enter");
      await terminal.ran(2);
      expect(terminal.printed()[1]).toEqual({ session: false, args: ["bare"] });
    });

    it("the prompt shows the session that ends first, and no more once it is over", async () => {
      standIn("sess_00000001", 42, "refresh claude readonly");
      standIn("sess_00000002", 7, "stop codex deploy");
      using terminal = await open(shell);
      await terminal.shows("codex deploy 00000002 7m +1 READY");
      rmSync(join(world.own, "run", "sess_00000002"), { recursive: true });
      terminal.type("", "Enter");
      await terminal.shows("claude readonly 00000001 42m+ READY");
      writeFileSync(join(world.own, "run", "sess_00000001", "status"), "garbage $(id) `id`\n");
      terminal.type("", "Enter");
      await terminal.shows(/^READY *\s*$(?![\s\S]*\S)/m);
    });

    it("Tab completes commands, options, profiles and sessions", async () => {
      mkdirSync(join(world.own, "config", "profiles", "zebra"), { recursive: true });
      standIn("sess_0badcafe", 9, "stop codex deploy");
      using terminal = await open(shell);
      const lines = [
        ["agent-run doct", "agent-run doctor"],
        ["agent-run -p zeb", "agent-run -p zebra"],
        ["agent-run kill sess_0b", "agent-run kill sess_0badcafe"],
        ["agent-run --on-expiry ref", "agent-run --on-expiry refresh"],
      ] as const;
      for (const [typed, completed] of lines) {
        terminal.type(typed, "Tab");
        await terminal.shows(completed);
        terminal.type("", "C-u");
      }
    });

    it("Tab puts a hostile name on the line as that one word, and nothing of it runs", async () => {
      const name = "quagga $(touch nope); 'x' & {a,b} * \\n `touch nope` ü";
      mkdirSync(join(world.home, ".aws"));
      writeFileSync(join(world.home, ".aws", "config"), `[profile ${name}]\nregion = eu-west-1\n`);
      using terminal = await open(shell);
      terminal.type("agent-run --aws-profile quag", "Tab");
      await terminal.shows(/touch.*ü/);
      terminal.type("", "C-a");
      terminal.type("command claude ", "Enter");
      await terminal.ran(1);
      expect(terminal.printed()[0]?.args).toEqual(["agent-run", "--aws-profile", name]);
      expect(readdirSync(world.project)).toEqual([]);
    });

    it("`agent_run_off` takes all of it away and brings back what was there, and inside a session it was never there", async () => {
      standIn("sess_00000001", 42, "refresh codex readonly");
      using terminal = await open(shell, {}, [shell.own]);
      // Loaded twice, as start-up files sometimes are.
      terminal.type(shell.load.at(-2) ?? "", "Enter");
      await terminal.shows(/codex readonly 00000001 42m\+ READY *\s*$/);
      terminal.type("agent_run_off", "Enter");
      terminal.type("claude afterwards", "Enter");
      await terminal.ran(1);
      expect(terminal.printed()[0]).toEqual({ session: false, args: ["mine", "afterwards"] });
      terminal.type("", "C-l");
      await terminal.shows(/^READY *\s*$/m);
      terminal.type("agent-run doct", "Tab");
      terminal.type(";echo done", "Enter");
      await terminal.shows(/^done/m);
      expect(terminal.screen().split("claude afterwards").at(-1)).not.toMatch(/doctor|agent_run_prompt|42m/);
      using inside = await open(shell, { AGENT_RUN: "1" });
      inside.type("claude inside", "Enter");
      await inside.ran(1);
      expect(inside.printed()[0]).toEqual({ session: false, args: ["inside"] });
      inside.type("agent_run_off", "Enter");
      await inside.waits();
      expect(inside.screen()).not.toMatch(/not found|error/i);
    });
  });
}

describe("the scripts", () => {
  it.skipIf(!has("shellcheck"))("for bash have no finding of shellcheck (needs shellcheck)", async () => {
    for (const kind of ["shell-init", "completion"]) {
      const { stdout } = await world.run([kind, "bash"]);
      expect(spawnSync("shellcheck", ["-s", "bash", "-"], { input: stdout, encoding: "utf8" }).stdout).toBe("");
    }
  });

  it("name the agents of config.toml, and refuse what is no command's name", async () => {
    const config = (agents: string): void => writeFileSync(join(world.own, "config", "config.toml"), `[shell]\nagents = ${agents}\n`);
    config('["mine"]');
    const { stdout } = await world.run(["shell-init", "bash"]);
    expect(stdout).toContain("function mine {");
    expect(stdout).not.toContain("function claude");
    config('["a; rm -rf x"]');
    expect(await world.run(["shell-init", "bash"])).toMatchObject({ code: 125, stdout: "" });
  });

  it("come for three shells, and another one is refused by name", async () => {
    const refused = await world.run(["shell-init", "tcsh"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("'tcsh' is none of bash, zsh, fish");
  });
});

describe("agent-run status", () => {
  it("prints what a prompt, tmux or a program takes, and nothing where no session runs", async () => {
    const show = async (format: string): Promise<string> => (await world.run(["status", "--format", format])).stdout;
    expect(await show("prompt")).toBe("");
    expect(await show("json")).toBe("[]\n");
    standIn("sess_00000001", 75, "ask claude readonly");
    expect(await show("prompt")).toBe("\u001b[32mclaude readonly 00000001 1h15m\u001b[39m\n");
    expect(await show("tmux")).toBe("#[fg=green]claude readonly 00000001 1h15m#[default]\n");
    expect(await show("text")).toBe("sess_00000001 claude readonly 1h15m\n");
    expect(JSON.parse(await show("json"))).toMatchObject([{ session: "sess_00000001", minutesLeft: 75, actor: "claude", onExpiry: "ask" }]);
    standIn("sess_00000001", 3, "ask claude readonly");
    expect(await show("prompt")).toContain("\u001b[31m");
  });

  it("tells of a real session while it runs, from inside too, and of nothing afterwards", async () => {
    const inside = await world.run(["sh", "-c", `"${process.execPath}" "${BIN}" status --format text`]);
    expect(inside.stdout).toMatch(/^sess_[0-9a-f]{8} sh demo \d+h?\d*m\+?\n$/);
    expect((await world.run(["status", "--json"])).stdout).toBe("[]\n");
  });
});
