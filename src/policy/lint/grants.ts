// What an Allow gives too freely: wildcards, writes everywhere, roles, credentials, permissions, exposure. Called by lint.ts.
import type { ActionFacts } from "../catalogue.ts";
import type { Statement } from "../types.ts";
import { finding, type Raw, some } from "./finding.ts";
import { entriesOf, hasWildcard, isAnyResource, isCeiling, onAnyResource, resourceSteps, type Subject } from "./subject.ts";

/** Checks one Allow of an identity or session policy. */
export function grantFindings(statement: Statement, subject: Subject): Raw[] {
  const { kind, catalogue } = subject;
  if (statement.effect !== "Allow" || isCeiling(kind) || kind === "trust" || kind === "resource") return [];
  const everything = statement.action?.findIndex((action) => /^\*+(?::\*+)?$/.test(action)) ?? -1;
  if (everything >= 0 && onAnyResource(statement) && statement.conditions.length === 0) {
    return [
      finding("admin-everything", statement, {
        steps: ["Action", everything],
        reason: "allows every action on every resource",
        fix: "name the actions and the resources of the task",
      }),
    ];
  }
  if (statement.notAction) {
    const reason = `allows every action but ${some(statement.notAction)}, and whatever AWS adds`;
    return [
      finding("allow-not-action", statement, {
        steps: ["NotAction"],
        reason,
        fix: "list what is allowed in Action; NotAction belongs into a Deny",
      }),
    ];
  }
  const denied = alwaysDenied(subject);
  const given = entriesOf(statement, catalogue).map((entry) => ({ ...entry, actions: entry.actions.filter(({ name }) => !denied(name)) }));
  const accepted = ({ name }: ActionFacts): boolean => subject.accepts.has(name.toLowerCase());
  return [
    ...given.flatMap(({ pattern, index, actions }) => wildcard(statement, pattern, index, actions)),
    ...special(
      statement,
      given.flatMap(({ actions, index }) => actions.filter((action) => !accepted(action)).map((action) => ({ action, index }))),
    ),
    ...anywhere(
      statement,
      given.flatMap(({ actions }) => actions),
    ),
  ];
}

/** Whether an unconditional Deny on every resource, in the same policy, takes an action back. */
function alwaysDenied({ document, catalogue }: Subject): (action: string) => boolean {
  const denies = document.statements.filter(
    (one) =>
      one.effect === "Deny" &&
      one.conditions.length === 0 &&
      one.principal === undefined &&
      one.notPrincipal === undefined &&
      one.resource?.includes("*"),
  );
  const listed = new Set(
    denies.flatMap((deny) => (deny.action ?? []).flatMap((pattern) => catalogue.matching(pattern).map(({ name }) => name))),
  );
  const allBut = denies.flatMap((deny) =>
    deny.notAction ? [new Set(deny.notAction.flatMap((pattern) => catalogue.matching(pattern).map(({ name }) => name)))] : [],
  );
  return (action) => listed.has(action) || allBut.some((kept) => !kept.has(action));
}

function wildcard(statement: Statement, pattern: string, index: number, actions: readonly ActionFacts[]): Raw[] {
  if (!hasWildcard(pattern)) return [];
  const changing = actions.filter(({ level }) => level !== "Read" && level !== "List");
  if (changing.length === 0) return [];
  const names = changing.map(({ name }) => name);
  const [service = ""] = pattern.split(":");
  const whole = /^[^:]+:\*+$/.test(pattern) || /^\*+$/.test(pattern);
  const code = whole ? "service-wildcard" : "action-wildcard";
  const reason = whole
    ? `${pattern} is every action${pattern.includes(":") ? ` of ${service}` : ""}, ${names.length} that change something among them (${some(names)})`
    : `${pattern} covers ${some(names)}`;
  return [finding(code, statement, { steps: ["Action", index], reason, fix: "name the actions that the task needs" })];
}

interface Given {
  readonly action: ActionFacts;
  readonly index: number;
}

/** Actions that give access which is not this session's: a key, a token, another identity. */
export const MINTS: readonly string[] = [
  "iam:CreateAccessKey",
  "iam:CreateLoginProfile",
  "iam:UpdateLoginProfile",
  "iam:CreateServiceSpecificCredential",
  "iam:ResetServiceSpecificCredential",
  "iam:UploadSSHPublicKey",
  "iam:UploadSigningCertificate",
  "iam:CreateVirtualMFADevice",
  "sts:AssumeRole",
  "sts:AssumeRoleWithSAML",
  "sts:AssumeRoleWithWebIdentity",
  "sts:AssumeRoot",
  "sts:GetFederationToken",
  "sts:GetSessionToken",
  "redshift:GetClusterCredentials",
  "redshift-serverless:GetCredentials",
  "ec2:GetPasswordData",
  "lightsail:GetInstanceAccessDetails",
  "lightsail:DownloadDefaultKeyPair",
  "cognito-identity:GetCredentialsForIdentity",
  "rolesanywhere:CreateTrustAnchor",
  "rds-db:connect",
  "codeartifact:GetAuthorizationToken",
  "airflow:CreateCliToken",
  "airflow:CreateWebLoginToken",
  "connect:GetFederationToken",
];

/** Actions that open a resource to others, as parameters of the call: no condition of the caller's policy sees to whom. */
export const EXPOSES: readonly string[] = [
  "s3:PutBucketPolicy",
  "s3:PutBucketAcl",
  "s3:PutObjectAcl",
  "s3:PutBucketPublicAccessBlock",
  "s3:PutAccountPublicAccessBlock",
  "s3:PutAccessPointPolicy",
  "ec2:AuthorizeSecurityGroupIngress",
  "ec2:ModifyImageAttribute",
  "ec2:ModifySnapshotAttribute",
  "rds:ModifyDBSnapshotAttribute",
  "rds:ModifyDBClusterSnapshotAttribute",
  "lambda:AddPermission",
  "lambda:CreateFunctionUrlConfig",
  "lambda:UpdateFunctionUrlConfig",
  "sns:AddPermission",
  "sns:SetTopicAttributes",
  "sqs:AddPermission",
  "sqs:SetQueueAttributes",
  "kms:PutKeyPolicy",
  "secretsmanager:PutResourcePolicy",
  "ecr:SetRepositoryPolicy",
  "es:UpdateDomainConfig",
  "glacier:SetVaultAccessPolicy",
];

const lower = (names: readonly string[]): ReadonlySet<string> => new Set(names.map((name) => name.toLowerCase()));
const mints = lower(MINTS);
const exposes = lower(EXPOSES);

function special(statement: Statement, given: readonly Given[]): Raw[] {
  const pick = (test: (action: ActionFacts) => boolean): Given[] => given.filter(({ action }) => test(action));
  const at = (found: readonly Given[]): readonly (string | number)[] => ["Action", found[0]?.index ?? 0];
  const names = (found: readonly Given[]): string => some(found.map(({ action }) => action.name));
  const out: Raw[] = [];
  const pass = pick(({ name }) => name === "iam:PassRole");
  if (pass.length > 0) out.push(...passRole(statement, at(pass)));
  const minting = pick(({ name }) => mints.has(name.toLowerCase()));
  if (minting.length > 0) {
    const assumesNamed =
      minting.every(({ action }) => action.name.startsWith("sts:AssumeRole")) &&
      !onAnyResource(statement) &&
      !(statement.resource ?? []).some(hasWildcard);
    const reason = `${names(minting)}: what it gives outlives the session, or is another identity's`;
    const fix = assumesNamed
      ? "make sure that none of these roles is stronger than this one"
      : "take it out; a session that needs another role is given it by a human";
    out.push(finding("mints-credentials", statement, { steps: at(minting), reason, fix, severity: assumesNamed ? "warning" : undefined }));
  }
  const exposing = pick(({ name }) => exposes.has(name.toLowerCase()));
  if (exposing.length > 0) {
    const anyone = onAnyResource(statement);
    const reason = `${names(exposing)} can open ${anyone ? "every resource of the account" : some(statement.resource ?? [])} to everyone`;
    out.push(
      finding("public-exposure", statement, {
        steps: at(exposing),
        reason,
        fix: "take it out, or name the resources that may be opened",
        severity: anyone ? undefined : "warning",
      }),
    );
  }
  const managing = pick(
    ({ level, name }) =>
      level === "Permissions management" && !mints.has(name.toLowerCase()) && !exposes.has(name.toLowerCase()) && name !== "iam:PassRole",
  );
  if (managing.length > 0) {
    out.push(
      finding("permissions-management", statement, {
        steps: at(managing),
        reason: `${names(managing)} change who may do what`,
        fix: "leave it to the people who own the account",
      }),
    );
  }
  return [...out, ...conditionsWanted(statement, given)];
}

function passRole(statement: Statement, at: readonly (string | number)[]): Raw[] {
  const roles = (statement.resource ?? ["*"]).filter((one) => isAnyResource(one) || /:role\/\*+$/.test(one));
  const toService = statement.conditions.some(({ key }) => key.toLowerCase() === "iam:passedtoservice");
  if (roles.length > 0 || statement.notResource) {
    return [
      finding("pass-role", statement, {
        steps: at,
        reason: "iam:PassRole on every role: whoever starts a machine or function with an administrator's role is one",
        fix: "name the one role that may be handed on",
      }),
    ];
  }
  if (toService) return [];
  return [
    finding("pass-role", statement, {
      steps: at,
      reason: "iam:PassRole to any service",
      fix: 'add "StringEquals": { "iam:PassedToService": "…amazonaws.com" }',
      severity: "warning",
    }),
  ];
}

/** Actions that are fit for an agent under a condition only. */
const WANTED: readonly { readonly action: string; readonly keys: RegExp; readonly fix: string; readonly reason: string }[] = [
  {
    action: "ec2:RunInstances",
    keys: /^ec2:instancetype$/i,
    reason: "may start machines of every size",
    fix: 'add "StringEquals": { "ec2:InstanceType": ["t3.micro", "t3.small"] }',
  },
  {
    action: "kms:CreateGrant",
    keys: /^kms:grantisforawsresource$/i,
    reason: "may hand a key on to anybody",
    fix: 'add "Bool": { "kms:GrantIsForAWSResource": "true" }',
  },
  {
    action: "iam:CreateServiceLinkedRole",
    keys: /^iam:awsservicename$/i,
    reason: "may make roles for every service",
    fix: 'add "StringEquals": { "iam:AWSServiceName": "…" }',
  },
  {
    action: "rds:CreateDBInstance",
    keys: /^rds:databaseclass$/i,
    reason: "may start databases of every size",
    fix: 'add "StringEquals": { "rds:DatabaseClass": ["db.t4g.micro"] }',
  },
];

function conditionsWanted(statement: Statement, given: readonly Given[]): Raw[] {
  return WANTED.flatMap(({ action, keys, fix, reason }) => {
    const found = given.find((one) => one.action.name === action);
    if (!found || statement.conditions.some(({ key }) => keys.test(key))) return [];
    return [finding("missing-condition", statement, { steps: ["Action", found.index], reason: `${action} ${reason}`, fix })];
  });
}

/** Reads of what others wrote, as against descriptions of it: an over-broad one leaks data. */
const DATA =
  /^(?:s3:GetObject(?:Version)?|dynamodb:(?:GetItem|BatchGetItem|Query|Scan|PartiQLSelect|GetRecords)|secretsmanager:(?:GetSecretValue|BatchGetSecretValue)|ssm:GetParameter(?:s|sByPath|History)?|kms:Decrypt|sqs:ReceiveMessage|kinesis:GetRecords|logs:(?:GetLogEvents|FilterLogEvents|StartQuery)|athena:GetQueryResults|rds-data:\w+|codecommit:GetFile|ecr:BatchGetImage)$/;

function anywhere(statement: Statement, actions: readonly ActionFacts[]): Raw[] {
  if (!onAnyResource(statement)) return [];
  const scoped = statement.conditions.some(({ key }) => /^(?:aws:resourcetag\/|aws:resourceaccount$|[\w-]+:resourcetag\/)/i.test(key));
  if (scoped) return [];
  const at = resourceSteps(statement);
  const nameable = actions.filter(({ resources }) => resources.length > 0);
  const names = (test: (action: ActionFacts) => boolean): string[] => nameable.filter(test).map(({ name }) => name);
  const writes = names(({ level }) => level !== "Read" && level !== "List");
  const data = names(({ name }) => DATA.test(name));
  const reads = names(({ name, level }) => (level === "Read" || level === "List") && !DATA.test(name));
  const where = `on ${statement.notResource ? "all resources but a few" : some((statement.resource ?? ["*"]).filter(isAnyResource))}`;
  const fix = "name the resources of the task, such as arn:aws:s3:::my-bucket/builds/*";
  return [
    ...(writes.length > 0 ? [finding("write-anywhere", statement, { steps: at, reason: `${some(writes)} ${where}`, fix })] : []),
    ...(data.length > 0 ? [finding("read-data-anywhere", statement, { steps: at, reason: `${some(data)} ${where}`, fix })] : []),
    ...(reads.length > 0
      ? [
          finding("resource-wildcard", statement, {
            steps: at,
            reason: `${some(reads)} ${where}`,
            fix: "name the resources where the task knows them",
          }),
        ]
      : []),
  ];
}
