// Watches over a running session's time: its limit, should the daemon be silent, and the end that the human is told of before. Held by running.ts.
import type { SessionView } from "../control/protocol.ts";
import type { Instant, SteadyClock } from "../core/clock.ts";

/** How long after the limit the daemon may take to say what follows; one that is stopped or hangs says nothing. */
const SILENT_MS = 3000;
/** What it said while this machine slept, or this process was stopped, is read first. */
const READ_FIRST_MS = 1000;

export class TimeWatch {
  readonly #clock: SteadyClock;
  readonly #view: () => SessionView | undefined;
  readonly #onSilence: () => void;
  readonly #onNotice: (now: Instant) => Promise<void>;
  #limit: Disposable | undefined;
  #notice: Disposable | undefined;
  /** The end that a notice was planned for. */
  #toldOf: number | undefined;

  /**
   * @param clock the one of the view's times
   * @param view as the daemon told it last
   * @param on.silence the limit has come, and nobody says that it is over
   * @param on.notice the session ends soon; the time now is given
   */
  constructor(
    clock: SteadyClock,
    view: () => SessionView | undefined,
    on: { readonly silence: () => void; readonly notice: (now: Instant) => Promise<void> },
  ) {
    this.#clock = clock;
    this.#view = view;
    this.#onSilence = on.silence;
    this.#onNotice = on.notice;
  }

  /** The agent does not outlive its limit because nobody says that it is over. */
  watchLimit(): void {
    const limitAt = this.#view()?.limitAt;
    this.#limit?.[Symbol.dispose]();
    if (limitAt === undefined) return;
    const look = (): void => {
      if (this.#view()?.limitAt === limitAt) this.#onSilence();
    };
    this.#limit = this.#clock.at(limitAt + SILENT_MS, () => setTimeout(look, READ_FIRST_MS).unref());
  }

  /** Two minutes before the end the human is told, wherever they are looking; once for each end. */
  async watchEnd(): Promise<void> {
    const view = this.#view();
    if (view?.endsAt === undefined || view.endsAt === this.#toldOf) return;
    // Where this version was replaced meanwhile the end itself is told, and no more.
    const found = await import("./end-notice.ts").catch(() => undefined);
    if (found === undefined) return;
    const { endsAt } = view;
    this.#toldOf = endsAt;
    this.#notice?.[Symbol.dispose]();
    this.#notice = this.#clock.at(found.noticeAt(view) ?? endsAt, () => {
      const now = this.#clock.now();
      if (now < endsAt) void this.#onNotice(now);
    });
  }

  [Symbol.dispose](): void {
    this.#limit?.[Symbol.dispose]();
    this.#notice?.[Symbol.dispose]();
  }
}
