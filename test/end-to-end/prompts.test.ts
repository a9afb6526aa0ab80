// The files of shell/prompts/, where they belong: tmux's status line in tmux, powerlevel10k's function in zsh, starship's command as starship runs it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openOuter } from "../terminal/outer.ts";
import { BIN, has, ROOT } from "./world.ts";

const PROMPTS = join(ROOT, "shell", "prompts");

let home: string;
let env: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ar-prompts-"));
  mkdirSync(join(home, "bin"));
  symlinkSync(BIN, join(home, "bin", "agent-run"));
  const PATH = [join(home, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  env = { PATH, HOME: home, AGENT_RUN_HOME: home, LANG: "C.UTF-8", TERM: "xterm-256color" };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function session(minutes: number): void {
  mkdirSync(join(home, "run", "sess_00000001"), { recursive: true });
  const endsAt = Math.floor(Date.now() / 1000) + minutes * 60 - 20;
  writeFileSync(join(home, "run", "sess_00000001", "status"), `${endsAt} stop codex deploy\n`);
}

it.skipIf(!has("tmux"))("tmux shows the session in its status line, in tmux's colours (needs tmux)", async () => {
  session(9);
  const server = join(home, "tmux.sock");
  await using outer = openOuter("tmux", ["-S", server, "-f", join(PROMPTS, "tmux.conf"), "new-session", "sleep 60"], { cols: 100, env });
  try {
    await outer.until(
      "the session",
      (screen) => /codex deploy 00000001 9m +\d\d:\d\d$/.test(screen.rows().at(-1)?.trimEnd() ?? ""),
      20_000,
    );
    expect(outer.screen.rows().join("\n")).not.toContain("#[");
  } finally {
    spawnSync("tmux", ["-S", server, "kill-server"]);
  }
});

it.skipIf(!has("zsh"))("powerlevel10k's function gives it a segment where a session runs, and none elsewhere (needs zsh)", () => {
  const script = [
    'eval "$(agent-run shell-init zsh)"',
    readFileSync(join(PROMPTS, "powerlevel10k.zsh"), "utf8"),
    'p10k() { print -r -- "<$1 $2 $3>" }',
    "prompt_agent_run",
  ].join("\n");
  const show = (text: string): string => spawnSync("zsh", ["-f", "-c", text], { encoding: "utf8", env }).stdout;
  expect(show(script)).toBe("");
  session(9);
  expect(show(script)).toBe("<segment -t %F{yellow}codex deploy 00000001 9m%f>\n");
  expect(show(script.replace(/^eval.*$/m, ""))).toBe("");
});

it("starship's command prints the session, coloured, and nothing where none runs", () => {
  const { custom } = parse(readFileSync(join(PROMPTS, "starship.toml"), "utf8")) as {
    custom: { agent_run: { command: string; shell: [string]; when: boolean; format: string } };
  };
  const { command, shell, when, format } = custom.agent_run;
  expect({ when, format }).toEqual({ when: true, format: "($output )" });
  // starship gives the command to the shell's stdin, and takes what it prints without the line's end.
  const show = (): string => spawnSync(shell[0], { input: command, encoding: "utf8", env }).stdout.trim();
  expect(show()).toBe("");
  session(3);
  expect(show()).toBe("\u001b[31mcodex deploy 00000001 3m\u001b[39m");
});
