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
  const of = (kind: string): AuditRecord[] => records.filter((record) => record.kind === kind);
  const [start, identity, end] = [of("start")[0], of("identity").at(-1), of("end").at(-1)];
  const value = (record: AuditRecord | undefined, name: string): string => plain(word(record?.data[name]));
  const tags = (identity?.data["tags"] ?? {}) as Readonly<Record<string, Json>>;
  const first = records[0]?.at;
  const last = (end ?? records.at(-1))?.at;
  const lasted = first && last ? formatSpan(new Date(last).getTime() - new Date(first).getTime()) : "";
  const policy = identity?.data["sessionPolicy"] as { sha256?: Json; characters?: Json; arns?: Json } | undefined;
  const managed = Array.isArray(policy?.arns) ? policy.arns.map((arn) => `, and ${plain(word(arn))}`).join("") : "";
  const fetches = of("fetch").filter(({ data }) => data["status"] === 200);
  const fetched = fetches.reduce((sum, { data }) => sum + (typeof data["count"] === "number" ? data["count"] : 1), 0);
  const refused =
    end?.data["refused"] ??
    of("fetch")
      .filter(({ data }) => data["status"] !== 200)
      .at(-1)?.data["refusedSoFar"] ??
    0;
  const keys = new Set(
    [...fetches, ...of("refresh")].flatMap(({ data }) => (data["accessKeyId"] ? [plain(word(data["accessKeyId"]))] : [])),
  );

  const facts: [string, string][] = [
    ["agent", value(start, "actor")],
    ["developer", value(start, "developer")],
    ["base identity", `${value(identity, "base")} ${plain(identity ? `(${word(identity.data["source"])})` : "")}`],
    ["identity", value(identity, "arn")],
    ["role", value(identity, "role")],
    ["profile", value(start, "profile")],
    ["session policy", policy ? `SHA-256 ${plain(word(policy.sha256))}, ${plain(word(policy.characters))} characters${managed}` : ""],
    ["repository's file", start?.data["repository"] ? `trusted, SHA-256 ${value(start, "repository")}` : ""],
    ["project", plain(word(tags["project"]))],
    ["task", plain(word(tags["task"]))],
    ["folder", value(start, "cwd")],
    ["delivery, isolation", `${value(start, "delivery")}, ${value(of("spawned").at(-1) ?? start, "isolation")}`],
    ["began", plain(first ?? "")],
    ["ended", end ? `${plain(end.at)}, after ${lasted}` : `not yet, or nobody could write it; the last record is of ${plain(last ?? "")}`],
    ["credential fetches", `${word(end?.data["fetches"] ?? fetched)}, and ${word(refused)} refused`],
    ["refreshes", word(end?.data["refreshes"] ?? of("refresh").length)],
    ["keys", [...keys].join(", ") || "none were handed out"],
    ["keys valid until", value(end, "keysExpireAt")],
  ];
  const section = (title: string, kinds: readonly string[], none: string): string[] => {
    const found = records.filter(({ kind }) => kinds.includes(kind));
    return [
      `## ${title}`,
      "",
      ...(found.length === 0 ? [none] : found.map((record) => `- ${plain(record.at)}: ${plain(sentenceOf(record))}`)),
      "",
    ];
  };
  const errors = report.findings.filter(({ severity }) => severity === "error");
  return [
    `# Session ${plain(report.session)}`,
    "",
    "| what | |",
    "| --- | --- |",
    ...facts.filter(([, text]) => text.trim() !== "").map(([name, text]) => `| ${name} | ${text.trim()} |`),
    "",
    ...section(
      "What the human should know",
      ["trouble", "refresh-failed", "expired", "lost", "resumed", "restriction"],
      "Nothing went wrong.",
    ),
    ...caveatsOf(identity),
    ...section("Approvals and extensions", ["approval", "answer", "extend"], "None."),
    ...section("Console", ["console"], "It was not opened."),
    ...section("The end", ["kill", "exited", "end"], "The session has no end yet."),
    ...section("Revocation", ["revoke"], "Nothing was denied at AWS."),
    "## Verification",
    "",
    errors.length === 0
      ? `${counted(report.records, "record")}, all as they were written${end ? "" : " so far"}; ${counted(report.findings.length, "warning")}.`
      : `${counted(report.records, "record")}, **${counted(errors.length, "error")}**: what stands here cannot be relied on.`,
    ...report.findings.map(({ severity, line, text }) => `- ${severity}: line ${line}: ${plain(text)}`),
    "",
    "## Timeline",
    "",
    "| time | record | |",
    "| --- | --- | --- |",
    ...records.map((record) => `| ${plain(record.at)} | ${plain(record.kind)} | ${plain(sentenceOf(record))} |`),
  ].join("\n");
}

function caveatsOf(identity: AuditRecord | undefined): string[] {
  const caveats = identity?.data["caveats"];
  return Array.isArray(caveats) && caveats.length > 0 ? [...caveats.map((caveat) => `- ${plain(word(caveat))}`), ""] : [];
}
