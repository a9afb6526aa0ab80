// A profile's role as CloudFormation, Terraform and AWS CLI commands, for those who let nothing else change their account. Pure. Printed by cli/setup.ts.
import type { DesiredRole, ManagedDocument } from "./desired.ts";
import type { Step } from "./steps.ts";

const LOGICAL = { policy: "AgentPolicy", boundary: "AgentBoundary", role: "AgentRole" } as const;

/** A template in CloudFormation's JSON. Stack it with `--capabilities CAPABILITY_NAMED_IAM`. */
export function cloudFormation(desired: DesiredRole): string {
  const managed = (document: ManagedDocument) => ({
    Type: "AWS::IAM::ManagedPolicy",
    Properties: { ManagedPolicyName: document.name, Description: document.description, PolicyDocument: JSON.parse(document.text) },
  });
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: desired.description,
    Resources: {
      [LOGICAL.policy]: managed(desired.policy),
      ...(desired.boundary ? { [LOGICAL.boundary]: managed(desired.boundary) } : {}),
      [LOGICAL.role]: {
        Type: "AWS::IAM::Role",
        Properties: {
          RoleName: desired.name,
          Description: desired.description,
          MaxSessionDuration: desired.maxSessionSeconds,
          AssumeRolePolicyDocument: JSON.parse(desired.trust),
          ...(desired.boundary ? { PermissionsBoundary: { Ref: LOGICAL.boundary } } : {}),
          ManagedPolicyArns: [{ Ref: LOGICAL.policy }],
          Tags: Object.entries(desired.tags).map(([Key, Value]) => ({ Key, Value })),
        },
      },
    },
    Outputs: { RoleArn: { Value: { "Fn::GetAtt": [LOGICAL.role, "Arn"] } } },
  };
  return JSON.stringify(template, undefined, 2);
}

/** Terraform, for the `hashicorp/aws` provider, as `terraform fmt` writes it. */
export function terraform(desired: DesiredRole): string {
  const name = `agent_${desired.profile.replaceAll(/\W/g, "_")}`;
  const widest = Math.max(...Object.keys(desired.tags).map((key) => quoted(key).length));
  const tags = Object.entries(desired.tags).map(([key, value]) => `    ${quoted(key).padEnd(widest)} = ${quoted(value)}`);
  const managed = (label: string, document: ManagedDocument): string =>
    [
      `resource "aws_iam_policy" "${label}" {`,
      `  name        = ${quoted(document.name)}`,
      `  description = ${quoted(document.description)}`,
      `  policy      = ${heredoc(document.text)}`,
      "  tags = {",
      ...tags,
      "  }",
      "}",
    ].join("\n");
  const boundary = desired.boundary ? [`  permissions_boundary = aws_iam_policy.${name}_boundary.arn`] : [];
  const role = [
    `resource "aws_iam_role" "${name}" {`,
    `  name                 = ${quoted(desired.name)}`,
    `  description          = ${quoted(desired.description)}`,
    `  max_session_duration = ${desired.maxSessionSeconds}`,
    ...boundary,
    `  assume_role_policy   = ${heredoc(desired.trust)}`,
    "  tags = {",
    ...tags,
    "  }",
    "}",
  ].join("\n");
  const attachment = [
    `resource "aws_iam_role_policy_attachment" "${name}" {`,
    `  role       = aws_iam_role.${name}.name`,
    `  policy_arn = aws_iam_policy.${name}.arn`,
    "}",
  ].join("\n");
  const output = `output "${name}_role_arn" {\n  value = aws_iam_role.${name}.arn\n}`;
  return [
    ...(desired.boundary ? [managed(`${name}_boundary`, desired.boundary)] : []),
    managed(name, desired.policy),
    role,
    attachment,
    output,
  ].join("\n\n");
}

/** Terraform's templates begin with `${` and `%{`; doubled, they are text (Terraform language, "Strings and Templates"). */
const untemplated = (text: string): string => text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);

const quoted = (text: string): string => untemplated(JSON.stringify(text));

function heredoc(json: string): string {
  const lines = untemplated(JSON.stringify(JSON.parse(json), undefined, 2)).split("\n");
  return ["<<-POLICY", ...lines.map((line) => `    ${line}`), "  POLICY"].join("\n");
}

/** The steps of a plan as a bash script of AWS CLI commands. */
export function shellScript(steps: readonly Step[]): string {
  const commands = steps.map(({ operation, input, summary }) => {
    const name = operation.replaceAll(/(?<!^)([A-Z])/g, "-$1").toLowerCase();
    const json = JSON.stringify(input).replaceAll("'", "'\\''");
    return `# ${summary}\naws iam ${name} --cli-input-json '${json}' >/dev/null`;
  });
  return ["#!/usr/bin/env bash", "set -euo pipefail", ...commands].join("\n\n");
}
