// Who has the human's keys where there is no bar: the agent from when it reads on, while we are in the foreground and nobody else of a pipeline has changed
// the terminal. Used by private-terminal.ts and plain.ts.
import type { ReadStream, WriteStream } from "node:tty";
import { monotonic, sleep, within } from "../core/clock.ts";
import { type DirectReader, type Handle, readDirectly } from "./direct-reader.ts";
import { isInBackground } from "./foreground.ts";
import { type HumanTerminal, openHumanTerminal, stty } from "./human-terminal.ts";
import { openPacedWriter } from "./paced-writer.ts";
import type { Relay } from "./private-output.ts";
import { bothModes, type Copied, echoes, isAtRest } from "./terminal-modes.ts";
import { type Answer, WANTS } from "./tie.ts";
import { takeTyped, watchUnread } from "./unread-input.ts";

/** How often it is looked again, where the terminal is somebody else's. */
const LOOK_MS = 250;
/** An echo comes at once, or not at all: who takes it away meanwhile shows something else. */
const SHOWN_MS = 2000;
/** Within that the rest of a line is shown. */
const ECHO_MS = 10;
const LINE_END = Buffer.from("\n");
/** Who ends a session does not wait longer than this for a terminal that takes nothing. */
const GIVEN_UP_MS = 1000;

export interface AgentKeysOptions {
  readonly input: ReadStream;
  /** The same terminal, to write to. */
  readonly stream: WriteStream;
  /** Shows the agent's terminal on it. */
  readonly relay: Relay;
  /** The agent's terminal has its modes. */
  readonly ready: Promise<Copied>;
  /** Nobody else of a pipeline is at it. */
  readonly isAlone: boolean;
  readonly isDumb: boolean;
}

export class AgentKeys {
  readonly #options: AgentKeysOptions;
  readonly #toAgent: ReturnType<typeof openPacedWriter>;
  readonly #givenUp = Promise.withResolvers<void>();
  #answer: (answer: Answer) => void = () => undefined;
  #stopUs: (name: NodeJS.Signals) => void = () => undefined;
  #modes: Copied = { endOfFile: undefined, returns: false };
  #human: HumanTerminal | undefined;
  #reader: DirectReader | undefined;
  /** What is typed goes to the agent. */
  #taken = false;
  /** The modes that we gave the human's terminal: where it has others, somebody else has it now. */
  #ours = "";
  /** The agent is stopped, and its shell waits for our answer. */
  #waits = false;
  #granting = false;
  #over = false;
  #watch: Disposable | undefined;
  /** An end of file stands in the agent's terminal, so that who waits until there is something to read comes to read. */
  #baited = false;
  /** What the human's terminal has shown already, and the agent's shows again, until then. */
  #shown: Buffer = Buffer.alloc(0);
  #shownUntil = 0;
  #typed: Promise<void> = Promise.resolve();

  constructor(options: AgentKeysOptions) {
    this.#options = options;
    this.#toAgent = openPacedWriter(options.relay.master);
  }

  /** Whether the kernel tells the agent of signals and sizes, since it has its terminal's foreground. */
  get isTaken(): boolean {
    return this.#taken;
  }

  /**
   * There is an agent.
   * @param answer to what its shell says
   * @param stopUs stops all of our group, until somebody continues it
   */
  async begin(answer: (answer: Answer) => void, stopUs: (name: NodeJS.Signals) => void): Promise<void> {
    this.#answer = answer;
    this.#stopUs = stopUs;
    this.#modes = await this.#options.ready;
    this.#look();
  }

  /** A word of its shell. */
  said(word: number): void {
    this.#waits = true;
    if (this.#over) void sleep(LOOK_MS).then(() => this.goOn());
    else if (word === WANTS) void this.#grant();
    else void this.stop();
  }

  /** An agent that waits for the terminal goes on without it: a signal came for it. */
  goOn(): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.#answer("on");
  }

  /** We stop; when we are continued, the agent is too. */
  async stop(): Promise<void> {
    await this.#release();
    this.#stopUs("SIGTSTP");
    this.goOn();
    this.#look();
  }

  get isWaiting(): boolean {
    return this.#waits;
  }

  /** We were continued: whoever had the terminal meanwhile may have changed it. */
  async continued(): Promise<void> {
    if (this.#taken && this.#options.isAlone && !isInBackground()) await this.#human?.raw();
  }

  /** From now on it does not wait for anybody. */
  giveUp(): void {
    this.#over = true;
    this.#givenUp.resolve();
    this.goOn();
  }

  /** The agent is gone: resolves when all that it wrote is shown, and the terminal is as it was. */
  async end(): Promise<void> {
    const { relay } = this.#options;
    this.#over = true;
    this.#watch?.[Symbol.dispose]();
    await Promise.race([relay.over, this.#givenUp.promise.then(() => within(relay.over, GIVEN_UP_MS))]);
    await this.#release();
    this.#reader?.destroy();
    this.#toAgent.close();
    relay.close();
    this.#human?.close();
  }

  /** What the agent's terminal says, as the human's is to get it: while that one makes CR LF of line ends itself, without the CR. */
  output(bytes: Buffer): Buffer {
    const rest = this.#withoutShown(bytes);
    if ((this.#taken && this.#options.isAlone) || !this.#modes.returns || !rest.includes("\r\n")) return rest;
    return Buffer.from(rest.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
  }

  #withoutShown(bytes: Buffer): Buffer {
    const length = Math.min(bytes.length, this.#shown.length);
    if (length === 0 || monotonic() > this.#shownUntil) return bytes;
    const isSame = bytes.subarray(0, length).equals(this.#shown.subarray(0, length));
    this.#shown = isSame ? this.#shown.subarray(length) : Buffer.alloc(0);
    return isSame ? bytes.subarray(length) : bytes;
  }

  #shows(lines: Buffer): void {
    this.#shown = Buffer.from(lines.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
    this.#shownUntil = monotonic() + SHOWN_MS;
  }

  /** Who polls before it reads is not stopped by the kernel. So where lines were typed that nobody takes, it gets something to read. */
  #look(): void {
    const { endOfFile } = this.#modes;
    if (this.#over || this.#taken || this.#baited || endOfFile === undefined) return;
    this.#watch?.[Symbol.dispose]();
    this.#watch = watchUnread(() => {
      if (this.#over || this.#taken || this.#granting) return;
      if (isInBackground()) return void sleep(LOOK_MS).then(() => this.#look());
      this.#baited = true;
      this.#toAgent.write(Buffer.from([endOfFile]));
    });
  }

  async #grant(): Promise<void> {
    if (this.#granting) return;
    this.#granting = true;
    this.#watch?.[Symbol.dispose]();
    while (this.#waits && !this.#over) {
      if (isInBackground()) {
        // As the kernel would have done with the agent. Where nobody could continue us, we are not stopped.
        this.#stopUs("SIGTTIN");
        if (isInBackground()) await sleep(LOOK_MS);
      } else if (!(await this.#isFree())) await sleep(LOOK_MS);
      else {
        await this.#take();
        if (!this.#waits) break;
        this.#waits = false;
        this.#answer("take");
      }
    }
    this.#granting = false;
  }

  async #isFree(): Promise<boolean> {
    return this.#options.isAlone || isAtRest(await stty(0, ["-a"]), this.#options.isDumb);
  }

  async #take(): Promise<void> {
    const { input, stream, relay, isAlone } = this.#options;
    relay.pause();
    await relay.flushed();
    this.#human ??= await openHumanTerminal(input, stream);
    this.#human.guard.protectModes();
    // What was typed until now is shown already: whole lines, and after the change what came after them.
    const endOfFile = this.#modes.endOfFile ?? 4;
    const typed = takeTyped(endOfFile);
    await this.#human.raw(!isAlone);
    const late = takeTyped(endOfFile);
    // A CR was typed after it.
    const shown = late.includes(0x0d) ? late.subarray(0, late.lastIndexOf(0x0a) + 1) : late;
    if (!isAlone) this.#ours = await stty(0, ["-g"]);
    this.#taken = true;
    relay.resume();
    const before = Buffer.concat([this.#unread(endOfFile), typed, shown]);
    this.#shows(before);
    this.#toAgent.write(before);
    if (late.length > shown.length) this.#onKeys(late.subarray(shown.length));
    if (this.#reader === undefined) this.#read();
    else this.#reader.resume();
  }

  /** What stands in the agent's terminal already, without what we put there: a reader of another session than its terminal's may have taken that meanwhile. */
  #unread(endOfFile: number): Buffer {
    if (!this.#baited) return Buffer.alloc(0);
    this.#baited = false;
    const unread = takeTyped(endOfFile, this.#options.relay.pty);
    return unread.at(-1) === endOfFile ? unread.subarray(0, -1) : unread;
  }

  #read(): void {
    this.#reader = readDirectly(this.#options.input as unknown as Handle, (bytes) => this.#onKeys(bytes as Buffer));
    // The window is gone. The kernel tells it to the terminal's own session only, and ours may be another.
    this.#reader.onClose(() => {
      if (!this.#over) process.kill(process.pid, "SIGHUP");
    });
  }

  #onKeys(bytes: Buffer): void {
    if (this.#options.isAlone) this.#toAgent.write(bytes);
    else this.#typed = this.#typed.then(() => this.#passOn(bytes));
  }

  /** Of a pipeline somebody else may have begun to read keys since we gave them to the agent: they are not for it. */
  async #passOn(bytes: Buffer): Promise<void> {
    if (!this.#taken) return;
    const [human, agent] = await bothModes(0, this.#options.relay.pty);
    if (human === this.#ours) {
      // What the agent says about a line comes by another way than the line's echo, and is not to come before its end.
      const end = echoes(agent) ? bytes.lastIndexOf(0x0d) : -1;
      if (end > 0) {
        this.#toAgent.write(bytes.subarray(0, end));
        await sleep(ECHO_MS);
      }
      if (end >= 0 && (this.#shown.length === 0 || monotonic() > this.#shownUntil)) {
        this.#options.relay.show(LINE_END);
        this.#shows(LINE_END);
      }
      return this.#toAgent.write(bytes.subarray(Math.max(0, end)));
    }
    this.#reader?.pause();
    while (this.#taken && !this.#over) {
      const now = await stty(0, ["-g"]);
      if (now !== this.#ours && (await this.#isFree())) await this.#human?.raw(true);
      else if (now === this.#ours) return this.#reader?.resume();
      await sleep(LOOK_MS);
    }
  }

  async #release(): Promise<void> {
    if (!this.#taken) return;
    this.#reader?.pause();
    await this.#options.relay.flushed();
    this.#taken = false;
    const isOurs = !isInBackground() && (this.#options.isAlone || (await stty(0, ["-g"])) === this.#ours);
    if (isOurs) await this.#human?.cooked();
    this.#human?.guard.protect("");
  }
}
