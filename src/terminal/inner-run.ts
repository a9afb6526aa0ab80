// An agent-run inside an agent-run: how the inner one makes itself known to the outer one, in-band, and is asked to end. Used by dialogs.ts and
// screen.ts.
//
// The agent of the outer one can say the same words. All it gains is a line in the kill question: "end all" stands there as well, drawn by us.
import type { TapEvent } from "./key-tap.ts";

/** Private OSC of ours; `7777;<nonce>;…` is the shim's. */
const PREFIX = "7777;inner;";
const ID = /^[0-9a-f]{32}$/;
/** So many are remembered; an agent that says more is none of ours. */
const MOST = 16;
/** An inner agent-run that is still there so long after it was asked to end is named on the bar. */
const PATIENCE_MS = 10_000;

const osc = (id: string, word: string): string => `\x1b]${PREFIX}${id};${word}\x07`;

/** The inner side. */
export class InnerVoice {
  readonly here: string;
  readonly gone: string;
  readonly #end: string;

  /** @param id 32 random hex digits */
  constructor(id: string) {
    this.here = osc(id, "here");
    this.gone = osc(id, "gone");
    this.#end = osc(id, "end");
  }

  /** The human has confirmed, at the outer one, that this run is to end. */
  asksToEnd(event: TapEvent): boolean {
    return event.kind === "reply" && event.bytes.length === this.#end.length && Buffer.from(event.bytes).toString("latin1") === this.#end;
  }
}

export interface InnerRunsOptions {
  readonly toAgent: (bytes: Uint8Array) => void;
  /** Says it on the bar. */
  readonly say: (text: string) => void;
  /** As the human presses it: `Ctrl-K`. */
  readonly killKey: string;
}

/** The outer side: who says that it is inside. */
export class InnerRuns {
  readonly #options: InnerRunsOptions;
  #ids: string[] = [];

  constructor(options: InnerRunsOptions) {
    this.#options = options;
  }

  get isThere(): boolean {
    return this.#ids.length > 0;
  }

  /** An OSC of the agent. True: it was for us, and is none of the terminal's business. */
  hear(payload: string): boolean {
    if (!payload.startsWith(PREFIX)) return false;
    const [id = "", word] = payload.slice(PREFIX.length).split(";");
    if (!ID.test(id)) return true;
    this.#ids = this.#ids.filter((other) => other !== id);
    if (word === "here") this.#ids = [...this.#ids, id].slice(-MOST);
    return true;
  }

  /** Asks the one that came last to end. False when there is none any more. */
  askToEnd(): boolean {
    const { toAgent, say, killKey } = this.#options;
    const id = this.#ids.at(-1);
    if (id === undefined) return false;
    toAgent(Buffer.from(osc(id, "end"), "latin1"));
    say("asked the inner agent-run to end");
    setTimeout(() => {
      if (this.#ids.includes(id)) say(`the inner one did not end: ${killKey}, then a, ends all`);
    }, PATIENCE_MS).unref();
    return true;
  }
}
