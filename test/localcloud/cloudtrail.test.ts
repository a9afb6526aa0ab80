// CloudTrail of the local cloud: what happened is found by whom it was, what it was and when, with the words of real records.
import { CancelQueryCommand, LookupEventsCommand, type LookupEventsCommandInput } from "@aws-sdk/client-cloudtrail";
import { DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateBucketCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { assume, cloudtrail, ec2, refusal, s3, sts } from "./clients.ts";

const SESSION = "sess_0a1b2c3d";

async function find(
  cloud: LocalCloud,
  input: LookupEventsCommandInput = {},
): Promise<{ name: string; user: string; record: Record<string, unknown> }[]> {
  const { Events } = await cloudtrail(cloud).send(new LookupEventsCommand(input));
  return (Events ?? []).map((event) => ({
    name: event.EventName ?? "",
    user: event.Username ?? "",
    record: JSON.parse(event.CloudTrailEvent ?? "") as Record<string, unknown>,
  }));
}
const by = (
  AttributeKey: "Username" | "EventName" | "AccessKeyId" | "ResourceName" | "ReadOnly" | "EventSource",
  AttributeValue: string,
): LookupEventsCommandInput => ({
  LookupAttributes: [{ AttributeKey, AttributeValue }],
});

describe("LookupEvents", () => {
  it("shows what a session did under its name, with role, source identity and errors", async () => {
    await using cloud = await startLocalCloud();
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "*", Resource: "*" },
        { Effect: "Deny", Action: "ec2:Terminate*", Resource: "*" },
      ],
    });
    const keys = await assume(cloud, {
      SourceIdentity: "ada",
      Policy,
      Tags: [{ Key: "agent-actor", Value: "claude" }],
      TransitiveTagKeys: ["agent-actor"],
    });
    await sts(cloud, keys).send(new GetCallerIdentityCommand({}));
    const { Reservations } = await ec2(cloud, keys).send(new DescribeInstancesCommand({}));
    const id = Reservations?.[0]?.Instances?.[0]?.InstanceId ?? "";
    await refusal(ec2(cloud, keys).send(new TerminateInstancesCommand({ InstanceIds: [id] })));
    await s3(cloud, keys).send(new GetObjectCommand({ Bucket: "acme-data", Key: "reports/q3.txt" }));
    const found = await find(cloud, by("Username", SESSION));
    expect(found.map(({ name }) => name)).toEqual(["TerminateInstances", "DescribeInstances", "GetCallerIdentity"]);
    expect(found[0]?.record).toMatchObject({
      eventSource: "ec2.amazonaws.com",
      errorCode: "UnauthorizedOperation",
      errorMessage: expect.stringContaining("with an explicit deny in a session policy"),
      readOnly: false,
      sourceIPAddress: "127.0.0.1",
      recipientAccountId: cloud.account,
      managementEvent: true,
      userIdentity: {
        type: "AssumedRole",
        arn: `arn:aws:sts::${cloud.account}:assumed-role/agent-demo/${SESSION}`,
        accessKeyId: keys.accessKeyId,
        sessionContext: {
          sessionIssuer: { type: "Role", userName: "agent-demo", arn: cloud.roleArn() },
          sourceIdentity: "ada",
          attributes: { mfaAuthenticated: "false" },
        },
      },
    });
    expect(found[2]?.record["errorCode"]).toBeUndefined();
    expect((await find(cloud, by("ResourceName", id))).map(({ name }) => name)).toEqual(["TerminateInstances"]);
    expect((await find(cloud, by("AccessKeyId", keys.accessKeyId))).length).toBe(3);
    const [assumed] = await find(cloud, by("EventName", "AssumeRole"));
    expect(assumed).toMatchObject({
      user: "dev",
      record: {
        requestParameters: {
          roleSessionName: SESSION,
          sourceIdentity: "ada",
          principalTags: { "agent-actor": "claude" },
          transitiveTagKeys: ["agent-actor"],
        },
        responseElements: { credentials: { accessKeyId: keys.accessKeyId }, assumedRoleUser: { arn: expect.stringContaining(SESSION) } },
      },
    });
  });

  it("has management events only: object-level calls are seen in the process alone", async () => {
    await using cloud = await startLocalCloud();
    await s3(cloud).send(new GetObjectCommand({ Bucket: "acme-data", Key: "reports/q3.txt" }));
    await s3(cloud).send(new CreateBucketCommand({ Bucket: "made-here" }));
    expect((await find(cloud, by("EventSource", "s3.amazonaws.com"))).map(({ name }) => name)).toEqual(["CreateBucket"]);
    expect(cloud.events().map((event) => event.name)).toContain("GetObject");
  });

  it("gives pages of 50 at most, newest first, each event once", async () => {
    await using cloud = await startLocalCloud();
    for (let index = 0; index < 12; index += 1) await sts(cloud).send(new GetCallerIdentityCommand({}));
    const query = { ...by("EventName", "GetCallerIdentity"), MaxResults: 5 };
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await cloudtrail(cloud).send(new LookupEventsCommand({ ...query, ...(NextToken && { NextToken }) }));
      expect(page.Events?.length).toBeLessThanOrEqual(5);
      seen.push(...(page.Events ?? []).map((event) => event.EventId ?? ""));
      ({ NextToken } = page);
    } while (NextToken);
    expect([seen.length, new Set(seen).size]).toEqual([12, 12]);
    expect((await refusal(find(cloud, { MaxResults: 51 }))).code).toBe("InvalidMaxResultsException");
    expect((await refusal(find(cloud, { NextToken: "none" }))).code).toBe("InvalidNextTokenException");
    expect(
      (
        await refusal(
          find(cloud, {
            LookupAttributes: [...(by("ReadOnly", "true").LookupAttributes ?? []), ...(by("Username", "dev").LookupAttributes ?? [])],
          }),
        )
      ).code,
    ).toBe("InvalidLookupAttributesException");
  });

  it("is bounded by start and end", async () => {
    await using cloud = await startLocalCloud();
    await sts(cloud).send(new GetCallerIdentityCommand({}));
    const [past, future] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    expect((await find(cloud, { ...by("EventName", "GetCallerIdentity"), StartTime: past, EndTime: future })).length).toBe(1);
    expect((await find(cloud, { ...by("EventName", "GetCallerIdentity"), EndTime: past })).length).toBe(0);
    expect((await refusal(find(cloud, { StartTime: future, EndTime: past }))).code).toBe("InvalidTimeRangeException");
  });

  it("may be told to lag behind", async () => {
    await using cloud = await startLocalCloud({ settings: { trailSeconds: 300 } });
    await sts(cloud).send(new GetCallerIdentityCommand({}));
    expect(await find(cloud)).toEqual([]);
    cloud.switches.apply({ trailSeconds: 0 });
    expect((await find(cloud)).map(({ name }) => name)).toContain("GetCallerIdentity");
  });

  it("shows no secret of the credentials that STS gave", async () => {
    await using cloud = await startLocalCloud();
    await assume(cloud);
    const text = JSON.stringify(cloud.events());
    for (const secret of cloud.issuedSecrets()) expect(text).not.toContain(secret);
  });

  it("is CloudTrail's only operation here", async () => {
    await using cloud = await startLocalCloud();
    const command = new CancelQueryCommand({ QueryId: "12345678-1234-1234-1234-123456789012" });
    expect(await refusal(cloudtrail(cloud).send(command))).toMatchObject({ code: "UnknownOperationException", status: 400 });
  });
});
