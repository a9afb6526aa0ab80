// A window that has grown: whether the terminal has pulled lines out of its scrollback, only the cursor tells. What the agent writes waits for its
// answer. Used by window-size.ts.
import type { Questions } from "./questions.ts";

export interface WindowGrowthOptions {
  readonly questions: Questions;
  /** The agent's output should wait. */
  readonly hold: (on: boolean) => void;
  /** The size is what the terminal has; `row`: where its cursor is now, 0-based, as far as it has said so. */
  readonly resized: (row: number | undefined) => void;
  readonly output: (chunk: Buffer) => void;
}

export class WindowGrowth {
  readonly #options: WindowGrowthOptions;
  /** The terminal was asked: what the agent writes meanwhile. */
  #held: Buffer[] | undefined;

  constructor(options: WindowGrowthOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#held !== undefined;
  }

  /** Output of the agent while it is open, which may change once the next one comes. */
  hold(chunk: Buffer): void {
    this.#held?.push(Buffer.from(chunk));
  }

  /** Asks where the cursor is. */
  async ask(): Promise<void> {
    // Another one for each size, so that the last answer counts.
    const held = [...(this.#held ?? [])];
    this.#held = held;
    this.#options.hold(true);
    const cursor = await this.#options.questions.cursor();
    if (this.#held === held) this.settle(cursor?.y);
  }

  /** Takes a size without asking. */
  take(): void {
    this.#held ??= [];
    this.settle();
  }

  /** The answer is there, or is not waited for: the size counts, and what was held meanwhile is let through. Nothing where none was asked. */
  settle(row?: number): void {
    const held = this.#held;
    if (held === undefined) return;
    const { hold, resized, output } = this.#options;
    this.#held = undefined;
    hold(false);
    resized(row);
    for (const chunk of held) output(chunk);
  }
}
