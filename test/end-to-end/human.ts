// A human at a terminal: a shell in a real PTY, and a terminal emulator that shows what stays on the screen. Used by the tests of this folder.
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { foregroundGroup } from "../../src/terminal/foreground.ts";
import { alive, BIN, until, type World } from "./world.ts";

export interface Prompt {
  /** How many commands the shell has run. */
  readonly number: number;
  /** Exit status of the last one. */
  readonly status: number;
}

export interface Human extends AsyncDisposable {
  /** The shell's pid. */
  readonly shell: number;
  /** All that came from the terminal's other side, escape sequences included. */
  raw(): string;
  /** What is visible, row by row, without blanks at the end of a row. */
  screen(): Promise<string[]>;
  /** The prompt that the cursor stands behind, if it does. */
  prompt(): Promise<Prompt | undefined>;
  /** Sends bytes as keys would. */
  type(text: string): void;
  resize(cols: number, rows: number): void;
  /** Runs a command line at the prompt and waits for the next prompt. Gives its exit status. */
  run(line: string): Promise<number>;
  /** Modes of the emulator that an agent may have left. */
  modes(): Promise<{ alternate: boolean; cursorHidden: boolean; mouse: string; bracketedPaste: boolean; applicationCursor: boolean }>;
  /** Closes the terminal, as a window that is closed: everybody in it gets SIGHUP. */
  hangUp(): void;
  /** The process group that has the terminal now. */
  foreground(): number;
  /** Processes other than the shell that hold the terminal open. */
  holders(): number[];
}

interface Internals {
  readonly _core: { readonly coreService: { readonly isCursorHidden: boolean } };
}

/** `command number:exit status> `: two prompts are never the same. */
const PS1 = "\\#:$?> ";
const PROMPT = /(?:^|[^0-9])(\d+):(\d+)>$/;

export interface Answers {
  /** What this terminal sends back for what it gets, besides what the emulator does. */
  readonly reply: (output: string) => string;
  /** How long all its answers are on their way. */
  readonly latencyMs: number;
}

/** Starts bash without start-up files and without line editing, so that the terminal's modes at the prompt are the kernel's own. */
export async function sitDown(
  env: Record<string, string>,
  cwd: string,
  size: { cols: number; rows: number },
  answers?: Answers,
): Promise<Human> {
  const terminal = new xterm.Terminal({ ...size, scrollback: 1000, allowProposedApi: true, logLevel: "off" });
  const pty = spawn("bash", ["--norc", "--noprofile", "--noediting", "-i"], {
    ...size,
    name: env["TERM"] ?? "xterm-256color",
    cwd,
    env: { ...env, PS1, HISTFILE: "" },
  });
  let raw = "";
  const send = (reply: string): void => {
    if (reply === "") return;
    if (answers === undefined) pty.write(reply);
    else setTimeout(() => pty.write(reply), answers.latencyMs);
  };
  pty.onData((text) => {
    raw += text;
    if (answers !== undefined) send(answers.reply(text));
    terminal.write(text);
  });
  terminal.onData(send);
  const parsed = (): Promise<void> => new Promise((resolve) => terminal.write("", resolve));
  const screen = async (): Promise<string[]> => {
    await parsed();
    const { active } = terminal.buffer;
    return Array.from(
      { length: terminal.rows },
      (_, y) =>
        active
          .getLine(active.baseY + y)
          ?.translateToString(true)
          .trimEnd() ?? "",
    );
  };
  const prompt = async (): Promise<Prompt | undefined> => {
    const rows = await screen();
    const { cursorX, cursorY } = terminal.buffer.active;
    const match = PROMPT.exec(rows[cursorY] ?? "");
    return match && cursorX === (rows[cursorY] ?? "").length + 1 ? { number: Number(match[1]), status: Number(match[2]) } : undefined;
  };
  const device = (): string => readlinkSync(`/proc/${pty.pid}/fd/0`);
  await until(async () => (await prompt()) !== undefined, 10_000, "the shell's first prompt");
  return {
    shell: pty.pid,
    raw: () => raw,
    screen,
    prompt,
    type: (text) => pty.write(text),
    resize(cols, rows) {
      terminal.resize(cols, rows);
      pty.resize(cols, rows);
    },
    async run(line) {
      const before = (await prompt())?.number ?? 0;
      pty.write(`${line}\r`);
      await until(async () => ((await prompt())?.number ?? 0) > before, 10_000, `the end of '${line}'`);
      return (await prompt())?.status ?? -1;
    },
    async modes() {
      await parsed();
      const { mouseTrackingMode, bracketedPasteMode, applicationCursorKeysMode } = terminal.modes;
      return {
        alternate: terminal.buffer.active.type === "alternate",
        cursorHidden: (terminal as unknown as Internals)._core.coreService.isCursorHidden,
        mouse: mouseTrackingMode,
        bracketedPaste: bracketedPasteMode,
        applicationCursor: applicationCursorKeysMode,
      };
    },
    hangUp() {
      // `destroy` closes the master; the type declarations do not know it.
      (pty as unknown as { destroy(): void }).destroy();
    },
    foreground: () => foregroundGroup(pty.pid) ?? pty.pid,
    holders() {
      const tty = device();
      return readdirSync("/proc")
        .map(Number)
        .filter((pid) => pid > 0 && pid !== pty.pid && opens(pid, tty));
    },
    async [Symbol.asyncDispose]() {
      pty.kill("SIGKILL");
      await until(() => !alive(pty.pid), 5000, "the shell to end");
      terminal.dispose();
    },
  };
}

/** Whether a process has this file open, as far as we may see. */
function opens(pid: number, file: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`) === file;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** `agent-run`, and the Node that it needs, are commands there. */
export function putOnPath(world: World): void {
  const bin = join(world.own, "bin");
  mkdirSync(bin);
  symlinkSync(BIN, join(bin, "agent-run"));
  symlinkSync(process.execPath, join(bin, "node"));
  world.env["PATH"] = `${bin}:${world.env["PATH"]}`;
}

/** The files of a world's project, by name. */
export function projectFiles(project: () => string): {
  file(name: string): string;
  /** Nothing where there is none. */
  text(name: string): string;
  /** A program for the agent to run, so that a command line does not hold what it prints. Gives its name. */
  script(lines: string, name?: string): string;
} {
  const file = (name: string): string => join(project(), name);
  return {
    file,
    text: (name) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : ""),
    script(lines, name = "agent.sh") {
      writeFileSync(file(name), lines);
      return name;
    },
  };
}
