// The overlay that is open over the agent, if one is: draws it, holds the agent's output meanwhile, hands keys to it. Used by screen.ts.
import type { Compositor } from "./compositor.ts";
import type { TapEvent } from "./key-tap.ts";
import { keyNames } from "./keys.ts";
import { type Choice, Overlay, type OverlayView } from "./overlay.ts";
import type { Size } from "./pty.ts";

export interface OverlayHostOptions {
  readonly compositor: Compositor;
  readonly colour: boolean;
  /** Whether the terminal has an alternate screen. */
  readonly alternate: boolean;
  /** In every marker of ours; what is held is searched for it, so that an overlay never hides the agent's end. */
  readonly nonce: string;
  /** Too much is held: the agent's output should wait. */
  readonly hold: (on: boolean) => void;
  /** Loads what is behind an overlay. */
  readonly loadShadow: () => Promise<void>;
  /** The agent's screen is back, or covered. */
  readonly changed: () => void;
}

interface OpenOverlay {
  overlay: Overlay;
  readonly choose: (choice: Choice) => void;
  /** It went away without a choice. */
  readonly dismissed: () => void;
  drawn: boolean;
}

/** How long an overlay waits for the end of a sequence or of synchronised output. */
const OPEN_PATIENCE_MS = 250;
const MOST_HELD = 4 * 1_048_576;

export class OverlayHost {
  readonly #options: OverlayHostOptions;
  #open: OpenOverlay | undefined;
  #draw: ((view: OverlayView, size: Size, colour: boolean) => string) | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(options: OverlayHostOptions) {
    this.#options = options;
  }

  /** Keys are for the overlay. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The overlay covers the screen: nothing else may be written. */
  get isDrawn(): boolean {
    return this.#open?.drawn ?? false;
  }

  /** Opens an overlay, in the place of the one that is open. */
  open(view: OverlayView, choose: OpenOverlay["choose"], dismissed: () => void = () => undefined): void {
    const drawn = this.isDrawn;
    this.#open?.dismissed();
    this.#open = { overlay: new Overlay(view, performance.now()), choose, dismissed, drawn };
    if (drawn) {
      this.redraw(true);
      return;
    }
    void Promise.all([this.#load(), this.#options.loadShadow()]).then(() => {
      this.tryDraw(false);
      setTimeout(() => this.tryDraw(true), OPEN_PATIENCE_MS).unref();
    });
  }

  /** Draws what was opened, as soon as the terminal is between two sequences; with `force`, now. */
  tryDraw(force: boolean): void {
    const open = this.#open;
    const { compositor, alternate, changed } = this.#options;
    if (open === undefined || open.drawn || this.#draw === undefined || !(force || compositor.mayPaint)) return;
    open.drawn = true;
    // Only what is typed after it could be read may answer it.
    open.overlay = new Overlay(open.overlay.view, performance.now());
    compositor.openOverlay(alternate);
    this.redraw(true);
    changed();
  }

  /** Draws again: all of it when `afresh`, else the overlay and the bar. */
  redraw(afresh: boolean): void {
    if (this.#draw === undefined || this.#open === undefined) return;
    const { compositor, colour } = this.#options;
    compositor.drawOverlay(this.#draw(this.#open.overlay.view, compositor.agentSize, colour), afresh);
  }

  /** Takes the overlay away while `change` is made to the screen behind it. */
  behind(change: () => void): void {
    const { compositor, alternate } = this.#options;
    const drawn = this.isDrawn;
    if (drawn) compositor.closeOverlay();
    change();
    if (!drawn) return;
    compositor.openOverlay(alternate);
    this.redraw(true);
  }

  /** Takes the overlay away for good, and shows what the agent wrote meanwhile. */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.dismissed();
    if (!open?.drawn) return;
    const { compositor, hold, changed } = this.#options;
    compositor.closeOverlay();
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) compositor.write(chunk);
    hold(false);
    changed();
  }

  /** Output of the agent while the overlay is drawn. */
  hold(chunk: Buffer): void {
    const { nonce, hold } = this.#options;
    const before = this.#held.at(-1);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MOST_HELD) hold(true);
    const seam = before === undefined ? chunk : Buffer.concat([before.subarray(-nonce.length), chunk]);
    if (seam.includes(nonce)) this.close();
  }

  /** A key that was pressed while an overlay is open. Gives false for a kill key that the overlay has no use for: it must always work. */
  press(event: TapEvent): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    const now = performance.now();
    const names = event.kind === "kill" ? (event.repeat ? [] : ["kill"]) : event.kind === "key" ? keyNames(event) : [];
    // What is no key of ours still counts as typing.
    if (names.length === 0) open.overlay.press("", now);
    for (const name of names) {
      const choice = open.drawn ? open.overlay.press(name, now) : undefined;
      if (choice === undefined) continue;
      open.choose(choice);
      return true;
    }
    return event.kind !== "kill" || !open.drawn || open.overlay.view.choices.some(({ key }) => key === "kill");
  }

  async #load(): Promise<void> {
    this.#draw ??= (await import("./overlays.tsx")).drawOverlayView;
  }
}
