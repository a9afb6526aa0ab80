// Where stdin is the human's terminal and there is no bar: a terminal of the agent's own in its place, and in that of the outputs that are the same one. The
// agent is a job in its background (tie.ts), and gets the human's keys when it asks for them, by reading. Loaded by preparation.ts, handed to plain.ts.
import { constants, fstatSync, readFileSync } from "node:fs";
import { isatty, type ReadStream, WriteStream } from "node:tty";
import { AgentKeys } from "./agent-keys.ts";
import { type Outputs, openPrivateOutput, openRelay, type PrivateOutput } from "./private-output.ts";
import { copiedModes } from "./terminal-modes.ts";
import { reopenStdin } from "./unread-input.ts";

/** dev_t of /dev/tty, which stands for the terminal that a process has. */
const DEV_TTY = 0x500;

/**
 * @param isDumb TERM is `dumb`: the terminal's modes are what the program behind it chose
 * @throws AgentRunError `isolation` where no PTY is left
 */
export function openPrivateTerminal(streams: Outputs & { readonly stdin: NodeJS.ReadStream }, isDumb: boolean): PrivateOutput {
  const device = deviceOf(0);
  const terminals = ([1, 2] as const).filter((descriptor) => isatty(descriptor));
  const same = terminals.filter((descriptor) => deviceOf(descriptor) === device);
  const others = openPrivateOutput(
    streams,
    terminals.filter((descriptor) => !same.includes(descriptor)),
  );
  const stream = same.includes(2)
    ? streams.stderr
    : same.includes(1)
      ? streams.stdout
      : new WriteStream(reopenStdin(constants.O_WRONLY) ?? 0);
  const relay = openRelay(stream as WriteStream, (bytes) => keys.output(bytes));
  const ready = copiedModes(0, relay.end, isDumb);
  const keys = new AgentKeys({
    input: streams.stdin as ReadStream,
    stream: stream as WriteStream,
    relay,
    ready,
    isAlone: same.length === 2,
    isDumb,
  });
  return {
    ends: new Map([...others.ends, ...([0, ...same] as const).map((descriptor) => [descriptor, relay.end] as const)]),
    masters: [...others.masters, relay.master],
    job: { pty: relay.pty, keys, ready },
    handedOver() {
      others.handedOver();
      relay.handedOver();
    },
    resized() {
      others.resized();
      relay.resized();
    },
    async drained() {
      await keys.end();
      await others.drained();
    },
    giveUp() {
      others.giveUp();
      keys.giveUp();
    },
  };
}

/** Two descriptors of one terminal have the same. */
function deviceOf(descriptor: number): number {
  const { rdev } = fstatSync(descriptor);
  if (rdev !== DEV_TTY) return rdev;
  const text = readFileSync("/proc/self/stat", "latin1");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[4]);
}
