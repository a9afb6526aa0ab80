// How a launched session ends, as its launcher knows it: the cause, what is done by now, and what the human sees of it. Held by running.ts.
import { constants } from "node:os";
import type { Cause, RevocationReport } from "../control/protocol.ts";
import type { ProcessExit } from "../core/command.ts";
import { formatSpan } from "../core/duration.ts";
import { progressLines, withReport } from "./revocation-lines.ts";

export class Ending {
  #cause: Cause | undefined;
  /** `performance.now()` at the key press, or when the daemon said that it ends. */
  #since: number | undefined;
  #graceMs = 0;
  #cutMs: number | undefined;
  #goneMs: number | undefined;
  #isAgentGone = false;
  #isRevoking = false;
  #revocations: readonly RevocationReport[] = [];

  /** Undefined while nothing ends; the first one stays. */
  get cause(): Cause | undefined {
    return this.#cause;
  }

  get isAgentGone(): boolean {
    return this.#isAgentGone;
  }

  /** Keys are being denied at AWS. */
  get isRevoking(): boolean {
    return this.#isRevoking;
  }

  get revocations(): readonly RevocationReport[] {
    return this.#revocations;
  }

  /** The human confirmed at the bar. */
  killed(): void {
    this.#cause ??= "killed";
    this.#since ??= performance.now();
  }

  /** Nothing is served any more. */
  cut(cause: Cause, graceMs: number, revoking: boolean): void {
    this.#cause ??= cause;
    this.#since ??= performance.now();
    this.#cutMs = performance.now() - this.#since;
    this.#graceMs = graceMs;
    this.#isRevoking = revoking;
  }

  report(report: RevocationReport): void {
    this.#revocations = withReport(this.#revocations, report);
  }

  agentGone(): void {
    this.#isAgentGone = true;
    if (this.#since !== undefined) this.#goneMs = performance.now() - this.#since;
  }

  /** What is shown over the agent, and after it until all is done; undefined where it is no kill, which alone is worth it. */
  progress(actor: string): string[] | undefined {
    if (this.#cause !== "killed") return undefined;
    const done = progressLines({ cutMs: this.#cutMs, goneMs: this.#goneMs, revocations: this.#revocations });
    if (!this.#isAgentGone) return [...done, `waiting for ${actor} to leave, ${formatSpan(this.#graceMs)} at most`];
    if (!this.#isRevoking) return done;
    return [...done, this.#revocations.length === 0 ? "denying its keys at AWS" : "looking whether the deny holds"];
  }
}

/** The contract's exit status: 124 for time up, 137 for killed through us, else the agent's own, `128+n` for a signal. */
export function exitStatus(exit: ProcessExit, cause: Cause): number {
  if (cause === "expired") return 124;
  if (cause === "killed") return 137;
  if (exit.signal !== undefined) return 128 + constants.signals[exit.signal];
  return exit.code ?? 125;
}
