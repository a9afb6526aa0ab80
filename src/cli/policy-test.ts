// `agent-run policy test`: a profile's expectations and the destructive catalogue, offline with our evaluator and with --live beside IAM's simulator.
import { iamClient } from "../aws/client.ts";
import { explainFailure } from "../aws/failure.ts";
import { parseRoleArn } from "../aws/identity.ts";
import { simulateRole } from "../aws/simulate.ts";
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { evaluate } from "../policy/evaluate.ts";
import type { Outcome } from "../policy/types.ts";
import { findFolder, loadProfile, profileNames } from "../session/profile.ts";
import {
  type ProfileTests,
  readProfileTests,
  requestOf,
  requireExpectations,
  runCatalogue,
  runExpectations,
  type TestResult,
  titleOf,
} from "../session/profile-tests.ts";
import { openBase } from "./base.ts";
import { baseOf } from "./base-of.ts";
import { catalogueOf } from "./catalogue-file.ts";
import { type Command, type Context, textValue } from "./command.ts";
import { shortened } from "./policy-target.ts";

interface Live {
  readonly title: string;
  /** What IAM says of the role alone, and what we say of the profile's role policy and boundary. */
  readonly iam: Outcome;
  readonly ours: Outcome;
}

interface Report {
  readonly profile: string;
  readonly tests: readonly TestResult[];
  readonly catalogue: { readonly open: readonly string[]; readonly idle: readonly string[] };
  readonly live?: readonly Live[];
}

const LIVE_BUDGET_MS = 60_000;

export const policyTest: Command = {
  name: "policy test",
  usage: "policy test <profile>… | --all [--live] [--role <arn>] [--json]",
  summary: "hold profiles against their own tests and the destructive catalogue",
  description:
    "Reads tests.toml beside profile.toml and decides each test with role policy, boundary and session policy together, without AWS. " +
    "Everything in the destructive catalogue must be denied, but for what the profile's accepts names. --live also asks IAM's simulator about the role, and lists where it differs.",
  options: [
    { name: "all", help: "every profile that is there" },
    { name: "live", help: "ask iam:SimulatePrincipalPolicy too" },
    { name: "role", value: "<arn>", help: "the role to simulate (default: the profile's)" },
    { name: "aws-profile", value: "<name>", help: "the AWS profile to ask with" },
    { name: "json", help: "as JSON" },
  ],
  examples: [
    ["agent-run policy test readonly", "offline, as in CI"],
    ["agent-run policy test readonly --live", "and what IAM says"],
  ],
  async run(values, words, context) {
    const names = values["all"] === true ? profileNames(context.paths, context.packageFolder) : words;
    if (names.length === 0)
      throw new AgentRunError("usage", "policy test needs a profile", { hint: "agent-run policy test --all", exitStatus: 2 });
    const reports: Report[] = [];
    for (const name of names) {
      const tests = readProfileTests(name, context.paths, context.packageFolder);
      if (values["all"] !== true) requireExpectations(tests, findFolder(name, context.paths, context.packageFolder));
      const live =
        values["live"] === true ? { live: await askIam(tests, textValue(values, "role"), textValue(values, "aws-profile"), context) } : {};
      reports.push({ profile: name, tests: runExpectations(tests, systemClock.now()), catalogue: runCatalogue(tests), ...live });
    }
    if (values["json"] === true) context.print.json(reports);
    else for (const report of reports) printReport(report, context);
    return reports.every(passed) ? 0 : 1;
  },
};

function passed({ tests, catalogue, live = [] }: Report): boolean {
  return (
    tests.every((one) => one.passed) &&
    catalogue.open.length + catalogue.idle.length === 0 &&
    live.every(({ iam, ours }) => same(iam, ours))
  );
}

/** How a request is denied is not what a test asks. */
const same = (one: Outcome, other: Outcome): boolean => (one === "allowed") === (other === "allowed");

async function askIam(tests: ProfileTests, asked: string | undefined, awsProfile: string | undefined, context: Context): Promise<Live[]> {
  const named = asked ?? tests.role;
  if (!named?.startsWith("arn:")) {
    throw new AgentRunError("profile", `profile '${tests.name}' names no role's arn to simulate`, {
      hint: "pass --role arn:aws:iam::<account>:role/<name>",
    });
  }
  const { account, arn, name } = parseRoleArn(named, "role");
  const profile = loadProfile(context.paths, context.packageFolder, { profile: tests.name });
  const { connection, credentials } = await openBase(context, baseOf(profile, awsProfile));
  const iam = await iamClient(connection, credentials);
  const { keyType } = catalogueOf(context.packageFolder);
  const limit = AbortSignal.timeout(LIVE_BUDGET_MS);
  const now = systemClock.now();
  const found: Live[] = [];
  for (const test of tests.expectations) {
    const request = requestOf(test, account, name, now);
    const ours = evaluate(request, { ...tests.policies, session: undefined }).outcome;
    const theirs = await simulateRole(iam, arn, request, keyType, limit).catch(async (error: unknown) => {
      throw await explainFailure(error, iam, "iam:SimulatePrincipalPolicy", "restriction");
    });
    found.push({ title: titleOf(test), iam: theirs, ours });
  }
  return found;
}

function printReport({ profile, tests, catalogue, live = [] }: Report, { print, cwd }: Context): void {
  const mark = (good: boolean): string => (good ? print.paint("green", "✓") : print.paint("red", "✗"));
  print.out(print.paint("bold", profile));
  for (const { title, expected, decision, passed: good } of tests) {
    const by = decision.statement
      ? ` by ${decision.statement.sid ?? `Statement[${decision.statement.index}]`} of ${shortened(decision.statement.source, { cwd })}`
      : decision.missing
        ? `, no ${decision.missing} policy allows it`
        : "";
    print.text(`${mark(good)} ${oneLine(title)}${good ? "" : oneLine(`: expected ${expected}, is ${decision.outcome}${by}`)}`);
  }
  print.text(
    `${mark(catalogue.open.length === 0)} nothing destructive${catalogue.open.length === 0 ? "" : `: allows ${catalogue.open.join(", ")}`}`,
  );
  if (catalogue.idle.length > 0) print.text(`${mark(false)} accepts what it does not allow: ${catalogue.idle.join(", ")}`);
  for (const { title, iam, ours } of live) {
    print.text(
      `${mark(same(iam, ours))} IAM agrees: ${oneLine(title)}${same(iam, ours) ? "" : `: the role is ${iam} there, the profile's own policies say ${ours}`}`,
    );
  }
}
