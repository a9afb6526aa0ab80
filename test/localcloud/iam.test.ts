// IAM of the local cloud through the official SDK: roles, their policies, boundaries, managed policies, the simulator.
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  ListAttachedRolePoliciesCommand,
  ListPoliciesCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { allowAll, trusts } from "../../src/localcloud/seed.ts";
import { assume, iam, refusal, s3, sharedCloud } from "./clients.ts";

const ACCOUNT = "123456789012";
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const TRUST = JSON.stringify(trusts(`arn:aws:iam::${ACCOUNT}:user/dev`));
const ALL = JSON.stringify(allowAll);

const cloud = await sharedCloud();
const client = iam(cloud);

describe("a role", () => {
  it("is made, read, tagged, trusted anew and deleted", async () => {
    const command = new CreateRoleCommand({
      RoleName: "made",
      AssumeRolePolicyDocument: TRUST,
      MaxSessionDuration: 7200,
      Description: "a <b> & c",
      Tags: [{ Key: "k", Value: "v" }],
    });
    const { Role: made } = await client.send(command);
    expect(made).toMatchObject({
      RoleName: "made",
      Path: "/",
      Arn: `arn:aws:iam::${ACCOUNT}:role/made`,
      MaxSessionDuration: 7200,
      Description: "a <b> & c",
    });
    expect(made?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    await client.send(new TagRoleCommand({ RoleName: "made", Tags: [{ Key: "x", Value: "y" }] }));
    const { Role: read } = await client.send(new GetRoleCommand({ RoleName: "made" }));
    expect(JSON.parse(decodeURIComponent(read?.AssumeRolePolicyDocument ?? ""))).toEqual(JSON.parse(TRUST));
    expect(read?.Tags).toEqual([
      { Key: "k", Value: "v" },
      { Key: "x", Value: "y" },
    ]);
    await expect(assume(cloud, { RoleArn: made?.Arn })).resolves.toBeDefined();
    const other = JSON.stringify(trusts(`arn:aws:iam::${ACCOUNT}:user/somebody`));
    await client.send(new UpdateAssumeRolePolicyCommand({ RoleName: "made", PolicyDocument: other }));
    expect((await refusal(assume(cloud, { RoleArn: made?.Arn }))).code).toBe("AccessDenied");
    expect(await refusal(client.send(new CreateRoleCommand({ RoleName: "made", AssumeRolePolicyDocument: TRUST })))).toEqual({
      code: "EntityAlreadyExists",
      status: 409,
      message: "Role with name made already exists.",
    });
    await client.send(new DeleteRoleCommand({ RoleName: "made" }));
    expect(await refusal(client.send(new GetRoleCommand({ RoleName: "made" })))).toEqual({
      code: "NoSuchEntity",
      status: 404,
      message: "The role with name made cannot be found.",
    });
  });

  it("that was just made cannot be assumed before it has propagated, and its sessions end with it", async () => {
    cloud.switches.apply({ propagationSeconds: 600 });
    const { Role: slow } = await client.send(new CreateRoleCommand({ RoleName: "slow", AssumeRolePolicyDocument: TRUST }));
    expect((await refusal(assume(cloud, { RoleArn: slow?.Arn }))).code).toBe("AccessDenied");
    cloud.switches.apply({ propagationSeconds: 0 });
    const { Role: quick } = await client.send(new CreateRoleCommand({ RoleName: "quick", AssumeRolePolicyDocument: TRUST }));
    await client.send(new PutRolePolicyCommand({ RoleName: "quick", PolicyName: "all", PolicyDocument: ALL }));
    const keys = await assume(cloud, { RoleArn: quick?.Arn });
    await expect(s3(cloud, keys).send(new ListBucketsCommand({}))).resolves.toBeDefined();
    await client.send(new DeleteRolePolicyCommand({ RoleName: "quick", PolicyName: "all" }));
    await client.send(new DeleteRoleCommand({ RoleName: "quick" }));
    expect((await refusal(s3(cloud, keys).send(new ListBucketsCommand({})))).code).toBe("AccessDenied");
  });

  it.each([
    ["is not JSON", "{", "MalformedPolicyDocument"],
    ["has no principal", ALL, "MalformedPolicyDocument"],
  ])("needs a trust policy, not one that %s", async (_title, AssumeRolePolicyDocument, code) => {
    expect(await refusal(client.send(new CreateRoleCommand({ RoleName: "bad", AssumeRolePolicyDocument })))).toMatchObject({
      code,
      status: 400,
    });
  });

  it("is listed with others, page by page", async () => {
    for (const name of ["list-1", "list-2", "list-3"]) {
      await client.send(new CreateRoleCommand({ RoleName: name, Path: "/listed/", AssumeRolePolicyDocument: TRUST }));
    }
    const first = await client.send(new ListRolesCommand({ PathPrefix: "/listed/", MaxItems: 2 }));
    expect([first.Roles?.map((role) => role.RoleName), first.IsTruncated]).toEqual([["list-1", "list-2"], true]);
    const second = await client.send(new ListRolesCommand({ PathPrefix: "/listed/", MaxItems: 2, Marker: first.Marker }));
    expect([second.Roles?.map((role) => role.RoleName), second.IsTruncated]).toEqual([["list-3"], false]);
  });
});

describe("a role's policies", () => {
  const RoleName = "agent-demo";

  it("are put, read back letter by letter, listed and deleted", async () => {
    const PolicyDocument = `{ "Version": "2012-10-17",\n "Statement": [] }`.replace(
      "[]",
      '[{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"%20+ü"}}}]',
    );
    await client.send(new PutRolePolicyCommand({ RoleName, PolicyName: "mine", PolicyDocument }));
    const found = await client.send(new GetRolePolicyCommand({ RoleName, PolicyName: "mine" }));
    expect(decodeURIComponent(found.PolicyDocument ?? "")).toBe(PolicyDocument);
    expect((await client.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(["mine", "team-access"]);
    await client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "mine" }));
    const gone = { code: "NoSuchEntity", status: 404, message: "The role policy with name mine cannot be found." };
    expect(await refusal(client.send(new GetRolePolicyCommand({ RoleName, PolicyName: "mine" })))).toEqual(gone);
    expect(await refusal(client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "mine" })))).toEqual(gone);
  });

  it("are refused when malformed, and when more than 10,240 characters together", async () => {
    expect(
      (
        await refusal(
          client.send(
            new PutRolePolicyCommand({
              RoleName,
              PolicyName: "bad",
              PolicyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}',
            }),
          ),
        )
      ).code,
    ).toBe("MalformedPolicyDocument");
    const large = (size: number): string =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Action: "s3:GetObject", Resource: `arn:aws:s3:::${"x".repeat(size)}` }],
      });
    await client.send(new PutRolePolicyCommand({ RoleName, PolicyName: "large", PolicyDocument: large(9000) }));
    expect(
      await refusal(client.send(new PutRolePolicyCommand({ RoleName, PolicyName: "second", PolicyDocument: large(1500) }))),
    ).toMatchObject({
      code: "LimitExceeded",
      status: 409,
      message: "Maximum policy size of 10240 bytes exceeded for role agent-demo",
    });
    await client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "large" }));
  });

  it("are attached and detached, and keep the role from being deleted", async () => {
    await client.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    expect((await client.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies).toEqual([
      { PolicyName: "ReadOnlyAccess", PolicyArn: READ_ONLY },
    ]);
    expect(await refusal(client.send(new DeleteRoleCommand({ RoleName })))).toMatchObject({ code: "DeleteConflict", status: 409 });
    await client.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    expect((await client.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies ?? []).toEqual([]);
    expect(
      (await refusal(client.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: "arn:aws:iam::aws:policy/Ghost" })))).message,
    ).toBe("Policy arn:aws:iam::aws:policy/Ghost does not exist or is not attachable.");
  });

  it("may be bounded and unbounded", async () => {
    await client.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: READ_ONLY }));
    expect((await client.send(new GetRoleCommand({ RoleName }))).Role?.PermissionsBoundary).toEqual({
      PermissionsBoundaryType: "Policy",
      PermissionsBoundaryArn: READ_ONLY,
    });
    await client.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
    expect((await client.send(new GetRoleCommand({ RoleName }))).Role?.PermissionsBoundary).toBeUndefined();
  });
});

describe("managed policies and users", () => {
  it("are made, read in their one version, listed by scope, and deleted when nobody has them", async () => {
    const { Policy } = await client.send(new CreatePolicyCommand({ PolicyName: "own", PolicyDocument: ALL, Description: "mine" }));
    const PolicyArn = `arn:aws:iam::${ACCOUNT}:policy/own`;
    expect(Policy).toMatchObject({ Arn: PolicyArn, DefaultVersionId: "v1", AttachmentCount: 0, IsAttachable: true });
    const version = await client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    expect(decodeURIComponent(version.PolicyVersion?.Document ?? "")).toBe(ALL);
    expect((await client.send(new ListPoliciesCommand({ Scope: "Local" }))).Policies?.map((policy) => policy.Arn)).toEqual([PolicyArn]);
    expect((await client.send(new ListPoliciesCommand({ Scope: "AWS" }))).Policies?.map((policy) => policy.PolicyName)).toContain(
      "AdministratorAccess",
    );
    await client.send(new AttachRolePolicyCommand({ RoleName: "agent-demo", PolicyArn }));
    expect((await client.send(new GetPolicyCommand({ PolicyArn }))).Policy?.AttachmentCount).toBe(1);
    expect((await refusal(client.send(new DeletePolicyCommand({ PolicyArn })))).code).toBe("DeleteConflict");
    await client.send(new DetachRolePolicyCommand({ RoleName: "agent-demo", PolicyArn }));
    await client.send(new DeletePolicyCommand({ PolicyArn }));
    expect((await refusal(client.send(new GetPolicyCommand({ PolicyArn })))).message).toBe(`Policy ${PolicyArn} was not found.`);
  });

  it("give the caller when GetUser names none, but not to a role session", async () => {
    expect((await client.send(new GetUserCommand({}))).User?.Arn).toBe(`arn:aws:iam::${ACCOUNT}:user/dev`);
    expect(await refusal(iam(cloud, await assume(cloud)).send(new GetUserCommand({})))).toMatchObject({
      code: "ValidationError",
      message: "Must specify userName when calling with non-User credentials",
    });
    expect((await refusal(client.send(new GetUserCommand({ UserName: "ghost" })))).message).toBe(
      "The user with name ghost cannot be found.",
    );
  });
});
