// Tells when an agent's output pauses, without a timer set for each chunk of it. Used by screen.ts and bar-painter.ts.

/** A pause in the output of once to twice this lets us paint between what belongs together. */
const QUIET_MS = 8;

export class Pauses {
  readonly #onPause: () => void;
  readonly #timer: NodeJS.Timeout;
  /** `#timer` is set; output came since it was. */
  #waiting = true;
  #loud = false;

  constructor(onPause: () => void) {
    this.#onPause = onPause;
    this.#timer = setTimeout(() => this.#elapsed(), QUIET_MS).unref();
  }

  /** Nothing has come of the agent for a moment. */
  get isQuiet(): boolean {
    return !this.#waiting;
  }

  /** Output came. */
  output(): void {
    this.#loud = true;
    this.wake();
  }

  /** There is something to do in the next pause. */
  wake(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#timer.refresh();
  }

  /** It could not be done, or there is more: another pause. */
  again(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #elapsed(): void {
    this.#waiting = this.#loud;
    if (this.#loud) {
      // Set back once a pause rather than once a chunk.
      this.#loud = false;
      this.#timer.refresh();
    } else this.#onPause();
  }
}
