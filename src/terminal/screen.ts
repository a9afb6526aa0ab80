// What the human sees and types while an agent runs: output through the compositor, the bar, overlays, keys. Decides when. Used by attach.ts.
import { monotonic } from "../core/clock.ts";
import type { BarState } from "./bar-layout.ts";
import { Compositor } from "./compositor.ts";
import { Dialogs } from "./dialogs.ts";
import type { Guard } from "./guard.ts";
import { InnerRuns, type InnerVoice } from "./inner-run.ts";
import { InputFilter } from "./input-filter.ts";
import { KeyTap, type TapEvent } from "./key-tap.ts";
import type { KillKey } from "./kill-key.ts";
import type { OverlayView } from "./overlay.ts";
import { OverlayHost } from "./overlay-host.ts";
import { type Details, shownKey } from "./overlay-views.ts";
import { plainBar } from "./plain-bar.ts";
import type { Size } from "./pty.ts";
import { type Cursor, Questions } from "./questions.ts";
import type { TerminalKind } from "./terminal-look.ts";
import type { TerminalOutput } from "./terminal-output.ts";

export interface ScreenOptions {
  /** Of the human. */
  readonly output: TerminalOutput;
  readonly guard: Pick<Guard, "protect">;
  readonly size: Size;
  /** Undefined: no line is reserved. */
  readonly bar: BarState | undefined;
  readonly agent: string;
  readonly killKey: KillKey;
  readonly kind: TerminalKind;
  /** What is known of the session, for the human who asks. */
  readonly details: () => Details;
  /** Set inside another agent-run, which is to know of us. */
  readonly voice: InnerVoice | undefined;
  /** Whether a marker of ours may be in output, of which `before` came before; so that an overlay never hides the agent's end. */
  readonly saysEnd: (chunk: Buffer, before?: Buffer) => boolean;
  readonly marker: (payload: string) => boolean;
  readonly toAgent: (bytes: Uint8Array) => void;
  readonly resizeAgent: (size: Size) => void;
  /** Too much is held: the agent's output should wait. */
  readonly hold: (why: "overlay" | "size", on: boolean) => void;
  readonly onKill: () => void;
  /** Whether the human may sign in anew, and what begins it. */
  readonly signIn: { needed(): boolean; begin(): void };
}

/** A pause in the output of once to twice this lets us paint between what belongs together. */
const QUIET_MS = 8;
/** In output without a pause, the bar is painted between two sequences after this long. */
const LONGEST_STALE_MS = 250;
/** Terminals end synchronised output themselves after at most a second; a string that stands open for longer is broken off. */
const SYNC_PATIENCE_MS = 1000;
const STRING_PATIENCE_MS = 5000;
/** Ink and xterm.js are loaded when the agent had time to start: Ink holds us up for 50 ms, and until then the plain line says the same. */
const LOAD_INK_MS = 700;
const LOAD_SHADOW_MS = 150;
/** The bar is gone until then. */
const LOAD_SHADOW_SOON_MS = 10;
/** As long as a program takes to see a size before the next one. */
const DRAW_ANEW_MS = 60;
/** How long the bar says what became of an agent-run inside. */
const INNER_NOTICE_MS = 15_000;

export class Screen {
  readonly #options: ScreenOptions;
  readonly #compositor: Compositor;
  readonly #tap: KeyTap;
  readonly #filter = new InputFilter();
  readonly #questions: Questions;
  readonly #overlay: OverlayHost;
  readonly #dialogs: Dialogs;
  readonly #inner: InnerRuns;
  readonly #quiet: NodeJS.Timeout;
  /** `#quiet` is set; output came since it was. */
  #waiting = true;
  #loud = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  #size: Size;
  #state: BarState | undefined;
  #notice: string | undefined;
  #noticeTimer: NodeJS.Timeout | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #drawBar: typeof plainBar = plainBar;
  #drawnBy: typeof plainBar | undefined;
  #plain = "";
  #staleSince: number | undefined;
  /** Since when what the bar says has not been drawn. */
  #barDue: number | undefined;
  #blockedSince: number | undefined;
  #begun = false;
  /** Where the cursor stood before the agent's first byte. */
  #cursor: Promise<Cursor | undefined> | undefined;
  /** The window has grown, and the terminal was asked where the cursor is now: what the agent writes meanwhile. */
  #growing: Buffer[] | undefined;
  /** Modes that the guard knows of. */
  #guarded = 0;
  #ended = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#state = options.bar;
    this.#tap = new KeyTap(options.killKey);
    this.#questions = new Questions((text) => options.output.write(text), this.#filter);
    this.#inner = new InnerRuns({
      toAgent: options.toAgent,
      say: (text) => this.notice(text, INNER_NOTICE_MS),
      killKey: shownKey(options.killKey.name),
    });
    this.#compositor = new Compositor({
      size: options.size,
      reserve: options.bar !== undefined,
      console: options.kind.console,
      emit: (bytes) => options.output.write(bytes),
      marker: (payload) => this.#inner.hear(payload) || options.marker(payload),
    });
    this.#overlay = new OverlayHost({
      ...options,
      ...options.kind,
      compositor: this.#compositor,
      hold: (on) => options.hold("overlay", on),
      loadShadow: () => this.#loadShadow(),
      changed: (sure) => {
        this.#afterOutput();
        this.#protect();
        if (!sure) this.#askToDraw();
      },
    });
    this.#dialogs = new Dialogs({ ...options, host: this.#overlay, inner: this.#inner });
    this.#quiet = setTimeout(() => this.#onQuiet(), QUIET_MS).unref();
  }

  get agentSize(): Size {
    return this.#compositor.agentSize;
  }

  /** Nothing has come of the agent for a moment. */
  get isQuiet(): boolean {
    return !this.#waiting;
  }

  /** Reserves the line and paints it. Then the agent may start. */
  begin(): void {
    this.#compositor.begin();
    this.#say(this.#options.voice?.here);
    this.#renderBar();
    this.#paint();
    this.#protect();
  }

  /** The agent was spawned: what is heavy may be loaded now. */
  spawned(): void {
    if (this.#options.bar !== undefined) this.#later(LOAD_INK_MS, () => void this.#loadInk());
    this.#later(LOAD_SHADOW_MS, () => void this.#loadShadow());
  }

  /** Output of the agent, which may change once the next one comes. */
  output(chunk: Buffer): void {
    if (this.#growing !== undefined) {
      this.#growing.push(Buffer.from(chunk));
      return;
    }
    if (this.#overlay.isDrawn) {
      this.#overlay.hold(chunk);
      return;
    }
    // Not for an agent that says nothing before its end: the answer would have to be waited for.
    if (!this.#begun && !this.#options.saysEnd(chunk)) this.#askCursor();
    this.#options.output.together(() => {
      this.#compositor.write(chunk);
      // Before the terminal has them: an agent that never pauses, or a launcher that dies now, leaves none behind.
      if (this.#compositor.frame.modes.revision !== this.#guarded) this.#protect();
      const { damaged, shadow } = this.#compositor.frame;
      if (damaged) this.#afterOutput();
      if (damaged && shadow === undefined && !this.#soon) this.#loadSoon();
    });
    this.#afterOutput();
  }

  /** Bytes of the human's terminal. */
  input(chunk: Uint8Array): void {
    if (this.#tap.isOneKey(chunk) && !this.#overlay.isOpen && !this.#ended) {
      this.#options.toAgent(chunk);
      return;
    }
    clearTimeout(this.#flushTimer);
    this.#tap.utf8Mouse = this.#compositor.frame.modes.isSet(1005);
    for (const event of this.#tap.push(chunk)) this.#onInput(event);
    const { wait } = this.#tap;
    if (wait === undefined) return;
    this.#flushTimer = setTimeout(() => {
      for (const event of this.#tap.flush()) this.#onInput(event);
    }, wait);
  }

  /** Drawn in the next pause: never between a key and its echo. */
  setBar(state: BarState): void {
    this.#state = state;
    if (this.#overlay.isDrawn) {
      this.#renderBar();
      return;
    }
    this.#barDue ??= monotonic();
    if (this.#waiting) return;
    this.#waiting = true;
    this.#quiet.refresh();
  }

  notice(text: string, ms: number): void {
    this.#notice = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#notice = undefined;
      this.#renderBar();
    }, ms).unref();
    this.#renderBar();
  }

  /** A sequence of ours that shows nothing on the screen, as soon as it stands between two of the agent's. */
  send(sequence: string): void {
    this.#unsent += sequence;
    this.#sendWhereAllowed();
  }
  #unsent = "";

  #sendWhereAllowed(): void {
    if (this.#unsent === "" || !(this.#ended || this.#compositor.mayPaint)) return;
    this.#say(this.#unsent);
    this.#unsent = "";
  }

  /** Shows how the end proceeds, over the agent; no lines take it away. */
  progress(lines: readonly string[]): void {
    this.#grown();
    this.#dialogs.progress(lines);
  }

  /** Asks over the running agent. Gives the key of the choice; undefined when it was taken away, by `signal` or by the end. */
  question(view: OverlayView, signal?: AbortSignal): Promise<string | undefined> {
    this.#grown();
    return this.#dialogs.question(view, signal);
  }

  /** Asks for a code over the running agent. Undefined when it was put off, or taken away by the end. */
  code(title: string, lines: readonly string[]): Promise<string | undefined> {
    return this.#dialogs.code(title, lines);
  }

  resize(size: Size): void {
    if (this.#ended || (size.cols === this.#size.cols && size.rows === this.#size.rows)) return;
    this.#size = size;
    this.#questions.forgetCellHeight();
    if (this.#overlay.isOpen || !this.#compositor.mayPull(size)) {
      this.#growing ??= [];
      this.#grown();
    } else void this.#grow();
  }

  /** A taller window: whether the terminal has pulled lines out of its scrollback, only the cursor tells. */
  async #grow(): Promise<void> {
    // Another one for each size, so that the last answer counts.
    const growing = [...(this.#growing ?? [])];
    this.#growing = growing;
    this.#options.hold("size", true);
    const cursor = await this.#questions.cursor();
    if (this.#growing === growing) this.#grown(cursor?.y);
  }

  /** The size is what the terminal has, and what was held meanwhile is let through. */
  #grown(row?: number): void {
    const held = this.#growing;
    if (held === undefined) return;
    this.#growing = undefined;
    this.#options.hold("size", false);
    this.#renderBar();
    this.#overlay.behind(() => this.#compositor.resize(this.#size, row));
    this.#options.resizeAgent(this.agentSize);
    this.#afterOutput();
    this.#protect();
    for (const chunk of held) this.output(chunk);
  }

  /** What only the agent knows how to draw: programs draw all of it when their size changes, which it does for a moment. */
  #askToDraw(): void {
    const { cols, rows } = this.agentSize;
    this.#options.resizeAgent({ cols, rows: rows > 1 ? rows - 1 : rows + 1 });
    this.#later(DRAW_ANEW_MS, () => this.#options.resizeAgent(this.agentSize));
  }

  /** What we have asked the terminal has its answer, or will get none. */
  answered(): Promise<void> {
    return this.#questions.settled();
  }

  /** Somebody else has the terminal for a while (Ctrl-Z). */
  release(): void {
    this.#grown();
    this.#overlay.lift();
    this.#compositor.release();
    this.#say(this.#options.voice?.gone);
    // What is on the screen from now on is not ours to reset.
    this.#options.guard.protect("");
  }

  /** The terminal is ours again, perhaps with another size. */
  retake(size: Size): void {
    this.#size = size;
    this.#begun = false;
    this.#shadowLoading = undefined;
    this.#soon = false;
    this.#renderBar();
    this.#compositor.retake(size);
    this.#options.resizeAgent(this.agentSize);
    this.#paint();
    this.#say(this.#options.voice?.here);
    this.#protect();
    this.#later(LOAD_SHADOW_MS, () => void this.#loadShadow());
    this.#overlay.putBack();
  }

  /** The last of the agent's output is through: shows it, and waits for an answer of the terminal that is still on its way. */
  async settle(): Promise<void> {
    this.#grown();
    this.#overlay.close();
    await this.#questions.settled();
    if (!this.#compositor.endsWithinLine) return;
    // Too late to ask where the agent began: only the column counts.
    this.#begun = true;
    await this.#loadShadow();
  }

  /** Gives the screen back. Once. */
  end(): void {
    if (this.#ended) return;
    this.#grown();
    this.#overlay.close();
    this.#ended = true;
    for (const timer of [...this.#timers, this.#quiet, this.#noticeTimer, this.#flushTimer]) clearTimeout(timer);
    this.#compositor.end();
    this.#sendWhereAllowed();
    this.#say(this.#options.voice?.gone);
  }

  #say(text: string | undefined): void {
    if (text !== undefined) this.#options.output.write(text);
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#ended) run();
    }, ms).unref();
    this.#timers.add(timer);
  }

  #renderBar(): void {
    this.#barDue = undefined;
    if (this.#state === undefined || this.#ended) return;
    this.#dialogs.refresh();
    const { killKey } = this.#options;
    const { colour } = this.#options.kind.look;
    const state = this.#notice === undefined ? this.#state : { ...this.#state, notice: this.#notice };
    // The plain line says the same for a hundredth of the cost: Ink draws only what changed.
    const plain = plainBar(state, killKey.name, this.#size.cols, colour);
    if (plain === this.#plain && this.#drawnBy === this.#drawBar) return;
    this.#plain = plain;
    this.#drawnBy = this.#drawBar;
    this.#compositor.bar = this.#drawBar === plainBar ? plain : this.#drawBar(state, killKey.name, this.#size.cols, colour);
    this.#staleSince ??= monotonic();
    if (this.#overlay.isDrawn) this.#overlay.redraw(false);
    else this.#quiet.refresh();
  }

  #paint(): void {
    this.#compositor.paint();
    this.#staleSince = undefined;
    this.#blockedSince = undefined;
  }

  #afterOutput(): void {
    if (this.#growing !== undefined) return;
    this.#overlay.tryDraw(false);
    if (this.#overlay.isDrawn) {
      this.#staleSince = undefined;
      return;
    }
    if (this.#compositor.mayPaint) {
      if (this.#unsent !== "") this.#sendWhereAllowed();
      if (this.#compositor.frame.damaged) this.#paint();
      else {
        const since = this.#staleSince ?? this.#barDue;
        if (since !== undefined && monotonic() - since > LONGEST_STALE_MS) {
          if (this.#barDue !== undefined) this.#renderBar();
          if (this.#staleSince !== undefined) this.#paint();
        }
      }
    }
    this.#loud = true;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#quiet.refresh();
  }

  #onQuiet(): void {
    this.#waiting = this.#loud;
    if (this.#loud) {
      // Set back once a pause rather than once a chunk.
      this.#loud = false;
      this.#quiet.refresh();
      return;
    }
    if (this.#ended || this.#overlay.isDrawn || this.#growing !== undefined) return;
    if (this.#barDue !== undefined) this.#renderBar();
    this.#compositor.frame.shadow?.drain();
    this.#protect();
    if (this.#compositor.mayPaint && this.#compositor.frame.modes.isSet(1016)) this.#questions.cellHeight();
    if (this.#staleSince === undefined && !this.#compositor.frame.damaged) return;
    if (this.#compositor.mayPaint || this.#waitedEnough()) this.#paint();
    else this.#quiet.refresh();
  }

  #waitedEnough(): boolean {
    const now = monotonic();
    this.#blockedSince ??= now;
    return now - this.#blockedSince > (this.#compositor.frame.modes.synchronised ? SYNC_PATIENCE_MS : STRING_PATIENCE_MS);
  }

  #protect(): void {
    this.#guarded = this.#compositor.frame.modes.revision;
    this.#options.guard.protect(this.#compositor.reset() + (this.#options.voice?.gone ?? ""));
  }

  #onInput(event: TapEvent): void {
    if (this.#ended) return;
    if (this.#questions.answeredBy(event)) return;
    if (this.#options.voice?.asksToEnd(event)) {
      if (this.#inner.askToEnd()) return;
      this.progress(["cutting its access"]);
      this.#options.onKill();
      return;
    }
    const rows = { all: this.#size.rows, agent: this.agentSize.rows };
    const pixels = this.#compositor.frame.modes.isSet(1016);
    if (this.#overlay.isOpen && event.kind !== "reply" && this.#overlay.press(event)) {
      const released = this.#filter.whileCovered(event, rows, pixels);
      if (released.length > 0) this.#options.toAgent(released);
      return;
    }
    if (event.kind === "kill") {
      this.#grown();
      this.#dialogs.askKill(event.bytes);
      return;
    }
    const bytes = this.#filter.forAgent(event, rows, pixels, (all) => ({ all, agent: this.#compositor.frame.agentRows(all) }));
    if (bytes.length > 0) this.#options.toAgent(bytes);
  }

  /** Asks the terminal where the cursor is, before the agent's first byte: the shadow starts there. */
  #askCursor(): void {
    this.#begun = true;
    this.#cursor = this.#questions.cursor();
  }

  #shadowLoading: Promise<void> | undefined;
  #loadShadow(): Promise<void> {
    if (!this.#begun) this.#askCursor();
    this.#shadowLoading ??= (async () => {
      const cursor = this.#cursor;
      const [{ openShadow }, at] = await Promise.all([import("./shadow.ts"), cursor]);
      if (cursor === this.#cursor && !this.#ended) this.#compositor.adopt(openShadow(this.agentSize, at, this.#options.kind.xtermJs));
    })().catch(() => this.#compositor.goWithoutShadow());
    return this.#shadowLoading;
  }

  /** Once. */
  #loadSoon(): void {
    this.#soon = true;
    this.#later(LOAD_SHADOW_SOON_MS, () => void this.#loadShadow());
  }
  #soon = false;

  async #loadInk(): Promise<void> {
    // Without Ink the plain line stays: it says the same.
    const ink = await import("./bar.tsx").catch(() => undefined);
    if (ink === undefined) return;
    this.#drawBar = ink.drawBar;
    this.#renderBar();
  }
}
