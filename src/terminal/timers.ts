// What is done a while later, unless the screen has ended by then. Used by screen.ts and shadow-loader.ts.

export class Timers {
  readonly #set = new Set<NodeJS.Timeout>();
  #ended = false;

  later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#set.delete(timer);
      if (!this.#ended) run();
    }, ms).unref();
    this.#set.add(timer);
  }

  end(): void {
    this.#ended = true;
    for (const timer of this.#set) clearTimeout(timer);
  }
}
