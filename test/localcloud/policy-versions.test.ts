// Versions of managed policies in the local cloud, and what else a role's set-up changes, through the official SDK.
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  GetPolicyCommand,
  GetRoleCommand,
  ListPolicyVersionsCommand,
  SetDefaultPolicyVersionCommand,
  TagPolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { allowAll } from "../../src/localcloud/seed.ts";
import { assume, iam, refusal, s3, sharedCloud } from "./clients.ts";

const ALL = JSON.stringify(allowAll);
const NO_S3 = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "s3:*", Resource: "*" }] });

const cloud = await sharedCloud();
const client = iam(cloud);

describe("versions of a managed policy", () => {
  it("take effect for who has it attached, when they are made the default and not before", async () => {
    const { Policy } = await client.send(new CreatePolicyCommand({ PolicyName: "turns", PolicyDocument: ALL }));
    const PolicyArn = Policy?.Arn ?? "";
    await client.send(new AttachRolePolicyCommand({ RoleName: "agent-demo", PolicyArn }));
    const session = s3(cloud, await assume(cloud));
    await client.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: NO_S3 }));
    await session.send(new ListBucketsCommand({}));
    await client.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
    expect((await refusal(session.send(new ListBucketsCommand({})))).code).toBe("AccessDenied");
    expect((await client.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId).toBe("v2");
  });

  it("are five at most, keep their numbers, and go before the policy does", async () => {
    const { Policy } = await client.send(new CreatePolicyCommand({ PolicyName: "many", PolicyDocument: ALL }));
    const PolicyArn = Policy?.Arn ?? "";
    const add = () => client.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: ALL, SetAsDefault: true }));
    for (let count = 2; count <= 5; count += 1) await add();
    expect((await refusal(add())).code).toBe("LimitExceeded");
    expect((await refusal(client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v5" })))).code).toBe("DeleteConflict");
    await client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    await add();
    const { Versions } = await client.send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(["v6", "v5", "v4", "v3", "v2"]);
    expect((await refusal(client.send(new DeletePolicyCommand({ PolicyArn })))).code).toBe("DeleteConflict");
    for (const VersionId of ["v2", "v3", "v4", "v5"]) await client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
    await client.send(new DeletePolicyCommand({ PolicyArn }));
  });

  it("leave the policy's tags alone", async () => {
    const Tags = [{ Key: "Purpose", Value: "ai-agent" }];
    const { Policy } = await client.send(new CreatePolicyCommand({ PolicyName: "tagged", PolicyDocument: ALL, Tags }));
    const PolicyArn = Policy?.Arn ?? "";
    await client.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: "team", Value: "blue" }] }));
    expect((await client.send(new GetPolicyCommand({ PolicyArn }))).Policy?.Tags).toEqual([...Tags, { Key: "team", Value: "blue" }]);
  });
});

describe("a role", () => {
  it("takes another session length and description, within IAM's limits", async () => {
    const update = (MaxSessionDuration: number) =>
      client.send(new UpdateRoleCommand({ RoleName: "agent-demo", MaxSessionDuration, Description: "new" }));
    await update(7200);
    const { Role } = await client.send(new GetRoleCommand({ RoleName: "agent-demo" }));
    expect(Role).toMatchObject({ MaxSessionDuration: 7200, Description: "new" });
    expect((await refusal(update(50_000))).code).toBe("ValidationError");
  });
});
