// A record of the audit as a sentence for a person. Called by audit.ts and audit-report.ts.
import type { AuditRecord, Json, RecordData } from "../audit/record.ts";
import { formatSpan } from "../core/duration.ts";
import { oneLine } from "../core/printable.ts";

/** A value as text: strings as they are, on one line; the rest as JSON. Empty where there is none. */
export function word(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? oneLine(value) : JSON.stringify(value);
}

type Sentence = (data: RecordData, at: (name: string) => string) => string;

/** `at` gives a value of the record as text. A kind that is not here is told by its values. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  start: (data, at) =>
    `${at("developer")} starts ${at("actor")} under profile ${at("profile")} in ${at("cwd")}: ${at("delivery")} delivery, isolation ${at("isolation")}${data["dryRun"] === true ? ", a dry run" : ""}`,
  resumed: () => "another daemon takes the session over",
  identity: (data, at) => `you are ${at("base")}; the agent is ${at("arn")}${listed(data["caveats"])}`,
  spawned: (_data, at) => `the agent runs as process ${at("pid")}, isolation ${at("isolation")}`,
  fetch: (data, at) =>
    data["status"] === 200
      ? `fetches keys ${at("accessKeyId")}${data["count"] ? `, ${at("count")} times more from ${at("first")} to ${at("last")}` : by(at("userAgent"))}`
      : `is refused keys: ${at("reason") || at("status")}${by(at("userAgent"))}, ${at("refusedSoFar")} so far`,
  refresh: (_data, at) => `new keys ${at("accessKeyId")} until ${at("expiresAt")}`,
  "refresh-failed": (_data, at) => `the keys could not be renewed: ${at("message")}`,
  expired: (_data, at) => `keys ${at("accessKeyId")} have expired, and there are no others`,
  answer: (data, at) =>
    data["minutes"] === 0 ? `the human gives no more time (${at("question")})` : `the human gives ${at("minutes")} minutes more`,
  extend: (_data, at) => `the limit is ${at("limitAt")} now`,
  trouble: (_data, at) => `${at("code")}: ${at("message")}`,
  console: (_data, at) => `the AWS console was opened as this session, with keys that end at ${at("keysExpireAt")}`,
  kill: (_data, at) => (at("by") === "key" ? "killed at its terminal" : `killed by ${at("by")}`),
  revoke: (_data, at) =>
    `${REVOKED[at("state")] ?? at("state")} on ${at("role")}${at("policy") ? `, policy ${at("policy")}` : ""}${at("why") ? `: ${at("why")}` : ""}`,
  exited: (_data, at) => (at("signal") ? `the agent was ended by ${at("signal")}` : `the agent left with status ${at("code")}`),
  lost: (_data, at) => `${at("what")} is gone`,
  end: (data, at) =>
    `the end: ${at("cause")}${at("fetches") ? `; ${counted(at("fetches"), "fetch")}, ${at("refused")} refused, ${counted(at("refreshes"), "refresh")}` : ""}${listed(data["notes"])}`,
};

const counted = (count: string, what: string): string => `${count} ${what}${count === "1" ? "" : "es"}`;

const REVOKED: Readonly<Record<string, string>> = {
  "in-place": "its keys are denied",
  confirmed: "the deny was seen to hold",
  unconfirmed: "its keys are denied, and nobody has seen it hold,",
  failed: "its keys could not be denied",
};

const by = (userAgent: string): string => (userAgent ? ` (${userAgent.slice(0, 60)})` : "");

function listed(notes: Json | undefined): string {
  return Array.isArray(notes) && notes.length > 0 ? ` (${notes.map(word).join("; ")})` : "";
}

/** What a record says, on one line. */
export function sentenceOf({ kind, data }: AuditRecord): string {
  const at = (name: string): string => word(data[name]);
  const told =
    SENTENCES[kind]?.(data, at) ??
    Object.keys(data)
      .flatMap((name) => (at(name) ? [`${name}=${at(name)}`] : []))
      .join(" ");
  return oneLine(told);
}

/** `14:03:22  +12 s  fetch  fetches keys …`: the machine's own time, and how long after the first record of its session. */
export function timelineLine(record: AuditRecord, startedAt: string | undefined): string {
  const at = new Date(record.at);
  const time = at.toLocaleTimeString("en-GB");
  const since = startedAt === undefined ? "" : `+${formatSpan(Math.max(0, at.getTime() - new Date(startedAt).getTime()))}`;
  return `${time}  ${since.padEnd(9)}  ${oneLine(record.kind).padEnd(14)}  ${sentenceOf(record)}`.trimEnd();
}
