// The go-live checklist: six questions, each answered by what was found. Pure; the facts come from `agent-run check`.
import type { Instant } from "../core/clock.ts";
import { readDate } from "./operands.ts";

/** `unknown`: nobody could be asked; it does not count. */
export type Answer = "yes" | "no" | "unknown";

export interface ChecklistItem {
  readonly question: string;
  readonly answer: Answer;
  /** What was found, a sentence each. */
  readonly evidence: readonly string[];
  /** What makes it a yes. */
  readonly fix: string | undefined;
}

export interface ChecklistFacts {
  readonly now: Instant;
  /** Its name, for the commands that mend something. */
  readonly profile: string;
  /** The role, when the profile names one. */
  readonly role: string | undefined;
  /** Who else uses it: other profiles, principals of its trust policy, instance profiles. Undefined where neither was told. */
  readonly sharedWith: readonly string[];
  /** Findings of the lint, by what they are about. */
  readonly everything: readonly string[];
  readonly anywhere: readonly string[];
  /** Where the policies that were linted came from. */
  readonly policiesFrom: string;
  /** Long-lived credentials that the agent can reach. */
  readonly longLived: readonly string[];
  readonly audit: { readonly sound: boolean; readonly text: string };
  /** Trails that are logging; undefined where AWS did not say. */
  readonly trails: readonly string[] | undefined;
  readonly trailsUnknown: string | undefined;
  /** `2027-02-01`, with where it stands. */
  readonly review: { readonly date: string; readonly from: string } | undefined;
}

/** A quarter, and a day to spare. */
const QUARTER_DAYS = 92;
const DAY_MS = 86_400_000;

/** The six answers, in the order in which they are asked. */
export function checklist(facts: ChecklistFacts): ChecklistItem[] {
  return [ownRole(facts), notEverything(facts), named(facts), noLongLived(facts), audited(facts), reviewed(facts)];
}

/** How many of six are yes. */
export function score(items: readonly ChecklistItem[]): number {
  return items.filter(({ answer }) => answer === "yes").length;
}

function item(question: string, answer: Answer, evidence: readonly string[], fix: string): ChecklistItem {
  return { question, answer, evidence, fix: answer === "yes" ? undefined : fix };
}

function ownRole({ profile, role, sharedWith }: ChecklistFacts): ChecklistItem {
  const question = "the agent has a role of its own";
  const fix = `make one: agent-run setup ${profile}`;
  if (role === undefined) return item(question, "unknown", ["the profile names no role"], fix);
  if (sharedWith.length > 0)
    return item(
      question,
      "no",
      sharedWith.map((one) => `${role} is used by ${one} too`),
      fix,
    );
  return item(question, "yes", [`${role} is this profile's alone, as far as can be seen`], fix);
}

function notEverything({ profile, everything, policiesFrom }: ChecklistFacts): ChecklistItem {
  const evidence = everything.length > 0 ? everything : [`no action of a whole service, no NotAction in an Allow (${policiesFrom})`];
  return item("nothing is allowed wholesale (*:*)", everything.length > 0 ? "no" : "yes", evidence, `agent-run policy lint ${profile}`);
}

function named({ anywhere, policiesFrom }: ChecklistFacts): ChecklistItem {
  const evidence = anywhere.length > 0 ? anywhere : [`no write, and no read of data, on every resource (${policiesFrom})`];
  return item(
    "resources are named",
    anywhere.length > 0 ? "no" : "yes",
    evidence,
    "name buckets, tables and functions in Resource, or narrow the run with its session policy",
  );
}

function noLongLived({ longLived }: ChecklistFacts): ChecklistItem {
  const evidence =
    longLived.length > 0 ? longLived : ["the agent gets session credentials only, and the human's stores are hidden from it"];
  return item(
    "no long-lived credentials in the agent's reach",
    longLived.length > 0 ? "no" : "yes",
    evidence,
    "agent-run env --explain shows what the agent can reach",
  );
}

function audited({ audit, trails, trailsUnknown }: ChecklistFacts): ChecklistItem {
  const question = "the audit log is on";
  const fix = trails?.length === 0 ? "aws cloudtrail start-logging --name <trail>" : "agent-run audit --verify";
  const aws =
    trails === undefined
      ? `CloudTrail was not asked: ${trailsUnknown ?? "no answer"}`
      : trails.length === 0
        ? "no trail of CloudTrail is logging"
        : `CloudTrail logs to ${trails.join(", ")}`;
  return item(question, !audit.sound || trails?.length === 0 ? "no" : trails === undefined ? "unknown" : "yes", [audit.text, aws], fix);
}

function reviewed({ review, now }: ChecklistFacts): ChecklistItem {
  const question = "a review is scheduled";
  const fix = 'set review_by = "<date within a quarter>" in the profile, or tag the role agent-run-review-by';
  if (!review) return item(question, "no", ["neither review_by nor a tag of the role names a date"], fix);
  const at = readDate(review.date);
  const found = `${review.from} says ${review.date}`;
  if (at === undefined) return item(question, "no", [`${found}, which is no date`], fix);
  if (at + DAY_MS < now) return item(question, "no", [`${found}, which has passed`], fix);
  if (at > now + QUARTER_DAYS * DAY_MS) return item(question, "no", [`${found}, more than a quarter from now`], fix);
  return item(question, "yes", [found], fix);
}
