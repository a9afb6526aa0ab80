// Signals that a launcher passes on to its agent. Held by running.ts.

/** SIGTSTP and SIGCONT are job control: the terminal part handles them. */
const PASSED_ON = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Not SIGINT, as one Ctrl-C more than the agent needed is no reason to lose its exit status, nor SIGQUIT, which writes our memory to a file. */
const LEFT_TO_KERNEL = ["SIGTERM", "SIGHUP"] as const;

export class PassedOn implements Disposable {
  readonly #passOn: (name: NodeJS.Signals) => void;

  constructor(passOn: (name: NodeJS.Signals) => void) {
    this.#passOn = passOn;
    for (const name of PASSED_ON) process.on(name, passOn);
  }

  /** Lets the kernel itself end this process meanwhile: no handler of ours runs while a file system that does not answer is waited for. */
  async exceptWhile<Value>(work: () => Promise<Value>): Promise<Value> {
    for (const name of LEFT_TO_KERNEL) process.off(name, this.#passOn);
    try {
      return await work();
    } finally {
      for (const name of LEFT_TO_KERNEL) process.on(name, this.#passOn);
    }
  }

  [Symbol.dispose](): void {
    for (const name of PASSED_ON) process.off(name, this.#passOn);
  }
}
