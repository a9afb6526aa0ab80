// What a lint gives: findings, and the one table of their codes. Called by every check of this folder and by `agent-run policy lint`.
import type { Statement } from "../types.ts";

export type Severity = "error" | "warning" | "note";

/** From the document to the value that a finding is about: `["Statement", 0, "Action", 2]`. Lists of one may stand as their only value. */
export type Steps = readonly (string | number)[];

/** Every code with its severity and what it is about; docs/policies.md has an example and the fix of each. */
export const codes = {
  "not-a-policy": { severity: "error", title: "the text is no policy" },
  "admin-everything": { severity: "error", title: "every action on every resource" },
  "service-wildcard": { severity: "error", title: "every action of a service" },
  "allow-not-action": { severity: "error", title: "allows everything but a list" },
  "pass-role": { severity: "error", title: "hands roles to services" },
  "mints-credentials": { severity: "error", title: "gets credentials that the session's end does not reach" },
  "privilege-escalation": { severity: "error", title: "can make itself stronger" },
  "public-exposure": { severity: "error", title: "open to everyone, or able to open things" },
  "unknown-action": { severity: "error", title: "an action that AWS does not have" },
  "too-long": { severity: "error", title: "longer than AWS takes" },
  "variable-in-old-version": { severity: "error", title: "a variable that stands for itself" },
  "permissions-management": { severity: "warning", title: "changes who may do what" },
  "action-wildcard": { severity: "warning", title: "a wildcard that covers writes" },
  "write-anywhere": { severity: "warning", title: "writes to every resource" },
  "read-data-anywhere": { severity: "warning", title: "reads the data of every resource" },
  destructive: { severity: "warning", title: "may destroy, or hide traces" },
  "ceiling-open": { severity: "warning", title: "a ceiling that leaves destruction open" },
  "missing-condition": { severity: "warning", title: "a condition is missing" },
  "never-matches": { severity: "warning", title: "can never apply" },
  shadowed: { severity: "warning", title: "a Deny takes all of it away" },
  "deny-fails-open": { severity: "warning", title: "a Deny that does not hold where the key is absent" },
  "set-operator": { severity: "warning", title: "a set operator is missing, or holds for no value at all" },
  "unknown-condition-key": { severity: "warning", title: "a condition key that the action does not have" },
  "condition-type": { severity: "warning", title: "an operator for another type" },
  "shared-role": { severity: "warning", title: "one role for several" },
  "fixed-date": { severity: "warning", title: "a date that has passed" },
  "denies-service-calls": { severity: "note", title: "also stops calls that AWS makes for the caller" },
  redundant: { severity: "note", title: "another entry allows it already" },
  "old-version": { severity: "note", title: "the policy language of 2008" },
  "resource-wildcard": { severity: "note", title: "lists or reads on every resource" },
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly title: string }>>;

export type Code = keyof typeof codes;

export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  /** File, ARN or setting of the policy. */
  readonly source: string;
  readonly steps: Steps;
  readonly sid: string | undefined;
  readonly reason: string;
  readonly fix: string;
}

/** A finding of a statement, without the source that `lint` adds. */
export type Raw = Omit<Finding, "source" | "severity"> & { readonly severity?: Severity };

/** What a check says of a statement: where in it, why, what mends it, and how bad it is where that is not as for every finding of the code. */
interface Told {
  /** From the statement on. */
  readonly steps: Steps;
  readonly reason: string;
  readonly fix: string;
  readonly severity?: Severity | undefined;
}

export function finding(code: Code, { index, sid }: Statement, { steps, reason, fix, severity }: Told): Raw {
  return { code, steps: ["Statement", index, ...steps], sid, reason, fix, ...(severity ? { severity } : {}) };
}

const SHOWN = 4;

/** `a, b, c, d and 3 more` */
export function some(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  return distinct.length > SHOWN + 1 ? `${distinct.slice(0, SHOWN).join(", ")} and ${distinct.length - SHOWN} more` : distinct.join(", ");
}

const RANK: Readonly<Record<Severity, number>> = { error: 3, warning: 2, note: 1 };

/** Whether a severity is at or above another. */
export function atLeast(severity: Severity, threshold: Severity): boolean {
  return RANK[severity] >= RANK[threshold];
}
