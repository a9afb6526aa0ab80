// A waiting shell that puts the human's terminal right when the launcher dies without being able to: SIGKILL, a crash. Used by human-terminal.ts.
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Reads one line at a time, each a printf format with what would reset the terminal now. When its input ends without `done`, it writes the last
 * one and restores the modes; where there was none, the terminal was never changed, and somebody else may have it by now. Descriptor 3 is the
 * terminal's input side, 4 its output side.
 *
 * It races with the human's shell, which is told of our death at the same moment. So the screen comes first, by a builtin. The modes are restored
 * only while they are ours, without output processing or with a mode that nobody sets: a shell that has begun to edit a line has set its own. And where such a shell wrote its
 * prompt to the alternate screen that we then left, it is made to write it again: a window that changes its size is what most of them redraw for.
 */
const PROGRAM = [
  'last=;while IFS= read -r line;do last=$line;done;case "$last" in ""|done)exit 0;;modes)last=;;esac',
  'printf "$last" >&4;PATH="$PATH:/usr/bin:/bin"',
  'case $(stty -a <&3) in *-opost*|*" echonl"*)stty "$1" <&3;exit;;esac',
  "case $last in *47l*|*1049l*);;*)exit;;esac",
  "sleep 0.1;set -- $(stty size <&3);stty cols $(($2+1)) <&3;sleep 0.05;stty cols $2 <&3",
].join(";");

export interface Guard {
  /** What to write to the terminal if we die from now on; nothing while it is in order. */
  protect(reset: string): void;
  /** Its modes alone are to be restored. */
  protectModes(): void;
  /** The terminal is in order: the guard leaves without doing anything. */
  dismiss(): void;
}

/**
 * Starts the guard, in a session of its own so that no signal for us reaches it. Start it before the PTY, whose master every later child inherits.
 * @param modes what `stty -g` gave
 */
export function startGuard(modes: string, inputFd: number, outputFd: number): Guard {
  // Never the terminal as descriptor 0 to 2: libuv makes these blocking in the child, and the file description is shared with us.
  const child = spawn("/bin/sh", ["-c", PROGRAM, "sh", modes], {
    stdio: ["pipe", "ignore", "ignore", inputFd, outputFd],
    detached: true,
    env: { PATH: "/usr/bin:/bin" },
  });
  child.on("error", () => undefined);
  child.unref();
  const pipe = child.stdin as Writable & { unref?: () => void };
  pipe.on("error", () => undefined);
  pipe.unref?.();
  let last: string | undefined;
  return {
    protect(reset) {
      if (reset === last) return;
      last = reset;
      pipe.write(`${asFormat(reset)}\n`);
    },
    protectModes() {
      last = undefined;
      pipe.write("modes\n");
    },
    dismiss() {
      if (!pipe.writableEnded) pipe.end("done\n");
    },
  };
}

/** The bytes as a printf(1) format without any character that the format, `read` or a line could change. */
function asFormat(text: string): string {
  return [...Buffer.from(text, "utf8")]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x5c ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte),
    )
    .join("");
}
