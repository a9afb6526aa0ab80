// `agent-run policy explain`: which statement decides a request, and why the others did not match.
import { resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { explain, type StatementReport } from "../policy/explain.ts";
import { pathOf } from "../policy/lint/locate.ts";
import type { Decision, PolicySet, RequestContext } from "../policy/types.ts";
import { readConfig } from "../session/profile.ts";
import { readProfileTests, sessionArn, sessionContext, TEST_ACCOUNT } from "../session/profile-tests.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { readTarget, shortened } from "./policy-target.ts";

export const policyExplain: Command = {
  name: "policy explain",
  usage: "policy explain --action <action> [--resource <arn>] [--context k=v]… [-p <profile> | --policy <file>…] [--json]",
  summary: "which statement decides a request, and why the others did not match",
  description:
    `The request is that of a session in account ${TEST_ACCOUNT} with the tags that every session has; --context adds to them or replaces one. ` +
    "A key that is given twice has both values.",
  options: [
    { name: "action", value: "<action>", help: "such as s3:GetObject" },
    { name: "resource", value: "<arn>", help: "the resource (default: *)" },
    { name: "context", value: "<k=v>", multiple: true, help: "a condition key; may be repeated" },
    { name: "profile", short: "p", value: "<name>", help: "the profile that decides (default: yours)" },
    { name: "policy", value: "<file>", multiple: true, help: "policies of an identity instead of a profile" },
    { name: "json", help: "as JSON" },
  ],
  examples: [
    ["agent-run policy explain -p readonly --action s3:DeleteObject", "why may it not?"],
    ["agent-run policy explain --policy p.json --action s3:GetObject", "what a file says"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "policy explain");
    const action = textValue(values, "action");
    if (action === undefined || !/^[a-z0-9-]+:\w+$/i.test(action)) {
      throw new AgentRunError("usage", action === undefined ? "policy explain needs an --action" : `--action: '${action}' is no action`, {
        hint: "such as --action s3:GetObject",
        exitStatus: 2,
      });
    }
    const { name, policies } = await deciding(values, context);
    const request = {
      principal: sessionArn(TEST_ACCOUNT, name),
      action,
      resource: textValue(values, "resource") ?? "*",
      context: { ...sessionContext(TEST_ACCOUNT, name, systemClock.now()), ...contextOf(values) },
    };
    const { decision, statements } = explain(request, policies);
    if (values["json"] === true) context.print.json({ request, decision, statements });
    else print(decision, statements, context);
    return 0;
  },
};

async function deciding(values: Values, context: Context): Promise<{ name: string; policies: PolicySet }> {
  const files = Array.isArray(values["policy"]) ? values["policy"] : [];
  const profile = textValue(values, "profile");
  if (files.length > 0 && profile !== undefined) {
    throw new AgentRunError("usage", "--policy and --profile cannot be used together", { hint: "leave one of them out", exitStatus: 2 });
  }
  if (files.length === 0) {
    const name = profile ?? readConfig(context.paths).profile ?? "readonly";
    return { name, policies: readProfileTests(name, context.paths, context.packageFolder).policies };
  }
  const identity = [];
  for (const file of files) {
    const { inputs, faults } = await readTarget(resolve(context.cwd, file), "identity", context);
    const fault = faults[0]?.[1];
    if (fault) throw fault;
    identity.push(...inputs.map(({ document }) => document));
  }
  return { name: "agent", policies: { identity } };
}

function contextOf(values: Values): RequestContext {
  const given = Array.isArray(values["context"]) ? values["context"] : [];
  const context: Record<string, string | string[]> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1)
      throw new AgentRunError("usage", `--context: '${text}' is not of the form key=value`, {
        hint: "such as --context aws:SourceIp=203.0.113.7",
        exitStatus: 2,
      });
    const [key, value] = [text.slice(0, at), text.slice(at + 1)];
    const before = context[key];
    context[key] = before === undefined ? value : [before, value].flat();
  }
  return context;
}

function print(decision: Decision, statements: readonly StatementReport[], { print: to, cwd }: Context): void {
  const where = ({ source, index, sid }: Pick<StatementReport, "source" | "index" | "sid">): string =>
    `${shortened(source, { cwd })} ${pathOf(["Statement", index])}${sid ? ` (${sid})` : ""}`;
  const by = decision.statement ? ` by ${decision.statement.kind} policy ${where(decision.statement)}` : "";
  const missing = decision.missing ? `: no ${decision.missing} policy allows it` : "";
  to.text(`${to.paint(decision.outcome === "allowed" ? "green" : "red", decision.outcome)}${oneLine(by + missing)}`);
  for (const report of statements) {
    to.text(
      oneLine(`  ${report.effect.padEnd(5)} ${report.applies ? "applies       " : "does not apply"}  ${report.kind}: ${where(report)}`),
    );
    for (const why of report.why) to.text(oneLine(`      ${why}`));
  }
}
