// The catalogue of AWS's actions and a short way to lint, for the tests of this folder.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCatalogue } from "../../src/policy/catalogue.ts";
import type { Finding } from "../../src/policy/lint/finding.ts";
import { type LintInput, lintPolicies } from "../../src/policy/lint/lint.ts";
import type { PolicyKind } from "../../src/policy/lint/subject.ts";
import { parsePolicy } from "../../src/policy/parse.ts";

export const catalogue = readCatalogue(readFileSync(join(import.meta.dirname, "../../dist/iam-data.json"), "utf8"));

/** A day of November 2026: after the dates of the examples, whatever day the test runs on. */
const NOW = Date.parse("2026-11-22T12:00:00Z");

export function input(text: string, kind: PolicyKind = "identity", source = "policy.json"): LintInput {
  return { kind, text, document: parsePolicy(text, source, { kind: kind === "trust" || kind === "resource" ? "resource" : "identity" }) };
}

/** Lints policies of one session. */
export function lint(...inputs: readonly LintInput[]): Finding[] {
  return lintPolicies(inputs, { catalogue, now: NOW });
}

/** Lints statements of one policy. */
export function lintStatements(statements: unknown, kind: PolicyKind = "identity"): Finding[] {
  return lint(input(JSON.stringify({ Version: "2012-10-17", Statement: statements }), kind));
}
