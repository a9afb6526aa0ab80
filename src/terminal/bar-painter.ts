// What the bar says, and when the terminal is shown it: in a pause, or between two sequences when there is none. Used by screen.ts.
import { monotonic } from "../core/clock.ts";
import type { BarState } from "./bar-layout.ts";
import type { Compositor } from "./compositor.ts";
import type { OverlayHost } from "./overlay-host.ts";
import type { Pauses } from "./pauses.ts";
import { plainBar } from "./plain-bar.ts";

/** In output without a pause, the bar is painted between two sequences after this long. */
const LONGEST_STALE_MS = 250;
/** Terminals end synchronised output themselves after at most a second; a string that stands open for longer is broken off. */
const SYNC_PATIENCE_MS = 1000;
const STRING_PATIENCE_MS = 5000;

export interface BarPainterOptions {
  /** Undefined: there is no bar. */
  readonly bar: BarState | undefined;
  /** As in the configuration: `ctrl-k`. */
  readonly killKey: string;
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: () => number;
  readonly compositor: Compositor;
  readonly overlay: OverlayHost;
  readonly pauses: Pauses;
  /** The bar is about to be set anew: what else says the same may be old too. */
  readonly onRender: () => void;
}

export class BarPainter {
  readonly #options: BarPainterOptions;
  #state: BarState | undefined;
  #notice: string | undefined;
  #noticeTimer: NodeJS.Timeout | undefined;
  #drawBar: typeof plainBar = plainBar;
  #drawnBy: typeof plainBar | undefined;
  #plain = "";
  #staleSince: number | undefined;
  /** Since when what the bar says has not been drawn. */
  #barDue: number | undefined;
  #blockedSince: number | undefined;
  #ended = false;

  constructor(options: BarPainterOptions) {
    this.#options = options;
    this.#state = options.bar;
  }

  /** Drawn in the next pause: never between a key and its echo. */
  set(state: BarState): void {
    this.#state = state;
    if (this.#options.overlay.isDrawn) {
      this.render();
      return;
    }
    this.#barDue ??= monotonic();
    this.#options.pauses.wake();
  }

  notice(text: string, ms: number): void {
    this.#notice = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#notice = undefined;
      this.render();
    }, ms).unref();
    this.render();
  }

  /** Sets the bar anew where it says something else, to be painted in the next pause. */
  render(): void {
    this.#barDue = undefined;
    if (this.#state === undefined || this.#ended) return;
    const { killKey, colour, compositor, overlay, pauses } = this.#options;
    this.#options.onRender();
    const width = this.#options.width();
    const state = this.#notice === undefined ? this.#state : { ...this.#state, notice: this.#notice };
    // The plain line says the same for a hundredth of the cost: Ink draws only what changed.
    const plain = plainBar(state, killKey, width, colour);
    if (plain === this.#plain && this.#drawnBy === this.#drawBar) return;
    this.#plain = plain;
    this.#drawnBy = this.#drawBar;
    compositor.bar = this.#drawBar === plainBar ? plain : this.#drawBar(state, killKey, width, colour);
    this.#staleSince ??= monotonic();
    if (overlay.isDrawn) overlay.redraw(false);
    else pauses.again();
  }

  paint(): void {
    this.#options.compositor.paint();
    this.#staleSince = undefined;
    this.#blockedSince = undefined;
  }

  /** An overlay shows it. */
  shown(): void {
    this.#staleSince = undefined;
  }

  /** The terminal is between two sequences: paints what cannot wait for a pause. */
  afterOutput(): void {
    if (this.#options.compositor.frame.damaged) {
      this.paint();
      return;
    }
    const since = this.#staleSince ?? this.#barDue;
    if (since === undefined || monotonic() - since <= LONGEST_STALE_MS) return;
    if (this.#barDue !== undefined) this.render();
    if (this.#staleSince !== undefined) this.paint();
  }

  /** What the bar says is set anew where that is due. */
  renderDue(): void {
    if (this.#barDue !== undefined) this.render();
  }

  /** In a pause: paints what there is to paint, or waits until it may. */
  paintDue(): void {
    const { compositor, pauses } = this.#options;
    if (this.#staleSince === undefined && !compositor.frame.damaged) return;
    if (compositor.mayPaint || this.#waitedEnough()) this.paint();
    else pauses.again();
  }

  async loadInk(): Promise<void> {
    // Without Ink the plain line stays: it says the same.
    const ink = await import("./bar.tsx").catch(() => undefined);
    if (ink === undefined) return;
    this.#drawBar = ink.drawBar;
    this.render();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#noticeTimer);
  }

  #waitedEnough(): boolean {
    const now = monotonic();
    this.#blockedSince ??= now;
    return now - this.#blockedSince > (this.#options.compositor.frame.modes.synchronised ? SYNC_PATIENCE_MS : STRING_PATIENCE_MS);
  }
}
