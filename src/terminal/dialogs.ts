// What the human is asked and shown over the running agent, and what each answer does: the kill question, its progress, keys, details, questions
// of others. Used by screen.ts.
import type { InnerRuns } from "./inner-run.ts";
import type { KillKey } from "./kill-key.ts";
import type { Choice, OverlayView } from "./overlay.ts";
import type { OpenOverlay, OverlayHost } from "./overlay-host.ts";
import { CODE_LENGTH, codeView, type Details, detailsView, helpView, killView, progressView } from "./overlay-views.ts";

export interface DialogsOptions {
  readonly host: OverlayHost;
  readonly agent: string;
  readonly killKey: KillKey;
  /** What is known of the session now. */
  readonly details: () => Details;
  readonly inner: InnerRuns;
  readonly toAgent: (bytes: Uint8Array) => void;
  readonly onKill: () => void;
  /** Whether the human may sign in anew, and what begins it. */
  readonly signIn: { needed(): boolean; begin(): void };
}

type Own = "kill" | "keys" | "details";

export class Dialogs {
  readonly #options: DialogsOptions;
  /** The one of ours that the human has asked for; there is one at most, and it is above all questions. */
  #own: { readonly kind: Own; readonly open: OpenOverlay; readonly literal: Uint8Array } | undefined;
  #progress: OpenOverlay | undefined;

  constructor(options: DialogsOptions) {
    this.#options = options;
  }

  /**
   * The kill key was pressed, and no overlay took it.
   * @param literal the bytes that the terminal sent for it
   */
  askKill(literal: Uint8Array): void {
    if (this.#own?.kind !== "kill") this.#turnTo("kill", literal);
  }

  /** Shows how the end proceeds, over everything else; no lines take it away. The kill key again is `onKill` again: no more grace. */
  progress(lines: readonly string[]): void {
    const { host, agent, killKey, onKill } = this.#options;
    if (lines.length === 0) {
      host.close();
      return;
    }
    const open: OpenOverlay = {
      view: progressView(`Ending ${agent}`, lines, killKey.name),
      choose: onKill,
      dismissed: () => {
        this.#progress = undefined;
      },
    };
    const before = this.#progress;
    this.#progress = open;
    if (before !== undefined) host.replace(before, open, true);
    // The end has begun: no question is left to answer.
    else host.openAlone(open);
  }

  /** Asks over the running agent, after what is asked already. Gives the key of the choice; undefined when it was taken away. */
  question(view: OverlayView, signal?: AbortSignal): Promise<string | undefined> {
    const { host } = this.#options;
    return new Promise((resolve) => {
      const open: OpenOverlay = {
        view,
        choose: ({ key }) => {
          host.remove(open);
          resolve(key);
        },
        dismissed: () => resolve(undefined),
      };
      if (signal?.aborted) return resolve(undefined);
      signal?.addEventListener("abort", () => {
        resolve(undefined);
        host.remove(open);
      });
      host.open(open, "below");
    });
  }

  /** Asks for a code over the running agent, which sees none of it. Undefined when it was put off, or taken away. */
  code(title: string, lines: readonly string[]): Promise<string | undefined> {
    const { host } = this.#options;
    return new Promise((resolve) => {
      const openWith = (typed: string): OpenOverlay => {
        const open: OpenOverlay = {
          view: codeView(title, lines, typed),
          choose: ({ key }) => {
            const now = key === "backspace" ? typed.slice(0, -1) : key === "escape" ? typed : typed + key;
            if (key !== "escape" && now.length < CODE_LENGTH) {
              host.replace(open, openWith(now), true);
              return;
            }
            host.remove(open);
            resolve(key === "escape" ? undefined : now);
          },
          dismissed: () => resolve(undefined),
        };
        return open;
      };
      host.open(openWith(""), "below");
    });
  }

  /** What the details say may have changed. */
  refresh(): void {
    const { host, details } = this.#options;
    const own = this.#own;
    if (own?.kind !== "details") return;
    const open = { ...own.open, view: detailsView(details()) };
    this.#own = { ...own, open };
    host.replace(own.open, open, true);
  }

  #turnTo(kind: Own, literal: Uint8Array): void {
    const { host, agent, killKey, details, inner } = this.#options;
    const view =
      kind === "kill"
        ? killView(agent, killKey.name, inner.isThere, this.#options.signIn.needed())
        : kind === "keys"
          ? helpView(agent, killKey.name)
          : detailsView(details());
    const innerOffered = inner.isThere;
    const before = this.#own;
    const open: OpenOverlay = {
      view,
      choose: (choice) => this.#chosen(choice, innerOffered),
      dismissed: () => {
        this.#own = undefined;
      },
    };
    this.#own = { kind, literal, open };
    if (before === undefined) host.open(open);
    else host.replace(before.open, open);
  }

  #chosen({ key }: Choice, innerOffered: boolean): void {
    const { toAgent, onKill, inner, host } = this.#options;
    const own = this.#own;
    if (own === undefined) return;
    if (key === "?") this.#turnTo("keys", own.literal);
    else if (key === "d") this.#turnTo("details", own.literal);
    else if (key === "a" || (key === "kill" && !innerOffered)) {
      this.progress(["cutting its access"]);
      onKill();
    } else if (key === "kill" && !inner.isThere) {
      // It has just left: what Ctrl-K means now is asked again.
      this.#turnTo("kill", own.literal);
    } else {
      this.#own = undefined;
      host.remove(own.open);
      if (key === "kill") inner.askToEnd();
      if (key === "s") this.#options.signIn.begin();
      if (key === "l") toAgent(own.literal);
    }
  }
}
