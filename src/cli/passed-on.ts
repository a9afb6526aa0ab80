// Signals that a launcher passes on to its agent. Held by running.ts.

/** SIGTSTP and SIGCONT are job control: the terminal part handles them. */
const PASSED_ON = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/**
 * The one that the kernel itself may end us at while a file system is waited for. Not SIGINT, as one Ctrl-C more than the agent needed is no reason to lose its
 * exit status; nor SIGHUP, which a terminal that is closed can send twice; nor SIGQUIT, which writes our memory to a file.
 */
const LEFT_TO_KERNEL = "SIGTERM";

export class PassedOn implements Disposable {
  readonly #passOn: (name: NodeJS.Signals) => void;

  constructor(passOn: (name: NodeJS.Signals) => void) {
    this.#passOn = passOn;
    for (const name of PASSED_ON) process.on(name, passOn);
  }

  /** Lets the kernel itself end this process at SIGTERM meanwhile: no handler of ours runs while a file system that does not answer is waited for. */
  async exceptWhile<Value>(work: () => Promise<Value>): Promise<Value> {
    process.off(LEFT_TO_KERNEL, this.#passOn);
    try {
      return await work();
    } finally {
      process.on(LEFT_TO_KERNEL, this.#passOn);
    }
  }

  [Symbol.dispose](): void {
    for (const name of PASSED_ON) process.off(name, this.#passOn);
  }
}
