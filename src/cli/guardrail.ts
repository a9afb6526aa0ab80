// The templates that bind agents from outside their own account's roles: service control policies, alerts, remediation. Called by setup.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";

const FILES = {
  "scp-agents": "scp-agents.json",
  "scp-production": "scp-production.json",
  alerts: "alerts.cloudformation.json",
  remediation: "remediation.cloudformation.json",
} as const;

/**
 * The text of a template.
 * @throws AgentRunError `usage` for a name that there is none of
 */
export function guardrail(packageFolder: string, name: string): string {
  const file = Object.entries(FILES).find(([known]) => known === name)?.[1];
  if (file === undefined) {
    const names = Object.keys(FILES);
    const near = nearest(name, names);
    throw new AgentRunError("usage", `--guardrail: '${name}' is none of ${names.join(", ")}`, {
      hint: near ? `did you mean '${near}'?` : "agent-run setup --help",
      exitStatus: 2,
    });
  }
  try {
    return readFileSync(join(packageFolder, "guardrails", file), "utf8");
  } catch (error) {
    throw new AgentRunError("internal", `the package lacks guardrails/${file}: ${messageOf(error)}`, { hint: "install agent-run again" });
  }
}
