// The overlays that are open over the agent, one of them shown: draws it, holds the agent's output meanwhile, hands keys to it. Used by dialogs.ts
// and screen.ts.
import type { Compositor } from "./compositor.ts";
import type { TapEvent } from "./key-tap.ts";
import { keyNames } from "./keys.ts";
import { type Choice, Overlay, type OverlayView } from "./overlay.ts";
import type { drawOverlay } from "./overlays.tsx";
import type { Look } from "./terminal-look.ts";

export interface OverlayHostOptions {
  readonly compositor: Compositor;
  readonly look: Look;
  /** Whether the terminal has an alternate screen. */
  readonly alternate: boolean;
  /** Whether a marker of ours may be in output, of which `before` came before; so that an overlay never hides the agent's end. */
  readonly saysEnd: (chunk: Buffer, before?: Buffer) => boolean;
  /** Too much is held: the agent's output should wait. */
  readonly hold: (on: boolean) => void;
  /** Loads what is behind an overlay. */
  readonly loadShadow: () => Promise<void>;
  /** The agent's screen is back, or covered. */
  readonly changed: (sure: boolean) => void;
}

export interface OpenOverlay {
  readonly view: OverlayView;
  readonly choose: (choice: Choice) => void;
  /** It went away without a choice. */
  readonly dismissed?: () => void;
}

/** How long an overlay waits for the end of a sequence or of synchronised output. */
const OPEN_PATIENCE_MS = 250;
const MOST_HELD = 4 * 1_048_576;
/** What a piece takes in memory beside its bytes, about: an agent may write them one at a time. */
const PIECE = 128;

export class OverlayHost {
  readonly #options: OverlayHostOptions;
  /** Those that wait come first; the last one is shown. */
  #stack: OpenOverlay[] = [];
  /** The state of the last one. */
  #shown: Overlay | undefined;
  #drawn = false;
  /** Somebody else has the terminal. */
  #lifted = false;
  #draw: typeof drawOverlay | undefined;
  #arming: NodeJS.Timeout | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(options: OverlayHostOptions) {
    this.#options = options;
  }

  /** Keys are for the overlay. */
  get isOpen(): boolean {
    return this.#stack.length > 0;
  }

  /** An overlay covers the screen: nothing else may be written. */
  get isDrawn(): boolean {
    return this.#drawn;
  }

  /** Shows an overlay over all others, or has it wait below them. */
  open(open: OpenOverlay, where: "above" | "below" = "above"): void {
    if (where === "below") this.#stack.unshift(open);
    else this.#stack.push(open);
    if (this.#stack.at(-1) === open) this.#show();
  }

  /** Shows an overlay and dismisses all others. */
  openAlone(open: OpenOverlay): void {
    const others = this.#stack;
    this.#stack = [open];
    this.#show();
    for (const { dismissed } of others) dismissed?.();
  }

  /** Takes an overlay away that was answered. The one below it comes up, and arms anew. */
  remove(open: OpenOverlay): void {
    const wasShown = this.#stack.at(-1) === open;
    this.#stack = this.#stack.filter((other) => other !== open);
    if (this.#stack.length === 0) this.#uncover();
    else if (wasShown) this.#show();
  }

  /** Another overlay in the place of this one. It arms anew, unless it `keeps` what its keys mean and only says something else. */
  replace(old: OpenOverlay, open: OpenOverlay, keeps = false): void {
    const wasShown = this.#stack.at(-1) === old;
    this.#stack = this.#stack.map((other) => (other === old ? open : other));
    if (wasShown && keeps && this.#shown !== undefined) {
      this.#shown.view = open.view;
      this.redraw(true);
    } else if (wasShown) this.#show();
  }

  /** Takes all overlays away for good, and shows what the agent wrote meanwhile. */
  close(): void {
    const stack = this.#stack;
    this.#stack = [];
    this.#uncover();
    for (const { dismissed } of stack) dismissed?.();
  }

  /** Draws what was opened, as soon as the terminal is between two sequences; with `force`, now. */
  tryDraw(force: boolean): void {
    const { compositor, alternate, changed } = this.#options;
    const top = this.#stack.at(-1);
    if (top === undefined || this.#drawn || this.#lifted || this.#draw === undefined || !(force || compositor.mayPaint)) return;
    this.#drawn = true;
    compositor.openOverlay(alternate);
    this.#arm(top);
    changed(true);
  }

  /** Draws again: all of it when `afresh`, else the overlay and the bar. */
  redraw(afresh: boolean): void {
    const { compositor, look, alternate } = this.#options;
    if (this.#draw === undefined || this.#shown === undefined || !this.#drawn) return;
    const now = performance.now();
    const size = compositor.agentSize;
    const { view } = this.#shown;
    const { text, top } = this.#draw(view, size, this.#shown.state(now), look, !alternate);
    compositor.drawOverlay(text, top, afresh);
    clearTimeout(this.#arming);
    const wait = this.#shown.armsIn(now);
    if (wait > 0) this.#arming = setTimeout(() => this.redraw(false), Math.ceil(wait) + 1).unref();
  }

  /** Takes the overlay away while `change` is made to the screen behind it. */
  behind(change: () => void): void {
    const { compositor, alternate } = this.#options;
    const drawn = this.#drawn;
    if (drawn) compositor.closeOverlay();
    change();
    if (!drawn) return;
    compositor.openOverlay(alternate);
    this.redraw(true);
  }

  /** Output of the agent while an overlay is drawn. */
  hold(chunk: Buffer): void {
    const { saysEnd, hold } = this.#options;
    const before = this.#held.at(-1);
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.length + PIECE;
    if (this.#heldBytes > MOST_HELD) hold(true);
    if (!saysEnd(chunk, before)) return;
    // Perhaps the agent stopped, and the overlay comes back with it; after its end there is none.
    this.#uncover();
    this.#show();
  }

  /** Takes the overlays from the screen until `putBack`. */
  lift(): void {
    this.#lifted = true;
    this.#uncover();
  }

  putBack(): void {
    this.#lifted = false;
    this.#show();
  }

  /** What was pressed while an overlay is open. Gives false for a kill key that the overlay has no use for: it must always work. */
  press(event: TapEvent): boolean {
    const top = this.#stack.at(-1);
    // A pointer that moves is not typing.
    if (top === undefined || event.kind === "mouse") return top !== undefined;
    const names = event.kind === "kill" ? (event.repeat ? [] : ["kill"]) : event.kind === "key" ? keyNames(event) : [];
    const shown = this.#shown;
    if (shown === undefined || !this.#drawn) return event.kind !== "kill";
    const now = performance.now();
    const counted = shown.armed(now);
    // What is no key of ours still counts as typing.
    for (const name of names.length === 0 ? [""] : names) {
      const choice = shown.press(name, now);
      if (choice !== undefined) {
        const typed = shown.view.typed?.includes(name) === true;
        (this.#stack.at(-1) ?? top).choose(choice);
        // What was typed or pasted in one go is a code's digits, as long as the same question takes them.
        if (!typed || this.#shown !== shown) return true;
        continue;
      }
      if (counted && name === " ") shown.page++;
    }
    const useful = event.kind !== "kill" || shown.view.choices.some(({ key }) => key === "kill");
    if (useful) this.redraw(true);
    return useful;
  }

  /** The last of the stack comes up: drawn at once over another, else when the terminal is ready for it. */
  #show(): void {
    const top = this.#stack.at(-1);
    if (top === undefined) return;
    if (this.#drawn) {
      this.#arm(top);
      return;
    }
    void Promise.all([this.load(), this.#options.loadShadow()]).then(() => {
      this.tryDraw(false);
      setTimeout(() => this.tryDraw(true), OPEN_PATIENCE_MS).unref();
    });
  }

  /** Draws it for the first time: only what is typed after it could be read may answer it. */
  #arm(open: OpenOverlay): void {
    this.#shown = new Overlay(open.view, performance.now());
    this.redraw(true);
  }

  #uncover(): void {
    clearTimeout(this.#arming);
    this.#shown = undefined;
    if (!this.#drawn) return;
    this.#drawn = false;
    const { compositor, hold, changed } = this.#options;
    const sure = compositor.closeOverlay();
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) compositor.write(chunk);
    hold(false);
    changed(sure);
  }

  /** Once it is there it stays, also where this version is replaced under a session that runs. */
  async load(): Promise<void> {
    this.#draw ??= (await import("./overlays.tsx").catch(() => undefined))?.drawOverlay;
  }
}
