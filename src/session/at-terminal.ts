// What a session asks of its own human, at its terminal: codes and passphrases, a sign-in over the agent, more time. Held by session.ts.
import { AgentRunError } from "../core/error.ts";
import { extensionPrompt, requireExtendable } from "./extension.ts";
import type { Life } from "./life.ts";
import { Questions } from "./questions.ts";
import type { SessionOptions } from "./session-options.ts";
import { signInAnew } from "./sign-in-anew.ts";

export interface AtTerminalOptions extends Pick<SessionOptions, "id" | "open" | "profile" | "paths" | "lease" | "audit"> {
  readonly life: Life;
  /** The session has more time: what it holds ends with the old limit. */
  readonly onExtended: () => void;
}

export class AtTerminal {
  readonly #options: AtTerminalOptions;
  readonly #questions: Questions;
  /** The human is at it, and may be asked for codes. */
  #signingIn = false;
  /** A question about more time stands. */
  #asking = false;
  #refusedAt: number | undefined;

  constructor(options: AtTerminalOptions) {
    this.#options = options;
    this.#questions = new Questions((message) => options.lease.send(message));
  }

  /** The human's answer; to a question that is not open it is dropped. */
  answer(id: number, text: string): void {
    this.#questions.answer(id, text);
  }

  /** The launcher is gone, and with it whoever could answer. */
  giveUp(): void {
    this.#questions.giveUp();
  }

  /** What only the human can give. Once the agent runs nobody is asked on our own accord: the bar says that it is needed. */
  askSecret(kind: "mfa" | "passphrase", prompt: string): Promise<string> {
    if (this.#options.life.isStarting) return this.#questions.ask(kind, prompt);
    if (kind === "mfa" && this.#signingIn) return this.#questions.ask(kind, prompt).then(orPutOff);
    const what = kind === "mfa" ? "an mfa code" : "a passphrase";
    return Promise.reject(new AgentRunError("mfa", `${what} is needed to renew the base credentials`, { hint: "start the agent again" }));
  }

  /**
   * The human asked for it: they are asked what it takes, over the agent, which goes on meanwhile. Gives whether it was tried.
   * @param renew gets the session's credentials anew; may ask for an MFA code
   */
  async signIn(renew: () => Promise<void>): Promise<boolean> {
    const { open, profile, paths, lease, audit, life } = this.#options;
    if (this.#signingIn || !life.isActive) return false;
    this.#signingIn = true;
    const problem = await signInAnew({
      base: { credentials: profile.credentials, awsProfile: profile.awsProfile, env: open.source },
      state: paths.state,
      ask: (prompt) => this.#questions.ask("sign-in", prompt),
      renew,
    });
    this.#signingIn = false;
    audit.append("answer", { question: "sign-in", problem });
    lease.send({ type: "signedIn", ...(problem === undefined ? {} : { problem }) });
    return true;
  }

  /** The session is about to end: whether it may go on. */
  askBeforeExpiry(): void {
    if (!this.#asking) void this.#askForTime("expiry", undefined);
  }

  /**
   * Somebody asks for more time: nobody else than this human can give it. Gives whether they did.
   * @throws AgentRunError as `requireExtendable`
   */
  async extend(byMs: number | undefined): Promise<boolean> {
    const { id, open, life } = this.#options;
    requireExtendable(id, life.state, open.interactive, { open: this.#asking, refusedAt: this.#refusedAt }, life.now());
    return this.#askForTime("extend", byMs);
  }

  async #askForTime(kind: "expiry" | "extend", byMs: number | undefined): Promise<boolean> {
    const { life, audit, onExtended } = this.#options;
    this.#asking = true;
    const prompt = extensionPrompt(life.state, byMs);
    const answer = await this.#questions.ask(kind, prompt, byMs === undefined ? undefined : byMs / 60_000).catch(() => "0");
    this.#asking = false;
    const minutes = Number.parseFloat(answer);
    audit.append("answer", { question: kind, minutes });
    if (!(minutes > 0)) this.#refusedAt = life.now();
    const extended = minutes > 0 && life.extend(Math.round(minutes * 60_000));
    if (extended) {
      audit.append("extend", { by: kind, limitAt: new Date(life.limitAt).toISOString() });
      onExtended();
    }
    return extended;
  }
}

/** Throws AgentRunError `mfa` for an answer that is none. */
function orPutOff(answer: string): string {
  if (answer !== "") return answer;
  throw new AgentRunError("mfa", "it was put off", { hint: "the kill key, then s, when you have the code at hand" });
}
