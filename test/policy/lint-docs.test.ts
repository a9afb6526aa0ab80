// docs/policies.md held against the lint: every code has a section, and the policy in it has that finding at that severity.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PolicyFault } from "../../src/policy/json.ts";
import { codes } from "../../src/policy/lint/finding.ts";
import type { PolicyKind } from "../../src/policy/lint/subject.ts";
import { input, lint } from "./lint-catalogue.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/policies.md"), "utf8");
const sections = [...text.matchAll(/^### `([\w-]+)` · (\w+)(?: · ([\w-]+))?\n(.*?)(?=^#{2,3} )/gms)].map(
  ([, code = "", severity = "", kind, body = ""]) => ({
    code,
    severity,
    kind: kind as PolicyKind | undefined,
    policy: /```json\n(.*?)```/s.exec(body)?.[1] ?? "",
    fix: /^Fix: /m.test(body),
  }),
);

describe("the codes in docs/policies.md", () => {
  it("are all codes, with their severities, and a fix each", () => {
    const documented = sections.map(({ code, severity }) => [code, severity]);
    expect(documented.sort()).toEqual(
      Object.entries(codes)
        .map(([code, { severity }]) => [code, severity])
        .sort(),
    );
    expect(sections.filter(({ fix }) => !fix)).toEqual([]);
  });

  it.each(sections.map((section) => [section.code, section] as const))(
    "%s has an example that has it",
    (code, { policy, severity, kind }) => {
      if (code === "not-a-policy") {
        expect(() => input(policy)).toThrow(PolicyFault);
        return;
      }
      const long = code === "too-long" ? JSON.stringify(repeated(JSON.parse(policy))) : policy;
      const found = lint(input(long, kind ?? (/"Principal"/.test(policy) ? "resource" : "identity"))).filter((one) => one.code === code);
      expect(found.map((one) => one.severity)).toContain(severity);
      for (const { reason, fix } of found) {
        expect(reason).toMatch(/\S/);
        expect(fix).toMatch(/\S/);
      }
    },
  );
});

function repeated(policy: { Statement: { Resource: string[] } }): unknown {
  const [name = ""] = policy.Statement.Resource;
  return {
    ...policy,
    Statement: { ...policy.Statement, Resource: Array.from({ length: 60 }, (_, index) => name.replace("/*", `-${index}/*`)) },
  };
}
