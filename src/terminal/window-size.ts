// The size of the human's window: when a new one counts, and what is done then. Used by screen.ts.
import type { BarPainter } from "./bar-painter.ts";
import type { Compositor } from "./compositor.ts";
import type { OverlayHost } from "./overlay-host.ts";
import type { Size } from "./pty.ts";
import type { Questions } from "./questions.ts";
import type { Timers } from "./timers.ts";
import { WindowGrowth } from "./window-growth.ts";

/** As long as a program takes to see a size before the next one: two that come before it looks are one, and not another than before. */
const DRAW_ANEW_MS = 60;
/** So often as long where nothing came of it yet: on a busy machine it had no turn. */
const MOST_WAITS = 16;

export interface WindowSizeOptions {
  readonly size: Size;
  readonly compositor: Compositor;
  readonly overlay: OverlayHost;
  readonly bar: BarPainter;
  readonly questions: Questions;
  readonly timers: Timers;
  /** The agent's output should wait. */
  readonly hold: (on: boolean) => void;
  /** What has waited. */
  readonly output: (chunk: Buffer) => void;
  readonly resizeAgent: (size: Size) => void;
  /** The terminal shows the new size. */
  readonly changed: () => void;
}

export class WindowSize {
  readonly #options: WindowSizeOptions;
  readonly #growth: WindowGrowth;
  #size: Size;
  /** The agent has another size for a moment, and has said nothing since. */
  #isUnseen = false;

  constructor(options: WindowSizeOptions) {
    this.#options = options;
    this.#size = options.size;
    const { questions, hold, output } = options;
    this.#growth = new WindowGrowth({ questions, hold, output, resized: (row) => this.#resized(row) });
  }

  get cols(): number {
    return this.#size.cols;
  }

  get rows(): number {
    return this.#size.rows;
  }

  /** The terminal was asked what has become of its screen: output waits. */
  get isOpen(): boolean {
    return this.#growth.isOpen;
  }

  /** Output of the agent while it is open, which may change once the next one comes. */
  holdBack(chunk: Buffer): void {
    this.#growth.hold(chunk);
  }

  /** Something is about to be shown, or the end has come: the size counts as it is. */
  settle(): void {
    this.#growth.settle();
  }

  change(size: Size): void {
    if (size.cols === this.#size.cols && size.rows === this.#size.rows) return;
    const { compositor, overlay, questions } = this.#options;
    this.#size = size;
    questions.forgetCellHeight();
    if (overlay.isOpen || !compositor.mayPull(size)) this.#growth.take();
    else void this.#growth.ask();
  }

  /** Somebody else had the terminal. */
  retake(size: Size): void {
    const { compositor, bar } = this.#options;
    this.#size = size;
    bar.render();
    compositor.retake(size);
    this.#tellAgent();
  }

  /** What only the agent knows how to draw: programs draw all of it when their size changes, which it does for a moment. */
  askToDraw(): void {
    const { compositor, resizeAgent, timers } = this.#options;
    const { cols, rows } = compositor.agentSize;
    const tell = (waits: number): void => {
      if (this.#isUnseen && waits < MOST_WAITS) timers.later(DRAW_ANEW_MS, () => tell(waits + 1));
      else this.#tellAgent();
    };
    resizeAgent({ cols, rows: rows > 1 ? rows - 1 : rows + 1 });
    this.#isUnseen = true;
    timers.later(DRAW_ANEW_MS, () => tell(1));
  }

  /** Something came of the agent. */
  heard(): void {
    this.#isUnseen = false;
  }

  /** @param row where the terminal's cursor is now, as far as it was asked */
  #resized(row: number | undefined): void {
    const { compositor, overlay, bar, changed } = this.#options;
    bar.render();
    overlay.behind(() => compositor.resize(this.#size, row));
    this.#tellAgent();
    changed();
  }

  #tellAgent(): void {
    this.#options.resizeAgent(this.#options.compositor.agentSize);
  }
}
