// Ways to more power: pairs of actions that together make their holder stronger, and the destructive catalogue. Called by lint.ts on all policies of a role at once.
import { type Destructive, destructiveActions } from "../destructive.ts";
import { evaluate } from "../evaluate.ts";
import type { Decision, PolicyKind, PolicySet } from "../types.ts";
import { isAbout, probeResources, worstCase } from "../worst-case.ts";
import { MINTS } from "./grants.ts";

/** Actions that are needed together, and what they lead to. */
export interface EscalationPath {
  readonly actions: readonly string[];
  readonly leads: string;
}

const with_ = (leads: string, ...actions: string[]): EscalationPath => ({ actions, leads });
const each = (leads: string, ...actions: string[]): EscalationPath[] => actions.map((action) => with_(leads, action));

/** From published research on IAM (Rhino Security Labs, 2018 and later; Bishop Fox, iam-vulnerable), each checked against what the actions do. */
export const escalationPaths: readonly EscalationPath[] = [
  ...each("gives itself any policy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:PutRolePolicy", "iam:AttachRolePolicy"),
  ...each(
    "gives a user any policy",
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
    "iam:PutGroupPolicy",
    "iam:AttachGroupPolicy",
    "iam:AddUserToGroup",
  ),
  ...each("signs in as another user", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"),
  ...each("takes its own ceiling away", "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
  ...each("lifts a Deny", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
  with_("lets itself into another role", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"),
  with_("starts a machine with a stronger role", "iam:PassRole", "ec2:RunInstances"),
  with_("puts a stronger role on a machine", "iam:PassRole", "ec2:AssociateIamInstanceProfile"),
  with_("runs code under a stronger role", "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"),
  with_("runs code under a stronger role", "iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
  with_("runs code under a stronger role", "iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission"),
  with_("gives a function a stronger role", "iam:PassRole", "lambda:UpdateFunctionConfiguration"),
  ...each("runs code under a function's role", "lambda:UpdateFunctionCode"),
  with_("runs code under a stronger role", "iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
  with_("runs code under a stronger role", "iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
  with_("runs code under a stronger role", "iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:UpdateService"),
  with_("builds anything under a stronger role", "iam:PassRole", "cloudformation:CreateStack"),
  with_("builds anything under a stronger role", "iam:PassRole", "cloudformation:CreateStackSet"),
  with_("runs code under a stronger role", "iam:PassRole", "glue:CreateDevEndpoint"),
  with_("runs code under a stronger role", "iam:PassRole", "glue:CreateJob", "glue:StartJobRun"),
  ...each(
    "enters a machine with a role",
    "glue:UpdateDevEndpoint",
    "ec2-instance-connect:SendSSHPublicKey",
    "ssm:SendCommand",
    "ssm:StartSession",
  ),
  with_("runs code under a stronger role", "iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"),
  with_(
    "runs code under a stronger role",
    "iam:PassRole",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreatePresignedNotebookInstanceUrl",
  ),
  ...each("enters a notebook with a role", "sagemaker:CreatePresignedNotebookInstanceUrl"),
  with_(
    "runs code under a stronger role",
    "iam:PassRole",
    "datapipeline:CreatePipeline",
    "datapipeline:PutPipelineDefinition",
    "datapipeline:ActivatePipeline",
  ),
  with_("runs commands under a stronger role", "iam:PassRole", "states:CreateStateMachine", "states:StartExecution"),
  with_("changes a machine's start-up script", "ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
  ...each(
    "gives itself access to other accounts",
    "sso:CreateAccountAssignment",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
  ),
  ...each("enters a container with a role", "ecs:ExecuteCommand"),
  ...each("lets itself into a cluster", "eks:CreateAccessEntry", "eks:AssociateAccessPolicy"),
  ...each("opens a key to itself", "kms:PutKeyPolicy"),
];

/** A statement that some path rests on. */
export interface Opened {
  readonly what: string;
  readonly actions: readonly string[];
  readonly statement: NonNullable<Decision["statement"]>;
}

const PRINCIPAL = "arn:aws:sts::123456789012:assumed-role/lint/sess_00000000";

/** Whether an action may be allowed on some resource, whatever the request brings. */
function opener(policies: PolicySet): (action: string, samples?: readonly string[]) => Decision["statement"] {
  const assumed = worstCase(policies, {});
  const decided = new Map<string, Decision["statement"]>();
  return (action, samples = []) => {
    if (decided.has(action)) return decided.get(action);
    let found: Decision["statement"];
    const probes = probeResources(assumed, action, {});
    for (const resource of [...samples, ...probes.resources, "*"]) {
      const decision = evaluate({ principal: PRINCIPAL, action, resource, context: {} }, assumed);
      if (decision.outcome === "allowed") {
        found = decision.statement;
        break;
      }
    }
    if (!found && !probes.areAll) found = granted(assumed, action);
    decided.set(action, found);
    return found;
  };
}

/** The statement that allows the action on something, whatever limits it besides. */
function granted({ identity }: PolicySet, action: string): Decision["statement"] {
  for (const { source, statements } of identity) {
    const found = statements.find((one) => one.effect === "Allow" && isAbout(one, action));
    if (found) return { kind: "identity", source, index: found.index, sid: found.sid };
  }
  return undefined;
}

/** The escalation paths that these policies leave open together; of paths that share what opens them, each is named. */
export function openPaths(policies: PolicySet, accepts: ReadonlySet<string>): Opened[] {
  const opens = opener(policies);
  return escalationPaths.flatMap(({ actions, leads }) => {
    const statements = actions.map((action) => opens(action));
    if (actions.every((action) => accepts.has(action.toLowerCase()))) return [];
    const last = statements.at(-1);
    return last && statements.every((one) => one !== undefined) ? [{ what: leads, actions, statement: last }] : [];
  });
}

/** What escalates or mints has findings of its own. */
const told = new Set([...escalationPaths.flatMap(({ actions }) => (actions.length === 1 ? actions : [])), ...MINTS, "iam:PassRole"]);

/** The actions of the destructive catalogue that the policies allow, by the statement that does. */
export function openDestruction(policies: PolicySet, all: boolean, accepts: ReadonlySet<string>): Opened[] {
  const opens = opener(policies);
  return destructiveActions.flatMap(({ action, resource, why }: Destructive) => {
    const statement = (all || !told.has(action)) && !accepts.has(action.toLowerCase()) ? opens(action, [resource]) : undefined;
    return statement ? [{ what: why, actions: [action], statement }] : [];
  });
}

/** Groups what the same statement opens. */
export function byStatement(opened: readonly Opened[]): { readonly statement: Opened["statement"]; readonly opened: Opened[] }[] {
  const groups = new Map<string, { statement: Opened["statement"]; opened: Opened[] }>();
  for (const one of opened) {
    const key: `${PolicyKind}:${string}` = `${one.statement.kind}:${one.statement.source}:${one.statement.index}`;
    const group = groups.get(key) ?? { statement: one.statement, opened: [] };
    group.opened.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}
