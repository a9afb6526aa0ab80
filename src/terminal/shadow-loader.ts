// Loads the shadow once the agent runs, and asks the terminal before that where it starts. Used by screen.ts.
import type { Compositor } from "./compositor.ts";
import type { Cursor, Questions } from "./questions.ts";
import type { TerminalKind } from "./terminal-look.ts";
import type { Timers } from "./timers.ts";

/** xterm.js is loaded when the agent had time to start. */
const LOAD_MS = 150;
/** The bar is gone until then. */
const LOAD_SOON_MS = 10;

export interface ShadowLoaderOptions {
  readonly compositor: Compositor;
  readonly questions: Questions;
  /** What the human's terminal is. */
  readonly kind: TerminalKind;
  readonly timers: Timers;
}

export class ShadowLoader {
  readonly #options: ShadowLoaderOptions;
  #begun = false;
  /** Where the cursor stood before the agent's first byte. */
  #cursor: Promise<Cursor | undefined> | undefined;
  #loading: Promise<void> | undefined;
  #soon = false;
  #ended = false;

  constructor(options: ShadowLoaderOptions) {
    this.#options = options;
  }

  /** The agent has written something, or the terminal was asked where the cursor is for another reason. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Asks the terminal where the cursor is, before the agent's first byte: the shadow starts there. */
  askCursor(): void {
    this.#begun = true;
    this.#cursor = this.#options.questions.cursor();
  }

  /** Gives the same promise until `startAnew`. */
  load(): Promise<void> {
    const { compositor, kind } = this.#options;
    if (!this.#begun) this.askCursor();
    this.#loading ??= (async () => {
      const cursor = this.#cursor;
      const [{ openShadow }, at] = await Promise.all([import("./shadow.ts"), cursor]);
      if (cursor === this.#cursor && !this.#ended) compositor.adopt(openShadow(compositor.agentSize, at, kind));
    })().catch(() => compositor.goWithoutShadow());
    return this.#loading;
  }

  /** When the agent had time to start. */
  loadLater(): void {
    this.#options.timers.later(LOAD_MS, () => void this.load());
  }

  /** What is on the screen cannot be put right without it. */
  loadSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    this.#options.timers.later(LOAD_SOON_MS, () => void this.load());
  }

  /** After the agent's last byte. Too late to ask where it began: only the column counts. */
  loadAtTheEnd(): Promise<void> {
    this.#begun = true;
    return this.load();
  }

  /** Somebody else had the terminal: another shadow. */
  startAnew(): void {
    this.#begun = false;
    this.#loading = undefined;
    this.#soon = false;
  }

  end(): void {
    this.#ended = true;
  }
}
