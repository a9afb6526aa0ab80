// The test switches: what the local cloud should do wrong, and how fast things take effect. Set at the start, in the process, or over serve.ts's stdin.
import * as z from "zod/mini";

const seconds = z.number().check(z.minimum(0), z.maximum(604_800));

/** One thing to do wrong. With several of `latencyMs` and an end, the latency comes first. */
export const fault = z.strictObject({
  /** `sts:AssumeRole`, `s3:*` or `*`: operations as `calls()` names them. */
  operation: z.string().check(z.regex(/^(\*|[a-z0-9]+:(\*|[A-Za-z0-9]+))$/)),
  latencyMs: z.optional(z.number().check(z.minimum(0))),
  /** Answers with this error in the protocol of the service. */
  error: z.optional(z.strictObject({ code: z.string(), status: z.optional(z.number()), message: z.optional(z.string()) })),
  /** `hang`: never answers; `close`: cuts the connection without an answer, as a service that is down. */
  end: z.optional(z.enum(["hang", "close"])),
  /** How many requests it meets before it goes; absent: until it is taken away. */
  times: z.optional(z.number().check(z.minimum(1))),
});

export const settings = z.strictObject({
  /** Replaces all faults. */
  faults: z.optional(z.array(fault)),
  /** How long changes of IAM policies take to take effect. */
  propagationSeconds: z.optional(seconds),
  /** Life of the credentials that STS issues from now on, whatever was asked for (which is checked all the same); null: as asked. */
  credentialSeconds: z.optional(z.nullable(seconds)),
  /** How long CloudTrail takes to show an event. */
  trailSeconds: z.optional(seconds),
  /** The one MFA code that is right. */
  mfaCode: z.optional(z.string().check(z.regex(/^\d{6}$/))),
});

export type Fault = z.infer<typeof fault>;
export type Settings = z.infer<typeof settings>;

/** What a request meets: applied by the pipeline in this order. */
export interface Trouble {
  readonly latencyMs: number;
  readonly error: Fault["error"];
  readonly end: Fault["end"];
}

export class Switches {
  #faults: { fault: Fault; left: number }[] = [];
  #calls = new Map<string, number>();
  propagationMs = 0;
  credentialMs: number | undefined;
  trailMs = 0;
  mfaCode = "123456";

  /** Changes what is given and leaves the rest. */
  apply(change: Settings): void {
    if (change.faults) this.#faults = change.faults.map((entry) => ({ fault: entry, left: entry.times ?? Number.POSITIVE_INFINITY }));
    if (change.propagationSeconds !== undefined) this.propagationMs = change.propagationSeconds * 1000;
    if (change.credentialSeconds !== undefined)
      this.credentialMs = change.credentialSeconds === null ? undefined : change.credentialSeconds * 1000;
    if (change.trailSeconds !== undefined) this.trailMs = change.trailSeconds * 1000;
    if (change.mfaCode !== undefined) this.mfaCode = change.mfaCode;
  }

  /** Adds one fault; disposing takes it away. */
  fault(entry: Fault): Disposable {
    const added = { fault: entry, left: entry.times ?? Number.POSITIVE_INFINITY };
    this.#faults.push(added);
    return {
      [Symbol.dispose]: () => {
        this.#faults = this.#faults.filter((other) => other !== added);
      },
    };
  }

  /** Takes all faults away; the other settings stay. */
  clear(): void {
    this.#faults = [];
  }

  /** Counts a request and gives what it meets. */
  meet(operation: string): Trouble {
    this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + 1);
    const met = this.#faults.filter((entry) => matches(entry.fault.operation, operation));
    for (const entry of met) entry.left -= 1;
    this.#faults = this.#faults.filter((entry) => entry.left > 0);
    return {
      latencyMs: met.reduce((sum, entry) => sum + (entry.fault.latencyMs ?? 0), 0),
      error: met.find((entry) => entry.fault.error)?.fault.error,
      end: met.find((entry) => entry.fault.end)?.fault.end,
    };
  }

  /** How often an operation was asked for, refused requests included: `sts:AssumeRole`. */
  calls(operation: string): number {
    return this.#calls.get(operation) ?? 0;
  }

  /** All counters. */
  allCalls(): Record<string, number> {
    return Object.fromEntries(this.#calls);
  }
}

function matches(pattern: string, operation: string): boolean {
  return pattern === "*" || pattern === operation || (pattern.endsWith(":*") && operation.startsWith(pattern.slice(0, -1)));
}
