// The sandbox of an agent that may not start yet, or the shell alone that becomes it: made while AWS is asked, and where nothing comes of it taken away with all
// that was made for it.
// Held by preparation.ts.
import { rmSync } from "node:fs";
import type { Isolation } from "../isolation/isolate.ts";
import type { PlainAgent } from "../terminal/plain.ts";
import type { ShimHost } from "../terminal/shim-host.ts";

/** In a terminal the shim, else the agent's process; either holds nothing but a shell of ours. */
export type Waiting = { readonly shim: ShimHost } | { readonly plain: PlainAgent };

/** What ends a launcher that does nothing about it. */
const DEADLY = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const;

export class Held {
  readonly #isolation: Isolation;
  readonly #folder: string;
  #waiting: Waiting | undefined;
  #ending: Promise<void> | undefined;
  /** A signal ends this process, after us. */
  #dying = false;
  readonly #onSignal = (name: NodeJS.Signals): void => {
    this.#dying = true;
    void this.end().finally(() => process.kill(process.pid, name));
  };

  /**
   * @param folder the session's, of which nobody else may be left to remove it
   * @throws what `start` throws; nothing is left then
   */
  constructor(isolation: Isolation, folder: string, start: () => Waiting) {
    this.#isolation = isolation;
    this.#folder = folder;
    for (const name of DEADLY) process.on(name, this.#onSignal);
    try {
      this.#waiting = start();
    } catch (error) {
      this.#deaf();
      throw error;
    }
  }

  /** Every gate was passed: who takes it lets the agent start, and ends it. Undefined when it was ended. Never resolves when a signal ends us. */
  async take(): Promise<Waiting | undefined> {
    if (this.#dying) await new Promise(() => {});
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#deaf();
    return waiting;
  }

  /** There is no agent: nothing is left when it resolves. Does nothing once it was taken. Any number of times. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    await ("shim" in waiting ? waiting.shim : waiting.plain).end();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#isolation.release();
    this.#deaf();
  }

  #deaf(): void {
    for (const name of DEADLY) process.off(name, this.#onSignal);
  }
}
