// What a chaos run found, counted: rounds, kinds of harm, leftovers, and how long things took. Called by run.ts and chaos.test.ts.
import type { Round } from "./plan.ts";
import type { Outcome } from "./round.ts";

export class Summary {
  readonly #kinds = new Map<string, { rounds: number; leftovers: number }>();
  readonly #gone: number[] = [];
  readonly #restored: number[] = [];
  #rounds = 0;
  #leftovers = 0;
  #unplayed = 0;

  add(round: Round, { leftovers, goneMs, restoredMs }: Outcome): void {
    const counted = this.#kinds.get(round.kind) ?? { rounds: 0, leftovers: 0 };
    this.#kinds.set(round.kind, { rounds: counted.rounds + 1, leftovers: counted.leftovers + leftovers.length });
    this.#rounds += 1;
    this.#leftovers += leftovers.length;
    this.#gone.push(goneMs);
    if (restoredMs !== undefined) this.#restored.push(restoredMs);
  }

  notPlayed(round: Round): void {
    this.#unplayed += 1;
    const counted = this.#kinds.get(round.kind) ?? { rounds: 0, leftovers: 0 };
    this.#kinds.set(round.kind, counted);
  }

  get leftovers(): number {
    return this.#leftovers;
  }

  get unplayed(): number {
    return this.#unplayed;
  }

  text(): string {
    const width = Math.max(0, ...[...this.#kinds.keys()].map((name) => name.length));
    return [
      `${this.#rounds} rounds, ${this.#leftovers} leftovers${this.#unplayed > 0 ? `, ${this.#unplayed} could not be played` : ""}`,
      ...[...this.#kinds]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, { rounds, leftovers }]) => `  ${name.padEnd(width)}  ${rounds} rounds, ${leftovers} leftovers`),
      `restored after a daemon's death: ${spread(this.#restored)}`,
      `a whole aftermath, the next launch included: ${spread(this.#gone)}`,
    ].join("\n");
  }
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return "none";
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return `${sorted.length} times, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}
