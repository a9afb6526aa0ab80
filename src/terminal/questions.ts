// What we ask the human's terminal for ourselves: where its cursor stands, how high its letters are. The answers come between the keys, and are not
// for the agent. Used by screen.ts.
import { monotonic, within } from "../core/clock.ts";
import type { Frame } from "./frame.ts";
import type { InputFilter } from "./input-filter.ts";
import type { TapEvent } from "./key-tap.ts";

/** 0-based. */
export interface Cursor {
  readonly x: number;
  readonly y: number;
}

const CURSOR_REPLY_MS = 400;
/** Within this a terminal that answers at all has done so, however busy the machine is. */
const ANSWER_MS = 2000;
/** More of its questions for the cursor than that are a flood, whose answers nobody waits for. */
const MOST_ASKED = 100;

interface Asked extends PromiseWithResolvers<Cursor> {
  readonly ours: boolean;
  readonly at: number;
}

const asked = (ours: boolean): Asked => ({ ...Promise.withResolvers<Cursor>(), ours, at: monotonic() });

export class Questions {
  readonly #write: (text: string) => void;
  readonly #filter: InputFilter;
  /** For the cursor, without an answer yet. One that comes too late to be of use is still not for the agent. */
  readonly #asked: Asked[] = [];
  /** It has told where its cursor stands at least once. */
  #answers = false;
  /** Our question for the height of letters is open; undefined before it was asked. */
  #cellAsked: boolean | undefined;
  /** When the agent last asked something, and how many of its questions for the cursor have no answer yet. */
  #agentAskedAt: number | undefined;
  #agentForCursor = 0;

  constructor(write: (text: string) => void, filter: InputFilter) {
    this.#write = write;
    this.#filter = filter;
  }

  /** Where the cursor stands; undefined when the terminal does not say so in time. */
  cursor(): Promise<Cursor | undefined> {
    const question = asked(true);
    this.#asked.push(question);
    this.#write("\x1b[6n");
    return within(question.promise, CURSOR_REPLY_MS);
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
    const cursor = this.#filter.cursorReport(event);
    if (cursor !== undefined && this.#asked.length === 0) this.#agentForCursor = Math.max(0, this.#agentForCursor - 1);
    else if (cursor !== undefined) {
      const question = this.#asked.shift();
      this.#answers = true;
      question?.resolve(cursor);
      return question?.ours ?? false;
    }
    const cell = this.#filter.cellReport(event);
    if (cell === undefined) return false;
    this.#filter.cellHeight = cell;
    const ours = this.#cellAsked === true;
    if (ours) this.#cellAsked = false;
    return ours;
  }

  /** What the agent has asked the terminal since this was looked at; of these, answers to questions for the cursor look like ours. */
  note(frame: Pick<Frame, "asked" | "cursorAsked">): void {
    if (!frame.asked) return;
    this.#agentAskedAt = monotonic();
    this.#agentForCursor += frame.cursorAsked;
    frame.asked = false;
    frame.cursorAsked = 0;
  }

  /** What we and the agent have asked has its answer, or will get none: what came later would be typed into the shell. */
  async settled(frame: Pick<Frame, "asked" | "cursorAsked">): Promise<void> {
    await this.#lastAnswer();
    this.note(frame);
    if (this.#askBehindTheAgent()) await this.#lastAnswer();
  }

  /** The terminal answers in turn. */
  async #lastAnswer(): Promise<void> {
    const last = this.#asked.at(-1);
    if (last === undefined) return;
    const longest = this.#answers ? ANSWER_MS : CURSOR_REPLY_MS;
    await within(last.promise, last.at + longest - monotonic());
  }

  /** Whether the agent has asked something lately: then a question of ours stands behind what it asked. */
  #askBehindTheAgent(): boolean {
    if (this.#agentAskedAt === undefined || monotonic() - this.#agentAskedAt > ANSWER_MS) return false;
    this.#agentAskedAt = undefined;
    for (let count = Math.min(this.#agentForCursor, MOST_ASKED); count > 0; count -= 1) this.#asked.push(asked(false));
    this.#agentForCursor = 0;
    void this.cursor();
    return true;
  }
}
