// Asks the human for one line before the agent is launched, such as an MFA code. Called by the launcher.
import type { ReadStream, WriteStream } from "node:tty";
import { AgentRunError } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const BACKSPACE = new Set([0x08, 0x7f]);
const ENTER = new Set([0x0a, 0x0d]);
const LONGEST = 1024;
/** Takes one character from the screen. */
const ERASE = "\b \b";

/** Carries out what `byte` does to the line, and gives the bytes that show it, a letter in UTF-8 one byte at a time. */
function edit(line: number[], byte: number): string {
  if (BACKSPACE.has(byte)) {
    const shown = line.length > 0 ? ERASE : "";
    while (line.length > 0 && ((line.pop() ?? 0) & 0xc0) === 0x80);
    return shown;
  }
  if (byte === CTRL_U) return ERASE.repeat(Buffer.from(line.splice(0)).toString("utf8").length);
  if (byte < 0x20 || line.length >= LONGEST) return "";
  line.push(byte);
  return String.fromCharCode(byte);
}

/**
 * Shows `prompt` and reads a line from the terminal; with `hidden`, what is typed is not shown. Gives the line without its end.
 * @throws AgentRunError `usage` when the human cancels with Ctrl-C or Ctrl-D, or the terminal goes away (exit status 130)
 */
export function askLine(input: ReadStream, output: WriteStream, prompt: string, options: { hidden?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const line: number[] = [];
    const wasRaw = input.isRaw;
    const finish = (settle: () => void): void => {
      input.off("data", onData);
      input.off("end", onEnd);
      input.setRawMode(wasRaw);
      input.pause();
      output.write("\n");
      settle();
    };
    const onEnd = (): void => finish(() => reject(cancelled()));
    const onData = (bytes: Buffer): void => {
      for (const [index, byte] of bytes.entries()) {
        if (ENTER.has(byte)) {
          // What was typed ahead is the agent's.
          const rest = bytes.subarray(index + 1);
          finish(() => resolve(Buffer.from(line).toString("utf8")));
          if (rest.length > 0) input.unshift(rest);
          return;
        }
        if (byte === CTRL_C || (byte === CTRL_D && line.length === 0)) {
          finish(() => reject(cancelled()));
          return;
        }
        const shown = edit(line, byte);
        if (shown !== "" && !options.hidden) output.write(shown, "latin1");
      }
    };
    // Before the prompt is seen: a Ctrl-C from then on is for us to take.
    input.setRawMode(true);
    output.write(oneLine(prompt));
    input.on("data", onData);
    input.on("end", onEnd);
    input.resume();
  });
}

function cancelled(): AgentRunError {
  return new AgentRunError("usage", "cancelled", { hint: "run it again when you have the answer at hand", exitStatus: 130 });
}
