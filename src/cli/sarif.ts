// Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change. Called by policy-lint.ts.
import type { Severity } from "../policy/lint/finding.ts";

export interface SarifFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly source: string;
  readonly path: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly reason: string;
  readonly fix: string;
}

export interface SarifRule {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
}

/** One run of one tool: every rule, and a result a finding. Severities are SARIF's own levels. */
export function sarif(version: string, rules: readonly SarifRule[], findings: readonly SarifFinding[]): unknown {
  const index = new Map(rules.map(({ code }, at) => [code, at]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "agent-run",
            version,
            rules: rules.map(({ code, severity, title }) => ({
              id: code,
              shortDescription: { text: title },
              defaultConfiguration: { level: severity },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: findings.map((found) => ({
          ruleId: found.code,
          ruleIndex: index.get(found.code) ?? -1,
          level: found.severity,
          message: { text: `${found.reason}: ${found.fix}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(found.source) },
                ...(found.line === undefined ? {} : { region: { startLine: found.line, startColumn: found.column ?? 1 } }),
              },
              ...(found.path === "" ? {} : { logicalLocations: [{ fullyQualifiedName: found.path, kind: "object" }] }),
            },
          ],
        })),
      },
    ],
  };
}

/** A relative path as it is, an absolute one as a file's URI; anything else stands for itself. */
function uriOf(source: string): string {
  const path = source.split("/").map(encodeURIComponent).join("/");
  return source.startsWith("/") ? `file://${path}` : path;
}
