// What an account says of its audit and of who uses a role. Read only. Called by `agent-run check`.
import type { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import type { IAMClient } from "@aws-sdk/client-iam";
import { parseRoleArn } from "./identity.ts";

/**
 * Names of the trails that log now, in every region where they are seen. Needs cloudtrail:DescribeTrails and GetTrailStatus.
 * @throws what the SDK throws
 */
export async function loggingTrails(cloudTrail: CloudTrailClient, abortSignal: AbortSignal): Promise<string[]> {
  const { DescribeTrailsCommand, GetTrailStatusCommand } = await import("@aws-sdk/client-cloudtrail");
  const { trailList = [] } = await cloudTrail.send(new DescribeTrailsCommand({}), { abortSignal });
  const logging = await Promise.all(
    trailList.map(async ({ TrailARN, Name }) => {
      const { IsLogging } = await cloudTrail.send(new GetTrailStatusCommand({ Name: TrailARN ?? Name }), { abortSignal });
      return IsLogging ? [Name ?? TrailARN ?? ""] : [];
    }),
  );
  return logging.flat();
}

/**
 * Instance profiles through which machines hold the role. Needs iam:ListInstanceProfilesForRole.
 * @throws what the SDK throws
 */
export async function instanceProfilesOf(iam: IAMClient, roleArn: string, abortSignal: AbortSignal): Promise<string[]> {
  const { ListInstanceProfilesForRoleCommand } = await import("@aws-sdk/client-iam");
  const { InstanceProfiles = [] } = await iam.send(
    new ListInstanceProfilesForRoleCommand({ RoleName: parseRoleArn(roleArn, "role").name }),
    { abortSignal },
  );
  return InstanceProfiles.map(({ InstanceProfileName }) => InstanceProfileName ?? "");
}
