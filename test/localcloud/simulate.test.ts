// IAM's policy simulator, and what answers a question that nothing here can answer.
import { SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { codeOf, iam, raw, refusal, sharedCloud, signed, sts } from "./clients.ts";

const cloud = await sharedCloud();
const client = iam(cloud);

describe("SimulatePrincipalPolicy", () => {
  it("decides by the role's own policies, names the statement's policy, and knows only the context that it is given", async () => {
    const PolicySourceArn = cloud.roleArn();
    const answer = await client.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn,
        ActionNames: ["s3:DeleteObject", "iam:PutRolePolicy", "ec2:TerminateInstances"],
      }),
    );
    expect(answer.EvaluationResults?.map((result) => [result.EvalActionName, result.EvalDecision])).toEqual([
      ["s3:DeleteObject", "allowed"],
      ["iam:PutRolePolicy", "implicitDeny"],
      ["ec2:TerminateInstances", "allowed"],
    ]);
    expect(answer.EvaluationResults?.[0]?.MatchedStatements?.[0]?.SourcePolicyId).toBe("role_agent-demo_team-access");
    const deny = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: "s3:Delete*", Resource: "*", Condition: { StringEquals: { "aws:PrincipalTag/a": "b" } } }],
    };
    const simulate = (values: string[]) =>
      client.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn,
          ActionNames: ["s3:DeleteObject"],
          ResourceArns: ["arn:aws:s3:::data/k", "arn:aws:s3:::data/l"],
          PolicyInputList: [JSON.stringify(deny)],
          ContextEntries:
            values.length > 0 ? [{ ContextKeyName: "aws:PrincipalTag/a", ContextKeyType: "string", ContextKeyValues: values }] : [],
        }),
      );
    expect((await simulate(["b"])).EvaluationResults?.map((result) => result.EvalDecision)).toEqual(["explicitDeny", "explicitDeny"]);
    expect((await simulate([])).EvaluationResults?.map((result) => result.EvalDecision)).toEqual(["allowed", "allowed"]);
  });

  it("says what a boundary adds, and refuses an entity that is not there", async () => {
    const PermissionsBoundaryPolicyInputList = [
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:Get*", Resource: "*" }] }),
    ];
    const answer = await client.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: cloud.roleArn(),
        ActionNames: ["s3:GetObject", "s3:PutObject"],
        PermissionsBoundaryPolicyInputList,
      }),
    );
    expect(
      answer.EvaluationResults?.map((result) => [
        result.EvalDecision,
        result.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
      ]),
    ).toEqual([
      ["allowed", true],
      ["implicitDeny", false],
    ]);
    expect(
      (
        await refusal(
          client.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: cloud.roleArn("ghost"), ActionNames: ["s3:GetObject"] })),
        )
      ).code,
    ).toBe("NoSuchEntity");
  });
});

describe("an action that is not there", () => {
  it("gets InvalidAction of the query protocol", async () => {
    const client2 = sts(cloud);
    client2.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace("GetCallerIdentity", "GetCoffeeAndCakes");
        return next(args);
      },
      { step: "build" },
    );
    expect(await refusal(client2.send(new GetCallerIdentityCommand({})))).toEqual({
      code: "InvalidAction",
      status: 400,
      message: "Could not find operation GetCoffeeAndCakes for version 2011-06-15",
    });
  });

  it("in a service that is not there too", async () => {
    const other = sts(cloud);
    const scheme = { name: "sigv4", signingName: "sqs", signingRegion: "us-east-1", properties: {} };
    const caught = await signed(other, new GetCallerIdentityCommand({}));
    const signer = (await other.config.signer(scheme as never)) as unknown as {
      sign(parts: object, options: object): Promise<{ headers: Record<string, string> }>;
    };
    const { authorization: _old, ...headers } = caught.headers;
    const parts = { ...caught, headers };
    const again = await signer.sign(parts, { signingService: "sqs", signingRegion: "us-east-1" });
    const answer = await raw(cloud, "POST", "/", again.headers, String(caught.body));
    expect([answer.status, codeOf(answer)]).toEqual([400, "InvalidAction"]);
  });
});
