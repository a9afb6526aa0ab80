// What we ask the human's terminal for ourselves: where its cursor stands, how high its letters are. The answers come between the keys, and are not
// for the agent. Used by screen.ts.
import type { InputFilter } from "./input-filter.ts";
import type { TapEvent } from "./key-tap.ts";

/** 0-based. */
export interface Cursor {
  readonly x: number;
  readonly y: number;
}

const CURSOR_REPLY_MS = 400;

export class Questions {
  readonly #write: (text: string) => void;
  readonly #filter: InputFilter;
  /** For the cursor, without an answer yet. One that comes too late to be of use is still not for the agent. */
  readonly #asked: PromiseWithResolvers<Cursor | undefined>[] = [];
  /** Our question for the height of letters is open; undefined before it was asked. */
  #cellAsked: boolean | undefined;

  constructor(write: (text: string) => void, filter: InputFilter) {
    this.#write = write;
    this.#filter = filter;
  }

  /** Where the cursor stands; undefined when the terminal does not say so in time. */
  cursor(): Promise<Cursor | undefined> {
    const asked = Promise.withResolvers<Cursor | undefined>();
    this.#asked.push(asked);
    this.#write("\x1b[6n");
    setTimeout(() => asked.resolve(undefined), CURSOR_REPLY_MS).unref();
    return asked.promise;
  }

  /** Mouse positions in pixels tell rows only to who knows a row's height; asked once. */
  cellHeight(): void {
    if (this.#filter.cellHeight !== undefined || this.#cellAsked !== undefined) return;
    this.#cellAsked = true;
    this.#write("\x1b[16t");
  }

  /** The size has changed, perhaps with that of the letters. */
  forgetCellHeight(): void {
    this.#filter.cellHeight = undefined;
    this.#cellAsked = undefined;
  }

  /** Whether this was an answer to us. */
  answeredBy(event: TapEvent): boolean {
    const cursor = this.#asked.length === 0 ? undefined : this.#filter.cursorReport(event);
    if (cursor !== undefined) {
      this.#asked.shift()?.resolve(cursor);
      return true;
    }
    const cell = this.#filter.cellReport(event);
    if (cell === undefined) return false;
    this.#filter.cellHeight = cell;
    const ours = this.#cellAsked === true;
    if (ours) this.#cellAsked = false;
    return ours;
  }

  /** The last question for the cursor has its answer, or will get none. */
  async settled(): Promise<void> {
    await this.#asked.at(-1)?.promise;
  }
}
