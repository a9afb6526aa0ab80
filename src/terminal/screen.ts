// What the human sees and types while an agent runs: output through the compositor, the bar, overlays, keys. Decides when. Used by attach.ts.
import type { BarState } from "./bar-layout.ts";
import { BarPainter } from "./bar-painter.ts";
import { Compositor } from "./compositor.ts";
import { Dialogs } from "./dialogs.ts";
import { InnerRuns } from "./inner-run.ts";
import { InputFilter } from "./input-filter.ts";
import { KeyRouter } from "./key-router.ts";
import type { OverlayView } from "./overlay.ts";
import { OverlayHost } from "./overlay-host.ts";
import { shownKey } from "./overlay-views.ts";
import { Pauses } from "./pauses.ts";
import type { Size } from "./pty.ts";
import { Questions } from "./questions.ts";
import type { ScreenOptions } from "./screen-options.ts";
import { ShadowLoader } from "./shadow-loader.ts";
import { Timers } from "./timers.ts";
import { UnseenOutput } from "./unseen-output.ts";
import { WindowSize } from "./window-size.ts";

/** Ink is loaded when the agent had time to start: it holds us up for 50 ms, and until then the plain line says the same. */
const LOAD_INK_MS = 700;
/** While the agent writes. */
const LOAD_INK_BUSY_MS = 100;
/** How long the bar says what became of an agent-run inside. */
const INNER_NOTICE_MS = 15_000;

export class Screen {
  readonly #options: ScreenOptions;
  readonly #compositor: Compositor;
  readonly #questions: Questions;
  readonly #unseen: UnseenOutput;
  readonly #overlay: OverlayHost;
  readonly #dialogs: Dialogs;
  readonly #inner: InnerRuns;
  readonly #keys: KeyRouter;
  readonly #pauses: Pauses;
  readonly #bar: BarPainter;
  readonly #shadow: ShadowLoader;
  readonly #window: WindowSize;
  readonly #timers = new Timers();
  #ended = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const filter = new InputFilter();
    this.#questions = new Questions((text) => options.output.write(text), filter);
    this.#inner = new InnerRuns({
      toAgent: options.toAgent,
      say: (text) => this.notice(text, INNER_NOTICE_MS),
      killKey: shownKey(options.killKey.name),
    });
    this.#compositor = new Compositor({
      size: options.size,
      reserve: options.bar !== undefined,
      console: options.console,
      multiplexer: options.kind.multiplexer,
      closed: options.closed,
      emit: (bytes) => options.output.write(bytes),
      marker: (payload) => this.#inner.hear(payload) || options.marker(payload),
    });
    this.#unseen = new UnseenOutput({
      output: options.output,
      guard: options.guard,
      voice: options.voice,
      compositor: this.#compositor,
    });
    this.#overlay = new OverlayHost({
      ...options,
      ...options.kind,
      compositor: this.#compositor,
      hold: (on) => options.hold("overlay", on),
      loadShadow: () => this.#shadow.load(),
      changed: (sure) => {
        this.#afterOutput();
        this.#unseen.protect();
        if (!sure) this.#window.askToDraw();
      },
    });
    this.#dialogs = new Dialogs({ ...options, host: this.#overlay, inner: this.#inner });
    this.#pauses = new Pauses(() => this.#onPause());
    this.#bar = new BarPainter({
      bar: options.bar,
      killKey: options.killKey.name,
      colour: options.kind.look.colour,
      width: () => this.#window.cols,
      compositor: this.#compositor,
      overlay: this.#overlay,
      pauses: this.#pauses,
      onRender: () => this.#dialogs.refresh(),
    });
    this.#shadow = new ShadowLoader({
      compositor: this.#compositor,
      questions: this.#questions,
      kind: options.kind,
      timers: this.#timers,
    });
    this.#window = new WindowSize({
      ...options,
      compositor: this.#compositor,
      overlay: this.#overlay,
      bar: this.#bar,
      questions: this.#questions,
      timers: this.#timers,
      hold: (on) => options.hold("size", on),
      output: (chunk) => this.output(chunk),
      changed: () => {
        this.#afterOutput();
        this.#unseen.protect();
      },
    });
    this.#keys = new KeyRouter({
      killKey: options.killKey,
      compositor: this.#compositor,
      overlay: this.#overlay,
      dialogs: this.#dialogs,
      questions: this.#questions,
      filter,
      inner: this.#inner,
      voice: options.voice,
      rows: () => this.#window.rows,
      settleSize: () => this.#window.settle(),
      toAgent: options.toAgent,
      onKill: options.onKill,
    });
  }

  get agentSize(): Size {
    return this.#compositor.agentSize;
  }

  /** Nothing has come of the agent for a moment. */
  get isQuiet(): boolean {
    return this.#pauses.isQuiet;
  }

  /** Reserves the line and paints it. Then the agent may start. */
  begin(): void {
    this.#compositor.begin();
    this.#unseen.here();
    this.#bar.render();
    this.#bar.paint();
    this.#unseen.protect();
  }

  /** The agent was spawned: what is heavy may be loaded now. */
  spawned(): void {
    if (this.#options.bar !== undefined) this.#timers.later(LOAD_INK_MS, () => this.#loadInk());
    this.#shadow.loadLater();
  }

  /** In a pause: a flood has better use for the processor, and the plain line says the same. */
  #loadInk(): void {
    if (this.#pauses.isQuiet) void this.#bar.loadInk().then(() => this.#overlay.load());
    else this.#timers.later(LOAD_INK_BUSY_MS, () => this.#loadInk());
  }

  /** Output of the agent, which may change once the next one comes. */
  output(chunk: Buffer): void {
    this.#window.heard();
    if (this.#window.isOpen) {
      this.#window.holdBack(chunk);
      return;
    }
    if (this.#overlay.isDrawn) {
      this.#overlay.hold(chunk);
      return;
    }
    // Not for an agent that says nothing before its end: the answer would have to be waited for.
    if (!this.#shadow.begun && !this.#options.saysEnd(chunk)) this.#shadow.askCursor();
    this.#options.output.together(() => {
      this.#compositor.write(chunk);
      // Before the terminal has them: an agent that never pauses, or a launcher that dies now, leaves none behind.
      this.#unseen.protectChanged();
      this.#questions.note(this.#compositor.frame);
      const { damaged, shadow } = this.#compositor.frame;
      if (damaged) this.#afterOutput();
      if (damaged && shadow === undefined) this.#shadow.loadSoon();
    });
    this.#afterOutput();
  }

  /** Bytes of the human's terminal. */
  input(chunk: Uint8Array): void {
    this.#keys.input(chunk);
  }

  /** Drawn in the next pause: never between a key and its echo. */
  setBar(state: BarState): void {
    this.#bar.set(state);
  }

  notice(text: string, ms: number): void {
    this.#bar.notice(text, ms);
  }

  /** A sequence of ours that shows nothing on the screen, as soon as it stands between two of the agent's. */
  send(sequence: string): void {
    this.#unseen.send(sequence);
  }

  /** Shows how the end proceeds, over the agent; no lines take it away. */
  progress(lines: readonly string[]): void {
    this.#window.settle();
    this.#dialogs.progress(lines);
  }

  /** Asks over the running agent. Gives the key of the choice; undefined when it was taken away, by `signal` or by the end. */
  question(view: OverlayView, signal?: AbortSignal): Promise<string | undefined> {
    this.#window.settle();
    return this.#dialogs.question(view, signal);
  }

  /** Asks for a code over the running agent. Undefined when it was put off, or taken away by the end. */
  code(title: string, lines: readonly string[]): Promise<string | undefined> {
    this.#window.settle();
    return this.#dialogs.code(title, lines);
  }

  resize(size: Size): void {
    if (!this.#ended) this.#window.change(size);
  }

  /** What we and the agent have asked the terminal has its answer, or will get none: what came later would be typed into the shell. */
  answered(): Promise<void> {
    return this.#questions.settled(this.#compositor.frame);
  }

  /** Somebody else has the terminal for a while (Ctrl-Z). */
  release(): void {
    this.#window.settle();
    this.#overlay.lift();
    this.#compositor.release();
    this.#unseen.gone();
    this.#unseen.unprotect();
  }

  /** The terminal is ours again, perhaps with another size. */
  retake(size: Size): void {
    this.#shadow.startAnew();
    this.#window.retake(size);
    this.#bar.paint();
    this.#unseen.here();
    this.#unseen.protect();
    this.#shadow.loadLater();
    this.#overlay.putBack();
  }

  /** The last of the agent's output is through: shows it, and waits for an answer of the terminal that is still on its way. */
  async settle(): Promise<void> {
    this.#window.settle();
    this.#overlay.close();
    await this.answered();
    if (!this.#compositor.endsWithinLine) return;
    await this.#shadow.loadAtTheEnd();
  }

  /** Gives the screen back. Once. */
  end(): void {
    if (this.#ended) return;
    this.#window.settle();
    this.#overlay.close();
    this.#ended = true;
    for (const part of [this.#timers, this.#pauses, this.#bar, this.#keys, this.#shadow]) part.end();
    this.#compositor.end();
    this.#unseen.end();
  }

  #afterOutput(): void {
    if (this.#window.isOpen) return;
    this.#overlay.tryDraw(false);
    if (this.#overlay.isDrawn) {
      this.#bar.shown();
      return;
    }
    if (this.#compositor.mayPaint) {
      this.#unseen.sendWhereAllowed();
      this.#bar.afterOutput();
    }
    this.#pauses.output();
  }

  #onPause(): void {
    if (this.#ended || this.#overlay.isDrawn || this.#window.isOpen) return;
    this.#bar.renderDue();
    this.#compositor.frame.shadow?.drain();
    this.#unseen.protect();
    if (this.#compositor.mayPaint && this.#compositor.frame.modes.isSet(1016)) this.#questions.cellHeight();
    this.#bar.paintDue();
  }
}
