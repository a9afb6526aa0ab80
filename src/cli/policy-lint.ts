// `agent-run policy lint`: what is wrong or risky in policies, where, why, and the fix. Also the findings of `agent-run check`.
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { atLeast, type Code, codes, type Severity } from "../policy/lint/finding.ts";
import { lintPolicies } from "../policy/lint/lint.ts";
import { locator, pathOf } from "../policy/lint/locate.ts";
import { type PolicyKind, policyKinds } from "../policy/lint/subject.ts";
import { catalogueOf } from "./catalogue-file.ts";
import { choice } from "./choice.ts";
import { type Command, type Context, textValue } from "./command.ts";
import { readTarget, type Target } from "./policy-target.ts";
import { type SarifRule, sarif } from "./sarif.ts";

/** A finding with its place in the text. */
export interface PlacedFinding {
  readonly code: Code;
  readonly severity: Severity;
  readonly source: string;
  /** JSON path, such as `Statement[0].Action[2]`. */
  readonly path: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly sid: string | undefined;
  readonly reason: string;
  readonly fix: string;
}

const thresholds = ["error", "warning", "note", "never"] as const;
const formats = ["text", "json", "sarif"] as const;

export const policyLint: Command = {
  name: "policy lint",
  usage: "policy lint <file|profile|role arn>… [--format text|json|sarif] [--fail-on <severity>]",
  summary: "what is wrong or risky in policies, and the fix",
  description:
    "Policies of one profile or role are also looked at together: what its boundary or session policy stops is no way out. " +
    "A role is read from AWS with your own credentials. Exits with 1 when there is a finding at or above --fail-on.",
  options: [
    { name: "format", value: "<format>", help: "text (default), json, or sarif for code hosts" },
    { name: "fail-on", value: "<severity>", help: "error (default), warning, note or never" },
    { name: "kind", value: "<kind>", help: `what a file is: ${policyKinds.join(", ")}` },
    { name: "aws-profile", value: "<name>", help: "the AWS profile to read a role with" },
  ],
  examples: [
    ["agent-run policy lint readonly", "all policies of a profile"],
    ["agent-run policy lint policy.json --fail-on warning", "a file, strictly"],
    ["agent-run policy lint arn:aws:iam::123456789012:role/agent", "a role as AWS has it"],
  ],
  async run(values, words, context) {
    if (words.length === 0) {
      throw new AgentRunError("usage", "policy lint needs a file, a profile or a role", {
        hint: "agent-run policy lint readonly",
        exitStatus: 2,
      });
    }
    const format = choice(values, "format", formats) ?? "text";
    const threshold = choice(values, "fail-on", thresholds) ?? "error";
    const kind = choice(values, "kind", policyKinds);
    const findings: PlacedFinding[] = [];
    for (const word of words) findings.push(...(await lintWord(word, kind, context, textValue(values, "aws-profile"))));
    if (format === "json") context.print.json(findings);
    else if (format === "sarif") context.print.json(sarif(context.version, rules, findings));
    else printText(findings, context);
    return threshold !== "never" && findings.some(({ severity }) => atLeast(severity, threshold)) ? 1 : 0;
  },
};

const rules: readonly SarifRule[] = Object.entries(codes).map(([code, { severity, title }]) => ({ code, severity, title }));

async function lintWord(
  word: string,
  kind: PolicyKind | undefined,
  context: Context,
  awsProfile: string | undefined,
): Promise<PlacedFinding[]> {
  return lintTarget(await readTarget(word, kind, context, awsProfile), context);
}

/** The findings of policies that belong together, with their places. */
export function lintTarget({ inputs, faults, accepts, sent, texts }: Target, context: Context): PlacedFinding[] {
  const places = new Map([...texts].map(([source, text]) => [source, locator(text)]));
  const unreadable = faults.map(
    ([source, { path, problem, hint, location }]): PlacedFinding => ({
      code: "not-a-policy",
      severity: "error",
      source,
      path,
      line: location?.line,
      column: location?.column,
      sid: undefined,
      reason: problem,
      fix: hint ?? "write it as IAM's policy grammar has it",
    }),
  );
  const found = lintPolicies(inputs, { catalogue: catalogueOf(context.packageFolder), accepts, sent, now: systemClock.now() });
  return [
    ...unreadable,
    ...found.map(({ code, severity, source, steps, sid, reason, fix }): PlacedFinding => {
      const place = places.get(source)?.(steps);
      return { code, severity, source, path: pathOf(steps), line: place?.line, column: place?.column, sid, reason, fix };
    }),
  ];
}

const STYLES = { error: "red", warning: "yellow", note: "dim" } as const;

function printText(findings: readonly PlacedFinding[], { print }: Context): void {
  for (const { code, severity, source, path, line, column, sid, reason, fix } of findings) {
    const where = line === undefined ? source : `${source}:${line}:${column}`;
    const place = path === "" ? "" : ` ${path}${sid ? ` (${sid})` : ""}`;
    print.text(`${oneLine(where)}: ${print.paint(STYLES[severity], severity)} ${print.paint("bold", code)}${oneLine(place)}`);
    print.text(oneLine(`    ${reason}`));
    print.text(oneLine(`    fix: ${fix}`));
  }
  const count = (severity: Severity): string => {
    const number = findings.filter((one) => one.severity === severity).length;
    return `${number} ${severity}${number === 1 ? "" : "s"}`;
  };
  print.note(`${count("error")}, ${count("warning")}, ${count("note")}`);
}
