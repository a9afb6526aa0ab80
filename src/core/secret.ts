// A value that prints as `[redacted]` wherever it ends up, and can be overwritten when its session ends.
import { timingSafeEqual } from "node:crypto";

const REDACTED = "[redacted]";
/** `inspect.custom` of node:util, whose import is too slow for the launcher. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Holds a secret text. Every rendering (template, JSON, inspect) gives `[redacted]`; only `reveal` gives the text. */
export class Secret {
  readonly #bytes: Buffer;

  constructor(text: string) {
    this.#bytes = Buffer.from(text, "utf8");
  }

  /** The text itself: call it at the place that sends it, and keep no copy. Empty after `wipe`. */
  reveal(): string {
    return this.#bytes[0] === 0 ? "" : this.#bytes.toString("utf8");
  }

  /** Compares in constant time for texts of equal length. A wiped secret equals nothing. */
  equals(candidate: string): boolean {
    const other = Buffer.from(candidate, "utf8");
    if (other.length !== this.#bytes.length || other.length === 0 || this.#bytes[0] === 0) return false;
    return timingSafeEqual(other, this.#bytes);
  }

  /** Overwrites the bytes. Copies that the engine made while revealing cannot be reached: docs/threat-model.md says so. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [INSPECT](): string {
    return REDACTED;
  }
}
