// What has to be done so that the account's role is the desired one, or is gone: IAM calls in order, each with what it changes. Pure. Carried out by apply.ts,
// printed by the CLI script.
import { AgentRunError } from "../../core/error.ts";
import { type DesiredRole, type ManagedDocument, OWNER_TAG } from "./desired.ts";
import { lineDiff } from "./diff.ts";
import type { Found, FoundPolicy } from "./found.ts";

/** One call of the IAM API: the operation's name and its input, as the API Reference has them. */
export interface Step {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** For the human: `create role agent-readonly`. */
  readonly summary: string;
  /** Lines that begin with `+ `, `- ` or two blanks; empty where there is nothing to compare. */
  readonly diff: readonly string[];
}

/** A managed policy has at most five versions (IAM user guide, "IAM and AWS STS quotas"). */
const MOST_VERSIONS = 5;

/** Names of the inline policies that a kill leaves until the last credential has expired. */
const REVOCATION = /^agent-run-revoke/;

export interface Plan {
  readonly steps: readonly Step[];
  /** What is there and is left alone, but widens or narrows the role. */
  readonly warnings: readonly string[];
}

/**
 * The steps from what was found to what is desired; none when both are the same, and only the missing ones after an interruption. The boundary comes
 * first and the permissions last: a role that is half made can do nothing.
 * @param adopt change a role or policy that set-up did not make
 * @throws AgentRunError `profile` when one of them is somebody else's
 */
export function planSetup(desired: DesiredRole, found: Found, adopt: boolean): Plan {
  if (!adopt) refuseForeign(desired, found);
  const { boundary } = desired;
  const steps = [
    ...(boundary ? policySteps(boundary, found.boundary, desired.tags) : []),
    ...policySteps(desired.policy, found.policy, desired.tags),
    ...roleSteps(desired, found),
  ];
  if (!found.role?.attached.includes(desired.policy.arn)) {
    steps.push(
      step(
        "AttachRolePolicy",
        { RoleName: desired.name, PolicyArn: desired.policy.arn },
        `attach policy ${desired.policy.name} to role ${desired.name}`,
      ),
    );
  }
  return { steps, warnings: warningsOf(desired, found) };
}

/**
 * The steps that take away all that set-up made. The role goes first, and with it every session's access.
 * @throws AgentRunError `profile` when the role or a policy is somebody else's
 */
export function planRemoval(desired: DesiredRole, found: Found): Plan {
  refuseForeign(desired, found);
  const { role } = found;
  const RoleName = desired.name;
  const steps: Step[] = [];
  if (role) {
    for (const PolicyArn of role.attached)
      steps.push(step("DetachRolePolicy", { RoleName, PolicyArn }, `detach ${PolicyArn} from role ${RoleName}`));
    for (const PolicyName of role.inline)
      steps.push(step("DeleteRolePolicy", { RoleName, PolicyName }, `delete inline policy ${PolicyName} of role ${RoleName}`));
    steps.push(step("DeleteRole", { RoleName }, `delete role ${RoleName}`));
  }
  for (const policy of [found.policy, found.boundary]) {
    if (!policy) continue;
    for (const VersionId of policy.otherVersions) steps.push(deleteVersion(policy, VersionId));
    steps.push(step("DeletePolicy", { PolicyArn: policy.arn }, `delete policy ${nameOf(policy.arn)}`));
  }
  return { steps, warnings: [] };
}

function step(operation: string, input: Readonly<Record<string, unknown>>, summary: string, diff: readonly string[] = []): Step {
  return { operation, input, summary, diff };
}

function refuseForeign(desired: DesiredRole, found: Found): void {
  const foreign = [
    found.role && { what: `role ${found.role.arn}`, tags: found.role.tags },
    ...[found.policy, found.boundary].map((policy) => policy && { what: `policy ${policy.arn}`, tags: policy.tags }),
  ].find((one) => one && one.tags[OWNER_TAG.key] !== OWNER_TAG.value);
  if (!foreign) return;
  throw new AgentRunError(
    "profile",
    `${foreign.what} is there already and was not made by agent-run setup: it has no tag ${OWNER_TAG.key}=${OWNER_TAG.value}`,
    {
      hint: `pass --role-name for another name than ${desired.name}, or --adopt to change this one`,
    },
  );
}

function policySteps(wanted: ManagedDocument, found: FoundPolicy | undefined, tags: Readonly<Record<string, string>>): Step[] {
  if (!found) {
    const input = { PolicyName: wanted.name, Description: wanted.description, PolicyDocument: wanted.text, Tags: tagList(tags) };
    return [step("CreatePolicy", input, `create policy ${wanted.name}`, policyDiff(undefined, wanted.text))];
  }
  const steps: Step[] = [];
  if (!sameJson(found.text, wanted.text)) {
    const [oldest] = found.otherVersions;
    if (found.otherVersions.length + 1 >= MOST_VERSIONS && oldest !== undefined) steps.push(deleteVersion(found, oldest));
    const input = { PolicyArn: found.arn, PolicyDocument: wanted.text, SetAsDefault: true };
    steps.push(step("CreatePolicyVersion", input, `change policy ${wanted.name}`, policyDiff(found.text, wanted.text)));
  }
  const missing = missingTags(found.tags, tags);
  if (Object.keys(missing).length > 0)
    steps.push(
      step("TagPolicy", { PolicyArn: found.arn, Tags: tagList(missing) }, `tag policy ${wanted.name}`, tagDiff(found.tags, missing)),
    );
  return steps;
}

function roleSteps(desired: DesiredRole, { role }: Found): Step[] {
  const RoleName = desired.name;
  const limits = { MaxSessionDuration: desired.maxSessionSeconds, Description: desired.description };
  const boundary = desired.boundary && { PermissionsBoundary: desired.boundary.arn };
  if (!role) {
    const input = { RoleName, AssumeRolePolicyDocument: desired.trust, ...limits, ...boundary, Tags: tagList(desired.tags) };
    const about = [
      `+ maximum session duration: ${desired.maxSessionSeconds} s`,
      ...(desired.boundary ? [`+ permissions boundary: ${desired.boundary.arn}`] : []),
      ...tagDiff({}, desired.tags),
    ];
    return [step("CreateRole", input, `create role ${RoleName}`, [...about, ...policyDiff(undefined, desired.trust)])];
  }
  const steps: Step[] = [];
  if (!sameJson(role.trust, desired.trust)) {
    const input = { RoleName, PolicyDocument: desired.trust };
    steps.push(step("UpdateAssumeRolePolicy", input, `change who may assume role ${RoleName}`, policyDiff(role.trust, desired.trust)));
  }
  if (role.maxSessionSeconds !== desired.maxSessionSeconds || role.description !== desired.description) {
    const diff = [
      ...(role.maxSessionSeconds === desired.maxSessionSeconds
        ? []
        : [`- maximum session duration: ${role.maxSessionSeconds} s`, `+ maximum session duration: ${desired.maxSessionSeconds} s`]),
      ...(role.description === desired.description ? [] : [`- description: ${role.description}`, `+ description: ${desired.description}`]),
    ];
    steps.push(step("UpdateRole", { RoleName, ...limits }, `change limits of role ${RoleName}`, diff));
  }
  if (boundary && role.boundaryArn !== boundary.PermissionsBoundary) {
    const diff = [...(role.boundaryArn ? [`- ${role.boundaryArn}`] : []), `+ ${boundary.PermissionsBoundary}`];
    steps.push(step("PutRolePermissionsBoundary", { RoleName, ...boundary }, `put a permissions boundary on role ${RoleName}`, diff));
  }
  const missing = missingTags(role.tags, desired.tags);
  if (Object.keys(missing).length > 0)
    steps.push(step("TagRole", { RoleName, Tags: tagList(missing) }, `tag role ${RoleName}`, tagDiff(role.tags, missing)));
  return steps;
}

function warningsOf(desired: DesiredRole, { role }: Found): string[] {
  if (!role) return [];
  const attached = role.attached
    .filter((arn) => arn !== desired.policy.arn)
    .map((arn) => `also attached to role ${desired.name}, and left there: ${arn}`);
  const inline = role.inline
    .filter((name) => !REVOCATION.test(name))
    .map((name) => `role ${desired.name} also has the inline policy ${name}, which is left there`);
  const boundary =
    desired.boundary === undefined && role.boundaryArn !== undefined ? [`role ${desired.name} keeps its boundary ${role.boundaryArn}`] : [];
  return [...attached, ...inline, ...boundary];
}

const deleteVersion = (policy: FoundPolicy, VersionId: string): Step =>
  step("DeletePolicyVersion", { PolicyArn: policy.arn, VersionId }, `delete old version ${VersionId} of policy ${nameOf(policy.arn)}`);

const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

const tagList = (tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

function missingTags(found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => found[key] !== value));
}

function tagDiff(found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): string[] {
  return Object.entries(wanted).flatMap(([key, value]) => [
    ...(found[key] === undefined ? [] : [`- tag ${key} = ${found[key]}`]),
    `+ tag ${key} = ${value}`,
  ]);
}

const pretty = (text: string): string[] => JSON.stringify(JSON.parse(text), undefined, 2).split("\n");

const policyDiff = (before: string | undefined, after: string): string[] =>
  lineDiff(before === undefined ? [] : pretty(before), pretty(after));

/** Whether two policies are the same JSON; the order of an object's keys does not matter, nor a list of one. */
export function sameJson(one: string, other: string): boolean {
  return JSON.stringify(ordered(JSON.parse(one))) === JSON.stringify(ordered(JSON.parse(other)));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? ordered(value[0]) : value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  );
}
