// Whom what comes from the human's terminal is for: the agent, an overlay, us, or a question that we have asked the terminal. Used by screen.ts.
import type { Compositor } from "./compositor.ts";
import type { Dialogs } from "./dialogs.ts";
import type { InnerRuns, InnerVoice } from "./inner-run.ts";
import type { InputFilter } from "./input-filter.ts";
import { KeyTap, type TapEvent } from "./key-tap.ts";
import type { KillKey } from "./kill-key.ts";
import type { OverlayHost } from "./overlay-host.ts";
import type { Questions } from "./questions.ts";

export interface KeyRouterOptions {
  readonly killKey: KillKey;
  readonly compositor: Compositor;
  readonly overlay: OverlayHost;
  readonly dialogs: Dialogs;
  readonly questions: Questions;
  readonly filter: InputFilter;
  readonly inner: InnerRuns;
  /** Set inside another agent-run, which is to know of us. */
  readonly voice: InnerVoice | undefined;
  /** Rows of the terminal. */
  readonly rows: () => number;
  /** Something is about to be shown: a window's size that is still asked for is taken as it is. */
  readonly settleSize: () => void;
  readonly toAgent: (bytes: Uint8Array) => void;
  readonly onKill: () => void;
}

export class KeyRouter {
  readonly #options: KeyRouterOptions;
  readonly #tap: KeyTap;
  #flushTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: KeyRouterOptions) {
    this.#options = options;
    this.#tap = new KeyTap(options.killKey);
  }

  /** Bytes of the human's terminal. */
  input(chunk: Uint8Array): void {
    if (this.#tap.isOneKey(chunk) && !this.#options.overlay.isOpen && !this.#ended) {
      this.#options.toAgent(chunk);
      return;
    }
    clearTimeout(this.#flushTimer);
    this.#tap.utf8Mouse = this.#options.compositor.frame.modes.isSet(1005);
    for (const event of this.#tap.push(chunk)) this.#route(event);
    const { wait } = this.#tap;
    if (wait === undefined) return;
    this.#flushTimer = setTimeout(() => {
      for (const event of this.#tap.flush()) this.#route(event);
    }, wait);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#flushTimer);
  }

  #route(event: TapEvent): void {
    if (this.#ended) return;
    const { compositor, overlay, dialogs, questions, filter, inner, voice, toAgent } = this.#options;
    if (questions.answeredBy(event)) return;
    if (voice?.asksToEnd(event)) {
      if (inner.askToEnd()) return;
      this.#options.settleSize();
      dialogs.progress(["cutting its access"]);
      this.#options.onKill();
      return;
    }
    const rows = { all: this.#options.rows(), agent: compositor.agentSize.rows };
    const pixels = compositor.frame.modes.isSet(1016);
    if (overlay.isOpen && event.kind !== "reply" && overlay.press(event)) {
      const released = filter.whileCovered(event, rows, pixels);
      if (released.length > 0) toAgent(released);
      return;
    }
    if (event.kind === "kill") {
      this.#options.settleSize();
      dialogs.askKill(event.bytes);
      return;
    }
    const bytes = filter.forAgent(event, rows, pixels, (all) => ({ all, agent: compositor.frame.agentRows(all) }));
    if (bytes.length > 0) toAgent(bytes);
  }
}
