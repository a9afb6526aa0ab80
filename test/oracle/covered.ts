// What both fuzzers do to a compositor: an overlay that comes and goes, and what brings to light what a picture does not show. Used by fuzz.ts and console-fuzz.ts.
import type { Compositor } from "../../src/terminal/compositor.ts";

/** Pen, character set, margins, saved cursor. */
export const PROBES = ["p\x1b8q\r\n", "\x1b[999;1Hlow\n\nx", "\x1b8s\x1b[?1049lt"];

/** Passes an agent's output on; what comes while an overlay is open waits for its end. */
export class Covered {
  readonly #compositor: Compositor;
  #held: Uint8Array[] | undefined;

  constructor(compositor: Compositor) {
    this.#compositor = compositor;
  }

  get isOpen(): boolean {
    return this.#held !== undefined;
  }

  write(bytes: Uint8Array): void {
    if (this.#held !== undefined) this.#held.push(bytes);
    else this.#compositor.write(bytes);
  }

  open(alternate: boolean): void {
    this.#compositor.openOverlay(alternate);
    this.#compositor.drawOverlay("\x1b[2;2H\x1b[7mcovered\x1b[m", 2, true);
    this.#held = [];
  }

  /** Whether one was open. */
  close(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    this.#compositor.closeOverlay();
    this.#held = undefined;
    for (const bytes of held) this.#compositor.write(bytes);
    return true;
  }
}
