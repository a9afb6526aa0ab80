// What the daemon asks the human: at the prompt before there is an agent, over it from then on. Held by running.ts.
import type { ReadStream, WriteStream } from "node:tty";
import type { QuestionKind } from "../control/protocol.ts";
import { AgentRunError } from "../core/error.ts";
import type { TerminalAgent } from "../terminal/attach.ts";
import type { Context } from "./command.ts";
import { askForTime } from "./expiry-question.ts";
import { askToSignIn } from "./sign-in-question.ts";

export interface Human {
  /** Somebody sits at a terminal. */
  readonly atTerminal: boolean;
  /** It is one that the agent gets with a bar, where an overlay asks later on. */
  readonly inTerminal: boolean;
}

export class Questions {
  readonly #at: Human;
  readonly #streams: Context["streams"];
  readonly #terminalRead: () => Promise<void>;
  /** The agent's screen, once it stands: a session that is very short asks before that. */
  readonly #attached = Promise.withResolvers<TerminalAgent>();
  #screen: TerminalAgent | undefined;
  /** The agent runs, and reads what is typed. */
  #handedOver = false;
  #signIn: AbortController | undefined;
  /** Lines that wait until the question at the prompt is answered; undefined while no question is open. */
  #later: (() => void)[] | undefined;

  /** @param terminalRead resolves when the modes that a question changes were read */
  constructor(at: Human, streams: Context["streams"], terminalRead: () => Promise<void>) {
    this.#at = at;
    this.#streams = streams;
    this.#terminalRead = terminalRead;
  }

  /** Whether a question stands at the prompt. */
  get isOpen(): boolean {
    return this.#later !== undefined;
  }

  /** From here on what is typed is the agent's. */
  handedOver(): void {
    this.#handedOver = true;
  }

  /** The agent has a bar, over which can be asked. */
  attached(screen: TerminalAgent): void {
    this.#screen = screen;
    this.#attached.resolve(screen);
  }

  /** Says it now, or below the question that stands at the prompt: not on its row. */
  beside(say: () => void): void {
    if (this.#later) this.#later.push(say);
    else say();
  }

  /** Gives the human's answer. Throws AgentRunError where nobody can be asked. */
  async ask(kind: QuestionKind, prompt: string, minutes?: number): Promise<string> {
    if (kind === "sign-in") return this.#showSignIn(prompt);
    // Once there is an agent, its terminal is not read for us: an overlay asks.
    if (kind === "mfa" && this.#screen) return (await this.#screen.code("MFA code", [prompt])) ?? "";
    if (kind === "expiry" || kind === "extend")
      return this.#at.inTerminal ? String(await askForTime(await this.#attached.promise, kind, prompt, minutes)) : "0";
    if (!this.#at.atTerminal || this.#handedOver) throw nobodyToAsk(kind, prompt, this.#handedOver);
    await this.#terminalRead();
    const { askLine } = await import("../terminal/prompt.ts");
    const { stdin, stdout, stderr } = this.#streams;
    const shown = stderr.isTTY ? stderr : stdout;
    const later: (() => void)[] = [];
    this.#later = later;
    try {
      return await askLine(stdin as ReadStream, shown as WriteStream, `${prompt}: `, { hidden: kind === "passphrase" });
    } finally {
      this.#later = undefined;
      for (const say of later) say();
    }
  }

  /** The sign-in that was asked for is over. */
  signedIn(): void {
    this.#signIn?.abort();
  }

  /** Stands until the daemon says that it is over, or the human gives it up. */
  async #showSignIn(prompt: string): Promise<string> {
    this.#signIn = new AbortController();
    await askToSignIn(await this.#attached.promise, prompt, this.#signIn.signal);
    return "";
  }
}

function nobodyToAsk(kind: QuestionKind, prompt: string, handedOver: boolean): AgentRunError {
  const why = handedOver ? "the terminal is the agent's by now" : "there is no terminal to ask for it";
  const hint = handedOver ? "start the agent again" : undefined;
  return kind === "mfa"
    ? new AgentRunError("mfa", `the profile wants an MFA code, and ${why}`, {
        hint: hint ?? "run it in a terminal, or take mfa_serial out of the profile",
      })
    : new AgentRunError("base-credentials", `the ${prompt} is needed, and ${why}`, {
        hint: hint ?? "run it in a terminal, or name other base credentials with --aws-profile",
      });
}
