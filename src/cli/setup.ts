// `agent-run setup`: makes, shows or removes the role of a profile, with the human's own IAM permissions or as a template for somebody who has them.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IAMClient } from "@aws-sdk/client-iam";
import { iamClient } from "../aws/client.ts";
import { explainFailure } from "../aws/failure.ts";
import { parseArn, parseRoleArn, requireAccount } from "../aws/identity.ts";
import { applySteps } from "../aws/setup/apply.ts";
import { type DesiredRole, desiredRole, type RoleTemplate } from "../aws/setup/desired.ts";
import { findRole, readFound } from "../aws/setup/found.ts";
import { externalIdOf, requirePrincipal, trustedPrincipal } from "../aws/setup/principal.ts";
import { type Plan, planRemoval, planSetup } from "../aws/setup/steps.ts";
import { cloudFormation, shellScript, terraform } from "../aws/setup/templates.ts";
import { sleep } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { loadProfile, type Profile } from "../session/profile.ts";
import { requireStage } from "../session/stage.ts";
import { type BaseIdentity, openBase } from "./base.ts";
import { baseOf } from "./base-of.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { confirm } from "./confirm.ts";
import { guardrail } from "./guardrail.ts";
import { type RoleSettings, requireSettings, writeRoleSettings } from "./setup-config.ts";

const OUTPUTS = ["plan", "cloudformation", "terraform", "cli", "json"] as const;
type Output = (typeof OUTPUTS)[number];

export const setup: Command = {
  name: "setup",
  outside: true,
  usage: "setup <profile> [--output cloudformation|terraform|cli] [--remove] | setup --guardrail <name>",
  summary: "make the role of a profile in your account",
  description:
    "Shows what there is, what will change and each policy as a diff; then, once you agree, applies it with your own IAM\n" +
    "permissions and writes the role into config.toml. Run twice it changes nothing; interrupted, it goes on. With --output\n" +
    "it changes nothing and prints a template for whoever may.",
  options: [
    { name: "role-name", value: "<name>", help: "the role's name (default: the profile's role, else agent-<profile>)" },
    { name: "principal", value: "<arn>", help: "who may assume it (default: you)" },
    { name: "external-id", value: "<text>", help: "what the trust policy asks for (default: the profile's, else a new one)" },
    { name: "set", value: "<NAME=value>", multiple: true, help: "the value of a placeholder in the profile's policies" },
    { name: "aws-profile", value: "<name>", help: "the AWS profile whose IAM permissions are used" },
    { name: "region", value: "<region>", help: "the region of the profile's sessions" },
    { name: "adopt", help: "change a role of that name that setup did not make" },
    { name: "remove", help: "remove the role and its policies again" },
    { name: "output", value: "<kind>", help: "plan, cloudformation, terraform, cli or json: print it, change nothing" },
    { name: "guardrail", value: "<name>", help: "print a template for the organisation: scp-agents, scp-production, alerts, remediation" },
    { name: "yes", short: "y", help: "do not ask" },
  ],
  examples: [
    ["agent-run setup readonly", "makes the role agent-readonly, after showing the plan"],
    ["agent-run setup developer --output terraform", "prints it for your infrastructure's repository"],
    ["agent-run setup readonly --remove", "removes it again"],
    ["agent-run setup --guardrail scp-agents", "prints a service control policy that binds every agent session"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "setup");
    const [name] = words;
    const asked = textValue(values, "guardrail");
    if (asked !== undefined) {
      requireAlone(values, words);
      context.print.out(guardrail(context.packageFolder, asked));
      return 0;
    }
    if (name === undefined) {
      throw new AgentRunError("usage", "which profile?", {
        hint: "agent-run setup readonly; agent-run profiles list shows all",
        exitStatus: 2,
      });
    }
    const output = outputOf(values);
    const more = moreOf(values);
    const profile = loadProfile(context.paths, context.packageFolder, { profile: name });
    const wanted = baseOf(profile, textValue(values, "aws-profile"));
    const base = await openBase(context, { ...wanted, region: textValue(values, "region") ?? wanted.region });
    const iam = await iamClient(base.connection, base.credentials);
    const { desired, externalId } = await describe(values, profile, base, iam, more);
    const plan = await planOf(desired, iam, values);
    if (output !== undefined) {
      printOutput(output, desired, plan, context);
      // Whoever applies it somewhere else needs to know what the trust policy asks for.
      if (values["remove"] !== true)
        context.print.note(`config.toml is to have under [profiles.${name}]: role = "${desired.arn}", external_id = "${externalId}"`);
      return 0;
    }
    context.print.note(`you are ${base.identity.arn} (${base.source})`);
    printPlan(plan, context);
    if (plan.steps.length > 0) {
      const question = `${values["remove"] === true ? "remove" : "apply"} these ${plan.steps.length} steps?`;
      if (values["yes"] !== true) {
        // The policies above fill several screens.
        context.print.note(plan.steps.map(({ summary }) => summary).join("; "));
        if (!(await confirm(context, question, "--yes"))) return 1;
      }
      await applySteps(iam, plan.steps, (step) => context.print.step("ok", step.summary), sleep);
    }
    if (values["remove"] === true) {
      context.print.note(`role ${desired.name} is gone; its lines in config.toml are yours to remove`);
      return 0;
    }
    const settings: RoleSettings = {
      role: desired.arn,
      external_id: externalId,
      ...optional("aws_profile", textValue(values, "aws-profile")),
      ...optional("region", textValue(values, "region")),
      ...(Object.keys(more).length > 0 ? { values: more } : {}),
    };
    tellConfig(context, profile, settings);
    return 0;
  },
};

const optional = <Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string };

function outputOf(values: Values): Output | undefined {
  const asked = textValue(values, "output");
  if (asked === undefined) return undefined;
  const found = OUTPUTS.find((output) => output === asked);
  if (values["remove"] === true && (found === "cloudformation" || found === "terraform")) {
    throw new AgentRunError("usage", `--output ${found} is a template of the role, and has no --remove`, {
      hint: "agent-run setup <profile> --remove --output cli, or take it out of the stack",
      exitStatus: 2,
    });
  }
  if (found !== undefined) return found;
  throw new AgentRunError("usage", `--output: '${asked}' is none of ${OUTPUTS.join(", ")}`, {
    hint: "agent-run setup --help",
    exitStatus: 2,
  });
}

/** The role that the profile wants, in the account of the base identity. */
async function describe(
  values: Values,
  profile: Profile,
  base: BaseIdentity,
  iam: IAMClient,
  more: Readonly<Record<string, string>>,
): Promise<{ desired: DesiredRole; externalId: string }> {
  const { account, arn } = base.identity;
  const name = textValue(values, "role-name") ?? profile.role?.slice(profile.role.lastIndexOf("/") + 1) ?? `agent-${profile.name}`;
  requireAccount(base.identity, profile.accounts);
  requireStage(account, profile);
  if (profile.role?.startsWith("arn:") && textValue(values, "role-name") === undefined) {
    const role = parseRoleArn(profile.role, "role");
    requireAccount(base.identity, [role.account]);
    // It would look for, and make, another role than the one that the profile's sessions assume.
    if (role.path !== "/") {
      throw new AgentRunError("profile", `profile '${profile.name}' names ${role.arn}, and setup makes roles without a path`, {
        hint: `pass --role-name ${role.name} for one without, and name that one in config.toml`,
      });
    }
  }
  const told = textValue(values, "principal");
  const principal = told === undefined ? await trustedPrincipal(iam, base.identity) : requirePrincipal(told);
  const known = await findRole(iam, name).catch(() => undefined);
  const externalId =
    textValue(values, "external-id") ??
    profile.externalId ??
    (known && externalIdOf(known.trust)) ??
    `agent-run-${randomBytes(8).toString("hex")}`;
  const desired = desiredRole({
    profile: profile.name,
    account,
    partition: parseArn(arn)?.partition ?? "aws",
    name,
    principal,
    externalId,
    mfa: profile.mfa,
    region: base.region,
    maxTtlMs: profile.maxTtlMs,
    trust: template(profile, "trust-policy.json"),
    policy: template(profile, "role-policy.json"),
    boundary: template(profile, "boundary.json"),
    values: { ...profile.values, ...more },
  });
  return { desired, externalId };
}

function template(profile: Profile, name: string): RoleTemplate {
  const file = join(profile.folder, name);
  try {
    return { file, text: readFileSync(file, "utf8") };
  } catch (error) {
    throw new AgentRunError("profile", `profile '${profile.name}' has no ${name}: ${messageOf(error)}`, {
      hint: `setup needs trust-policy.json, role-policy.json and boundary.json in ${profile.folder}; agent-run profiles new makes them`,
    });
  }
}

/** With a profile beside it, it would not be clear which of the two is meant. */
function requireAlone(values: Values, words: readonly string[]): void {
  const others = [...words, ...Object.keys(values).flatMap((name) => (name === "guardrail" ? [] : [`--${name}`]))];
  if (others.length === 0) return;
  throw new AgentRunError("usage", `--guardrail prints a template for the organisation, and goes without ${others.join(", ")}`, {
    hint: "agent-run setup --guardrail scp-agents",
    exitStatus: 2,
  });
}

/** The values of `--set`; and what config.toml is to say afterwards is held against its rules before anything is changed. */
function moreOf(values: Values): Record<string, string> {
  const more = placeholders(values);
  const own = Object.keys(more).find((name) => FILLED.includes(name));
  if (own !== undefined) {
    throw new AgentRunError("usage", `--set: ${own} is filled in by setup itself`, {
      hint: "use --principal, --external-id, --region or --aws-profile for it",
      exitStatus: 2,
    });
  }
  const settings = {
    ...optional("external_id", textValue(values, "external-id")),
    ...optional("region", textValue(values, "region")),
    ...optional("aws_profile", textValue(values, "aws-profile")),
  };
  requireSettings(settings);
  return more;
}

const FILLED = ["PRINCIPAL_ARN", "EXTERNAL_ID", "ACCOUNT_ID", "PARTITION", "REGION"];

function placeholders(values: Values): Record<string, string> {
  const given = values["set"];
  if (!Array.isArray(given)) return {};
  return Object.fromEntries(
    given.map((text) => {
      const match = /^([A-Z][A-Z0-9_]*)=(.+)$/s.exec(text);
      if (match) return [match[1] ?? "", match[2] ?? ""];
      throw new AgentRunError("usage", `--set: '${text}' is not of the form NAME=value`, {
        hint: "for example --set SECRET_NAME=agent/elevated",
        exitStatus: 2,
      });
    }),
  );
}

async function planOf(desired: DesiredRole, iam: IAMClient, values: Values): Promise<Plan> {
  const found = await readFound(iam, desired).catch(async (error: unknown) => {
    throw await explainFailure(error, iam, "reading the role and its policies", "restriction");
  });
  return values["remove"] === true ? planRemoval(desired, found) : planSetup(desired, found, values["adopt"] === true);
}

function printOutput(output: Output, desired: DesiredRole, plan: Plan, context: Context): void {
  const { print } = context;
  if (output === "cloudformation") print.raw(cloudFormation(desired));
  else if (output === "terraform") print.raw(terraform(desired));
  else if (output === "cli") print.raw(shellScript(plan.steps));
  else if (output === "json") print.json({ role: desired.arn, ...plan });
  else printPlan(plan, context);
}

function printPlan(plan: Plan, { print }: Context): void {
  for (const warning of plan.warnings) print.warn(warning);
  if (plan.steps.length === 0) print.text("nothing to change: the role is as the profile wants it");
  for (const step of plan.steps) {
    print.text(print.paint("bold", step.summary));
    for (const line of step.diff) {
      const style = line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : "dim";
      print.out(print.paint(style, `  ${oneLine(line)}`));
    }
  }
}

function tellConfig(context: Context, profile: Profile, settings: RoleSettings): void {
  const { print, paths } = context;
  const outcome = writeRoleSettings(paths, profile.name, settings);
  if (outcome.state === "yours") {
    print.warn(`${outcome.file} says something else of profile ${profile.name}; it is to have:`);
    for (const line of outcome.lines) print.text(line);
    return;
  }
  if (outcome.state === "written") print.note(`${outcome.file} names the role now`);
  print.note(`ready: agent-run -p ${profile.name} <agent>`);
}
