// A session's records as a report in Markdown, for a ticket or a review. Pure. Called by audit.ts.

import type { AuditRecord, Json } from "../audit/record.ts";
import type { SessionReport } from "../audit/verify.ts";
import { formatSpan } from "../core/duration.ts";
import { sentenceOf, word } from "./audit-timeline.ts";
import { counted } from "./counted.ts";

/** What stands in the records may have been named by others: nothing of it is markup, a link or a line of its own. */
function plain(text: string): string {
  return text
    .replace(/[\\`*[\]|~<>&]/g, (mark) => `\\${mark}`)
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_")
    .replace(/\b(https?):\/\//gi, "$1:\\//");
}

/** The report, without a line break at its end. */
export function auditReport(records: readonly AuditRecord[], report: SessionReport): string {
  const section = (title: string, kinds: readonly string[], none: string): string[] => {
    const found = records.filter(({ kind }) => kinds.includes(kind));
    const lines = found.map((record) => `- ${plain(record.at)}: ${plain(sentenceOf(record))}`);
    return [`## ${title}`, "", ...(lines.length === 0 ? [none] : lines), ""];
  };
  return [
    `# Session ${plain(report.session)}`,
    "",
    "| what | |",
    "| --- | --- |",
    ...factsOf(records).flatMap(([name, text]) => (text.trim() === "" ? [] : [`| ${name} | ${text.trim()} |`])),
    "",
    ...section(
      "What the human should know",
      ["trouble", "refresh-failed", "expired", "lost", "resumed", "restriction"],
      "Nothing went wrong.",
    ),
    ...caveatsOf(lastOf(records, "identity")),
    ...section("Approvals and extensions", ["approval", "answer", "extend"], "None."),
    ...section("Console", ["console"], "It was not opened."),
    ...section("The end", ["kill", "exited", "end"], "The session has no end yet."),
    ...section("Revocation", ["revoke"], "Nothing was denied at AWS."),
    ...verification(report, lastOf(records, "end") !== undefined),
    "## Timeline",
    "",
    "| time | record | |",
    "| --- | --- | --- |",
    ...records.map((record) => `| ${plain(record.at)} | ${plain(record.kind)} | ${plain(sentenceOf(record))} |`),
  ].join("\n");
}

const lastOf = (records: readonly AuditRecord[], kind: string): AuditRecord | undefined =>
  records.findLast((record) => record.kind === kind);

/** What the table at the top says, by name; an empty text is no row. */
function factsOf(records: readonly AuditRecord[]): [string, string][] {
  const [start, identity, end] = [records.find(({ kind }) => kind === "start"), lastOf(records, "identity"), lastOf(records, "end")];
  const value = (record: AuditRecord | undefined, name: string): string => plain(word(record?.data[name]));
  const tags = (identity?.data["tags"] ?? {}) as Readonly<Record<string, Json>>;
  const refreshes = records.filter(({ kind }) => kind === "refresh");
  const { fetches, fetched, refused } = fetchesOf(records);
  const keys = new Set([...fetches, ...refreshes].flatMap(({ data }) => (data["accessKeyId"] ? [plain(word(data["accessKeyId"]))] : [])));
  return [
    ["agent", value(start, "actor")],
    ["developer", value(start, "developer")],
    ["base identity", `${value(identity, "base")} ${plain(identity ? `(${word(identity.data["source"])})` : "")}`],
    ["identity", value(identity, "arn")],
    ["role", value(identity, "role")],
    ["profile", value(start, "profile")],
    ["session policy", policyOf(identity)],
    ["repository's file", start?.data["repository"] ? `trusted, SHA-256 ${value(start, "repository")}` : ""],
    ["project", plain(word(tags["project"]))],
    ["task", plain(word(tags["task"]))],
    ["folder", value(start, "cwd")],
    ["delivery, isolation", `${value(start, "delivery")}, ${value(lastOf(records, "spawned") ?? start, "isolation")}`],
    ["began", plain(records[0]?.at ?? "")],
    ["ended", endOf(records, end)],
    ["credential fetches", `${word(end?.data["fetches"] ?? fetched)}, and ${word(end?.data["refused"] ?? refused)} refused`],
    ["refreshes", word(end?.data["refreshes"] ?? refreshes.length)],
    ["keys", [...keys].join(", ") || "none were handed out"],
    ["keys valid until", value(end, "keysExpireAt")],
  ];
}

/** The records of fetches that were served, how many they stand for, and how many were refused. */
function fetchesOf(records: readonly AuditRecord[]): { fetches: AuditRecord[]; fetched: number; refused: Json } {
  const { served: fetches = [], refused = [] } = Object.groupBy(
    records.filter(({ kind }) => kind === "fetch"),
    ({ data }) => (data["status"] === 200 ? "served" : "refused"),
  );
  const fetched = fetches.reduce((sum, { data }) => sum + (typeof data["count"] === "number" ? data["count"] : 1), 0);
  return { fetches, fetched, refused: refused.at(-1)?.data["refusedSoFar"] ?? 0 };
}

function policyOf(identity: AuditRecord | undefined): string {
  const policy = identity?.data["sessionPolicy"] as { sha256?: Json; characters?: Json; arns?: Json } | undefined;
  if (policy === undefined || policy === null) return "";
  const managed = Array.isArray(policy.arns) ? policy.arns.map((arn) => `, and ${plain(word(arn))}`).join("") : "";
  return `SHA-256 ${plain(word(policy.sha256))}, ${plain(word(policy.characters))} characters${managed}`;
}

function endOf(records: readonly AuditRecord[], end: AuditRecord | undefined): string {
  const first = records[0]?.at;
  if (end === undefined) return `not yet, or nobody could write it; the last record is of ${plain(records.at(-1)?.at ?? "")}`;
  const lasted = first === undefined ? "" : formatSpan(new Date(end.at).getTime() - new Date(first).getTime());
  return `${plain(end.at)}, after ${lasted}`;
}

function verification({ records, findings }: SessionReport, isOver: boolean): string[] {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const verdict =
    errors === 0
      ? `all as they were written${isOver ? "" : " so far"}; ${counted(findings.length, "warning")}.`
      : `**${counted(errors, "error")}**: what stands here cannot be relied on.`;
  return [
    "## Verification",
    "",
    `${counted(records, "record")}, ${verdict}`,
    ...findings.map(({ severity, line, text }) => `- ${severity}: line ${line}: ${plain(text)}`),
    "",
  ];
}

function caveatsOf(identity: AuditRecord | undefined): string[] {
  const caveats = identity?.data["caveats"];
  return Array.isArray(caveats) && caveats.length > 0 ? [...caveats.map((caveat) => `- ${plain(word(caveat))}`), ""] : [];
}
