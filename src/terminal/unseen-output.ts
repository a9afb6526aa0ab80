// What we say ourselves that shows nothing on the screen: sequences to the terminal, to an agent-run outside, and to the guard what gives the terminal back.
// Used by screen.ts.
import type { Compositor } from "./compositor.ts";
import type { ScreenOptions } from "./screen-options.ts";

export interface UnseenOutputOptions extends Pick<ScreenOptions, "output" | "guard" | "voice"> {
  readonly compositor: Compositor;
}

export class UnseenOutput {
  readonly #options: UnseenOutputOptions;
  #unsent = "";
  /** Modes that the guard knows of. */
  #guarded = 0;
  #ended = false;

  constructor(options: UnseenOutputOptions) {
    this.#options = options;
  }

  /** To an agent-run outside: we are here. */
  here(): void {
    this.#say(this.#options.voice?.here ?? "");
  }

  /** To an agent-run outside: for now, or for good, we are not. */
  gone(): void {
    this.#say(this.#options.voice?.gone ?? "");
  }

  /** A sequence goes out as soon as it stands between two of the agent's. */
  send(sequence: string): void {
    this.#unsent += sequence;
    this.sendWhereAllowed();
  }

  sendWhereAllowed(): void {
    if (this.#unsent === "" || !(this.#ended || this.#options.compositor.mayPaint)) return;
    this.#say(this.#unsent);
    this.#unsent = "";
  }

  /** Tells the guard what would give the terminal back now. */
  protect(): void {
    const { guard, compositor, voice } = this.#options;
    this.#guarded = compositor.frame.modes.revision;
    guard.protect(compositor.reset() + (voice?.gone ?? ""));
  }

  /** The same where the agent's modes are others than the guard knows of. */
  protectChanged(): void {
    if (this.#options.compositor.frame.modes.revision !== this.#guarded) this.protect();
  }

  /** What is on the screen from now on is not ours to reset. */
  unprotect(): void {
    this.#options.guard.protect("");
  }

  /** The agent's output is through: nothing has to wait any more. */
  end(): void {
    this.#ended = true;
    this.sendWhereAllowed();
    this.gone();
  }

  #say(text: string): void {
    if (text !== "") this.#options.output.write(text);
  }
}
