// What an agent must not be able to do: the catalogue of actions that destroy, escalate, mint credentials or hide traces. Called by the restriction check and doctor.
import { evaluate } from "./evaluate.ts";
import type { Decision, PolicySet, RequestContext } from "./types.ts";
import { type Probes, probeResources, worstCase } from "./worst-case.ts";

export interface Destructive {
  /** `ec2:TerminateInstances` */
  readonly action: string;
  /** What it does to its victim, in a few words. */
  readonly why: string;
  /** A resource that the action could be aimed at. */
  readonly resource: string;
}

/** Every ARN of the catalogue is in this account; `destructiveAllowed` puts the principal's in its place. */
const ACCOUNT = "123456789012";
const REGION = "us-east-1";
const local = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const iam = (rest: string): string => `arn:aws:iam::${ACCOUNT}:${rest}`;
const on =
  (resource: string, why: string) =>
  (...actions: string[]): Destructive[] =>
    actions.map((action) => ({ action, why, resource }));

/** Destruction as in published least-privilege guidance for agents, and what an engineer expects beside it. */
export const destructiveActions: readonly Destructive[] = [
  ...on(local("ec2", "instance/i-0123456789abcdef0"), "ends machines and their local data")("ec2:TerminateInstances", "ec2:StopInstances"),
  ...on(local("ec2", "volume/vol-0123456789abcdef0"), "deletes a disk")("ec2:DeleteVolume"),
  ...on(local("ec2", "snapshot/snap-0123456789abcdef0"), "deletes a backup")("ec2:DeleteSnapshot"),
  ...on(local("ec2", "image/ami-0123456789abcdef0"), "deletes a machine image")("ec2:DeregisterImage"),
  ...on(local("ec2", "key-pair/admin"), "deletes a key pair")("ec2:DeleteKeyPair"),
  ...on(local("ec2", "vpc/vpc-0123456789abcdef0"), "deletes a network")("ec2:DeleteVpc", "ec2:DeleteVpcPeeringConnection"),
  ...on(local("ec2", "subnet/subnet-0123456789abcdef0"), "deletes a network")("ec2:DeleteSubnet"),
  ...on(local("ec2", "natgateway/nat-0123456789abcdef0"), "cuts a network off")("ec2:DeleteNatGateway"),
  ...on(local("ec2", "internet-gateway/igw-0123456789abcdef0"), "cuts a network off")("ec2:DeleteInternetGateway"),
  ...on(local("ec2", "route-table/rtb-0123456789abcdef0"), "cuts a network off")("ec2:DeleteRouteTable"),
  ...on(local("ec2", "elastic-ip/eipalloc-0123456789abcdef0"), "gives an address away for good")("ec2:ReleaseAddress"),
  ...on(local("ec2", "security-group/sg-0123456789abcdef0"), "removes or opens a firewall")(
    "ec2:DeleteSecurityGroup",
    "ec2:AuthorizeSecurityGroupIngress",
  ),
  ...on(local("rds", "db:orders"), "deletes a database")("rds:DeleteDBInstance"),
  ...on(local("rds", "cluster:orders"), "deletes a database")("rds:DeleteDBCluster", "rds:DeleteGlobalCluster"),
  ...on(local("rds", "snapshot:orders"), "deletes a backup")("rds:DeleteDBSnapshot"),
  ...on(local("rds", "cluster-snapshot:orders"), "deletes a backup")("rds:DeleteDBClusterSnapshot"),
  ...on("arn:aws:s3:::orders", "deletes a bucket, or what protects it")(
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketVersioning",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
  ),
  ...on("arn:aws:s3:::orders/2027/01.csv", "deletes data")(
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:BypassGovernanceRetention",
    "s3:PutObjectAcl",
  ),
  ...on(local("lambda", "function:orders"), "deletes or takes over a function")(
    "lambda:DeleteFunction",
    "lambda:UpdateFunctionCode",
    "lambda:AddPermission",
  ),
  ...on(local("lambda", "layer:orders:1"), "deletes code that functions use")("lambda:DeleteLayerVersion"),
  ...on(local("lambda", "event-source-mapping:orders"), "stops a function's events")("lambda:DeleteEventSourceMapping"),
  ...on(local("eks", "cluster/orders"), "deletes a cluster, or lets itself in")("eks:DeleteCluster", "eks:CreateAccessEntry"),
  ...on(local("eks", "nodegroup/orders/main/0"), "deletes a cluster's machines")("eks:DeleteNodegroup"),
  ...on(local("eks", "fargateprofile/orders/main/0"), "deletes a cluster's machines")("eks:DeleteFargateProfile"),
  ...on(local("ecs", "service/orders/web"), "deletes a service")("ecs:DeleteService"),
  ...on(local("ecs", "cluster/orders"), "deletes a cluster")("ecs:DeleteCluster"),
  ...on(local("ecr", "repository/orders"), "deletes images")("ecr:DeleteRepository", "ecr:BatchDeleteImage"),
  ...on(local("dynamodb", "table/orders"), "deletes data")("dynamodb:DeleteTable", "dynamodb:DeleteItem"),
  ...on(local("dynamodb", "table/orders/backup/0"), "deletes a backup")("dynamodb:DeleteBackup"),
  ...on(local("cloudformation", "stack/orders/0"), "deletes a stack and all in it")("cloudformation:DeleteStack"),
  ...on(local("cloudformation", "stackset/orders:0"), "deletes stacks in many accounts")("cloudformation:DeleteStackSet"),
  ...on(local("elasticache", "cluster:orders"), "deletes data")("elasticache:DeleteCacheCluster"),
  ...on(local("es", "domain/orders"), "deletes a search domain")("es:DeleteDomain", "es:DeleteElasticsearchDomain"),
  ...on(local("redshift", "cluster:orders"), "deletes a warehouse")("redshift:DeleteCluster"),
  ...on(local("elasticfilesystem", "file-system/fs-0123456789abcdef0"), "deletes files")("elasticfilesystem:DeleteFileSystem"),
  ...on(local("kinesis", "stream/orders"), "deletes data")("kinesis:DeleteStream"),
  ...on(local("sqs", "orders"), "deletes messages")("sqs:DeleteQueue", "sqs:PurgeQueue"),
  ...on(local("sns", "orders"), "deletes a topic")("sns:DeleteTopic"),
  ...on("arn:aws:route53:::hostedzone/Z0123456789ABC", "takes names off the internet, or points them elsewhere")(
    "route53:DeleteHostedZone",
    "route53:ChangeResourceRecordSets",
  ),
  ...on(`arn:aws:cloudfront::${ACCOUNT}:distribution/E0123456789ABC`, "takes a site off the internet")("cloudfront:DeleteDistribution"),
  ...on(
    local("elasticloadbalancing", "loadbalancer/app/orders/0"),
    "takes a service off the internet",
  )("elasticloadbalancing:DeleteLoadBalancer"),
  ...on(local("autoscaling", "autoScalingGroup:0:autoScalingGroupName/orders"), "ends machines")("autoscaling:DeleteAutoScalingGroup"),
  ...on(local("backup", "backup-vault:orders"), "deletes backups")("backup:DeleteBackupVault"),
  ...on(local("backup", "recovery-point:0"), "deletes a backup")("backup:DeleteRecoveryPoint"),
  ...on(local("cognito-idp", "userpool/us-east-1_0"), "deletes users, or takes them over")(
    "cognito-idp:DeleteUserPool",
    "cognito-idp:AdminSetUserPassword",
  ),
  ...on(local("kms", "key/00000000-0000-0000-0000-000000000000"), "makes everything under a key unreadable, or opens the key")(
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
  ),
  ...on("*", "acts on the whole organization")("organizations:LeaveOrganization", "organizations:DeleteOrganization"),
  ...on(`arn:aws:organizations::${ACCOUNT}:account/o-0123456789/${ACCOUNT}`, "closes or frees an account")(
    "organizations:CloseAccount",
    "organizations:RemoveAccountFromOrganization",
  ),
  ...on(`arn:aws:organizations::${ACCOUNT}:policy/o-0123456789/service_control_policy/p-0`, "lifts a guardrail")(
    "organizations:DetachPolicy",
    "organizations:DeletePolicy",
    "organizations:UpdatePolicy",
  ),
  ...on(`arn:aws:account::${ACCOUNT}:account`, "closes the account or redirects its mail")(
    "account:CloseAccount",
    "account:PutAlternateContact",
  ),

  ...on(iam("role/orders"), "changes who may do what")(
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:UpdateRole",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:TagRole",
    "iam:CreateServiceLinkedRole",
  ),
  ...on(iam("role/orders"), "hands a role to a machine that the agent controls")("iam:PassRole"),
  ...on(iam("user/jordan"), "changes who may do what")(
    "iam:CreateUser",
    "iam:DeleteUser",
    "iam:PutUserPolicy",
    "iam:DeleteUserPolicy",
    "iam:AttachUserPolicy",
    "iam:DetachUserPolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:AddUserToGroup",
    "iam:DeactivateMFADevice",
  ),
  ...on(iam("group/admins"), "changes who may do what")(
    "iam:CreateGroup",
    "iam:DeleteGroup",
    "iam:PutGroupPolicy",
    "iam:DeleteGroupPolicy",
    "iam:AttachGroupPolicy",
    "iam:DetachGroupPolicy",
  ),
  ...on(iam("policy/orders"), "changes who may do what")(
    "iam:CreatePolicy",
    "iam:DeletePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
  ),
  ...on(iam("oidc-provider/example.com"), "lets strangers sign in")("iam:CreateOpenIDConnectProvider"),
  ...on(iam("saml-provider/example"), "lets strangers sign in")("iam:CreateSAMLProvider", "iam:UpdateSAMLProvider"),
  ...on(iam("instance-profile/orders"), "hands a role to a machine that the agent controls")("iam:AddRoleToInstanceProfile"),
  ...on("arn:aws:sso:::instance/ssoins-0123456789abcdef", "changes who may do what in many accounts")(
    "sso:CreateAccountAssignment",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
  ),

  ...on(iam("user/jordan"), "mints a credential that outlives the session")(
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
  ),
  ...on(iam("role/admin"), "becomes another role, out of reach of this session's deny")("sts:AssumeRole"),
  ...on("*", "mints a credential that outlives the session")("sts:GetFederationToken", "sts:GetSessionToken", "ecr:GetAuthorizationToken"),
  ...on(local("redshift", "dbuser:orders/admin"), "mints a database credential")("redshift:GetClusterCredentials"),
  ...on(local("secretsmanager", "secret:orders-AbCdEf"), "reads, overwrites or deletes a secret")(
    "secretsmanager:GetSecretValue",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecret",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
  ),
  ...on(local("ssm", "parameter/orders/password"), "reads, overwrites or deletes a secret")(
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:GetParameterHistory",
    "ssm:PutParameter",
    "ssm:DeleteParameter",
  ),
  ...on(local("ec2", "instance/i-0123456789abcdef0"), "runs commands under a machine's role, or reads its password")(
    "ssm:SendCommand",
    "ssm:StartSession",
    "ec2-instance-connect:SendSSHPublicKey",
    "ec2:ModifyInstanceAttribute",
    "ec2:AssociateIamInstanceProfile",
    "ec2:GetPasswordData",
    "ec2:RunInstances",
  ),

  ...on(local("cloudtrail", "trail/main"), "stops or blinds the audit trail")(
    "cloudtrail:StopLogging",
    "cloudtrail:DeleteTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors",
  ),
  ...on(local("logs", "log-group:orders"), "deletes the record of what happened")(
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:PutRetentionPolicy",
  ),
  ...on(local("cloudwatch", "alarm:orders"), "silences alarms")("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions"),
  ...on("*", "stops the recording of changes")("config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder"),
  ...on(local("guardduty", "detector/0"), "stops threat detection")("guardduty:DeleteDetector", "guardduty:UpdateDetector"),
  ...on(local("securityhub", "hub/default"), "stops threat detection")("securityhub:DisableSecurityHub"),
];

export interface DestructiveFinding {
  readonly action: string;
  readonly decision: Decision;
  /** The resource on which it is allowed; undefined where there are too many to try, so that it may be on one of them. */
  readonly resource: string | undefined;
}

/**
 * The actions of the catalogue that these policies allow, in the worst case: each is tried on its sample and on one resource for each pattern that the
 * policies allow, alone and together; conditions on keys that `context` does not tell are taken to be met for an Allow and unmet for a Deny.
 * @param principal ARN of the session or identity; its account takes the place of the samples'
 * @param context what is known of every request of the session, such as its tags
 */
export function destructiveAllowed(policies: PolicySet, principal: string, context: RequestContext = {}): DestructiveFinding[] {
  const account = /^\d{12}$/.exec(principal.split(":")[4] ?? "")?.[0] ?? ACCOUNT;
  const assumed = worstCase(policies, context);
  const known = new Map<string, Probes>();
  return destructiveActions.flatMap(({ action, resource: sample }): readonly DestructiveFinding[] => {
    const { resources, areAll } = probeResources(assumed, action, context, known);
    const decide = (resource: string): Decision => evaluate({ principal, action, resource, context }, assumed);
    const first = sample.replaceAll(ACCOUNT, account);
    for (const resource of [first, ...resources]) {
      const decision = decide(resource);
      if (decision.outcome === "allowed") return [{ action, decision, resource }];
    }
    return areAll ? [] : [{ action, decision: decide(first), resource: undefined }];
  });
}
