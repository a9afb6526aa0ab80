// Says to the human that a start takes long, so that nobody wonders whether it hangs. Used by starting.ts.

/** A launch takes a fraction of it. */
const LONG_MS = 3000;

export class Waiting implements Disposable {
  readonly #say: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #since = performance.now();

  constructor(say: (text: string) => void) {
    this.#say = say;
    this.moved();
  }

  /** Something happened: it counts anew. */
  moved(): void {
    clearTimeout(this.#timer);
    this.#since = performance.now();
    this.#timer = setTimeout(
      () => this.#say(`no answer from aws or the source of your credentials for ${this.#seconds()} s; still waiting`),
      LONG_MS,
    );
  }

  /** A human is asked: that takes as long as it takes. */
  async whileAsking<T>(asked: Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    return asked.finally(() => this.moved());
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#since) / 1000);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
