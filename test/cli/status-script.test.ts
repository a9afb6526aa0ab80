// What bin/agent-run.cjs answers before there is Node: shell/status.sh says what src/cli/status.ts says, or leaves it to that.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN } from "../end-to-end/world.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

let home: string;
let shims: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ar status $(id)-"));
  shims = join(home, "shims");
  mkdirSync(shims);
  // As it is installed: by its path in a clone it takes the clone's own Node.
  symlinkSync(BIN, join(home, "installed"));
  // Who starts Node says so.
  writeFileSync(join(shims, "node"), `#!/bin/sh\necho asked-node >&2\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function session(id: string, line: string): void {
  const folder = join(home, "run", id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "status"), line);
}

/** Not within 20 s of a minute more or less, so that two answers agree. */
const inMinutes = (minutes: number): number => Math.floor(Date.now() / 1000) + minutes * 60 - 20;
const FAR = inMinutes(900_000);

interface Answer {
  readonly stdout: string;
  readonly byNode: boolean;
}

/** By the installed command, or by Node alone. */
function ask(args: readonly string[], options: { bin?: string; node?: boolean; env?: Record<string, string> } = {}): Answer {
  const [file, before] = options.node ? [process.execPath, [BIN]] : [options.bin ?? join(home, "installed"), []];
  const env = { PATH: [shims, process.env["PATH"]].join(delimiter), HOME: home, AGENT_RUN_HOME: home, ...options.env };
  const { stdout, stderr } = spawnSync(file, [...before, "status", ...args], { encoding: "utf8", env, cwd: "/" });
  return { stdout, byNode: stderr.includes("asked-node") };
}

const FORMATS = ["prompt", "bash", "zsh", "tmux"] as const;

describe("agent-run status for prompts", () => {
  it.each(FORMATS)("is answered as %s without Node, in the words of Node", (format) => {
    const agree = (env: Record<string, string> = {}): string => {
      const fast = ask(["--format", format], { env });
      expect(fast.byNode).toBe(false);
      expect(fast.stdout).toBe(ask(["--format", format], { node: true, env }).stdout);
      expect(ask([`--format=${format}`], { env })).toEqual(fast);
      return fast.stdout;
    };
    expect(agree()).toBe("");
    const times = [
      [-3, "ask", "0m"],
      [4, "stop", "4m"],
      [5, "ask", "5m"],
      [14, "stop", "14m"],
      [60, "refresh", "1h00m+"],
      [129, "stop", "2h09m"],
    ] as const;
    for (const [minutes, expiry, words] of format === "prompt" ? times : times.slice(-1)) {
      session("sess_00000001", `${inMinutes(minutes)} ${expiry} claude readonly\n`);
      expect(agree()).toContain(`claude readonly 00000001 ${words}`);
      expect(agree({ NO_COLOR: "1" })).toBe(`claude readonly 00000001 ${words}\n`);
    }
    session("sess_00000002", `${inMinutes(9)} refresh mcp_send-email a.b_c\n`);
    session("sess_not-one", "garbage");
    session("sess_00000003x", "garbage");
    mkdirSync(join(home, "run", "sess_00000004"));
    expect(agree()).toMatch(/mcp_send-email a\.b_c 00000002 9m\+.* \+1\n$/s);
    // Inside a session of that one alone, where only its own files are named.
    const inside = { AGENT_RUN_SESSION: "sess_00000001", AWS_CONFIG_FILE: join(home, "run", "sess_00000001", "aws-config") };
    expect(agree(inside)).toMatch(/claude readonly 00000001 2h09m/);
    expect(agree({ ...inside, AGENT_RUN_HOME: "" })).toMatch(/claude readonly 00000001 2h09m/);
    expect(agree({ AGENT_RUN_HOME: "", XDG_RUNTIME_DIR: join(home, "none") })).toBe("");
  });

  it.each([
    ["a control character in a name", `${FAR} stop cla\u001b]52;c;eA==\u0007ude readonly\n`],
    ["what tmux or a shell would run", `${FAR} stop claude #(touch$IFS)x%{$(id)\`id\`\n`],
    ["a word too much", `${FAR} stop claude readonly more\n`],
    ["a name that is too long", `${FAR} stop ${"c".repeat(65)} readonly\n`],
    ["no number", "soon stop claude readonly\n"],
    ["a number too long", "9999999999999 stop claude readonly\n"],
    ["a zero before a number", `0${FAR} stop claude readonly\n`],
    ["no such word", `${FAR} never claude readonly\n`],
    ["no name", `${FAR} stop claude\n`],
    ["no end of the line", `${FAR} stop claude readonly`],
    ["nothing", ""],
  ])("leaves a file with %s to Node", (_what, line) => {
    session("sess_00000001", line);
    const fast = ask(["--format", "prompt"]);
    expect(fast.byNode).toBe(true);
    expect(fast.stdout).toBe(ask(["--format", "prompt"], { node: true }).stdout);
    expect(fast.stdout).toMatch(/^(\u001b\[\d\dm[\w.-]+ [\w.-]+ 0{7}1 [\dhm]+\u001b\[39m\n)?$/);
  });

  it("does not wait for a pipe in the place of a file", () => {
    mkdirSync(join(home, "run", "sess_00000001"), { recursive: true });
    spawnSync("mkfifo", [join(home, "run", "sess_00000001", "status")]);
    session("sess_00000002", `${inMinutes(9)} stop codex deploy\n`);
    expect(ask(["--format", "prompt"]).stdout).toContain("codex deploy 00000002 9m");
    expect(ask(["--format", "text"]).stdout).toContain("codex deploy 9m");
  });

  it("leaves every other question to Node", () => {
    for (const args of [[], ["--json"], ["--format", "text"], ["--format"], ["--format", "prompt", "more"], ["--help"]]) {
      expect(ask(args).byNode, args.join(" ")).toBe(true);
    }
  });

  it("is found through links, and by every sh that is there", () => {
    session("sess_00000001", `${inMinutes(9)} stop codex deploy\n`);
    const link = join(home, "a link");
    symlinkSync(BIN, join(home, "agent-run"));
    symlinkSync(join(home, "agent-run"), link);
    expect(ask(["--format", "prompt"], { bin: link })).toMatchObject({
      byNode: false,
      stdout: expect.stringContaining("codex deploy 00000001 9m"),
    });
    for (const shell of ["dash", "bash", "busybox", "ksh", "zsh"].filter(has)) {
      const sh = join(home, shell);
      mkdirSync(sh);
      symlinkSync(spawnSync("sh", ["-c", `command -v ${shell}`], { encoding: "utf8" }).stdout.trim(), join(sh, "sh"));
      const { stdout } = spawnSync(join(sh, "sh"), [BIN, "status", "--format", "prompt"], {
        encoding: "utf8",
        env: { PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter), HOME: home, AGENT_RUN_HOME: home, NO_COLOR: "1" },
      });
      expect(stdout, shell).toBe("codex deploy 00000001 9m\n");
    }
  });

  it.skipIf(!has("shellcheck"))("comes from a script without a finding of shellcheck (needs shellcheck)", () => {
    const script = join(dirname(BIN), "..", "shell", "status.sh");
    expect(spawnSync("shellcheck", [script], { encoding: "utf8" }).stdout).toBe("");
  });
});

it("on Windows the command says that it needs WSL2, and does nothing", () => {
  const preload = join(home, "windows.cjs");
  writeFileSync(preload, 'Object.defineProperty(process, "platform", { value: "win32" });\n');
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", preload, BIN, "status"], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expect(stderr).toMatch(/^agent-run: error: .*needs WSL2\nagent-run: hint: wsl --install/);
});
