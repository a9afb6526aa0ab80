// The plan of a role's set-up: pure parts. What it does to an account is in test/end-to-end/setup.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { desiredRole, type RoleRequest } from "../../src/aws/setup/desired.ts";
import { lineDiff } from "../../src/aws/setup/diff.ts";
import { externalIdOf, requirePrincipal } from "../../src/aws/setup/principal.ts";
import { planRemoval, planSetup, sameJson } from "../../src/aws/setup/steps.ts";
import { shellScript, terraform } from "../../src/aws/setup/templates.ts";
import { AgentRunError } from "../../src/core/error.ts";

/** A variable in a policy: ours in upper case, IAM's with a colon. */
const hole = (name: string): string => `\${${name}}`;
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${hole("BUCKET")}/${hole("aws:username")}` },
});
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { AWS: hole("PRINCIPAL_ARN") },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "sts:ExternalId": hole("EXTERNAL_ID") } },
  },
});

const request: RoleRequest = {
  profile: "own",
  account: "123456789012",
  partition: "aws",
  name: "agent-own",
  principal: "arn:aws:iam::123456789012:user/dev",
  externalId: "e-1",
  mfa: false,
  region: undefined,
  maxTtlMs: 1000,
  trust: { file: "trust-policy.json", text: TRUST },
  policy: { file: "role-policy.json", text: POLICY },
  boundary: { file: "boundary.json", text: POLICY },
  values: { BUCKET: "mine" },
};

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof AgentRunError ? `${error.code}: ${error.message} / ${error.hint}` : String(error);
  }
  return "nothing was thrown";
};

describe("the role that a profile wants", () => {
  it("has its placeholders filled and IAM's own variables left", () => {
    expect(desiredRole(request).policy.text).toContain(`arn:aws:s3:::mine/${hole("aws:username")}`);
  });

  it("is refused with an unfilled placeholder, naming file and flag", () => {
    expect(code(() => desiredRole({ ...request, values: {} }))).toMatch(/^profile: role-policy.json: .*\$\{BUCKET\} .*--set BUCKET=/);
  });

  it("cannot be given a policy's text through a value", () => {
    const evil = desiredRole({ ...request, values: { BUCKET: '*"},{"Effect":"Allow","Action":"*","Resource":"*' } });
    expect(JSON.parse(evil.policy.text).Statement.Action).toBe("s3:GetObject");
  });

  it("keeps within IAM's limits: session length, size of a policy", () => {
    expect(desiredRole(request).maxSessionSeconds).toBe(3600);
    expect(desiredRole({ ...request, maxTtlMs: 1e9 }).maxSessionSeconds).toBe(43_200);
    const long = { file: "role-policy.json", text: POLICY.replace(hole("BUCKET"), "b".repeat(6200)) };
    expect(code(() => desiredRole({ ...request, policy: long }))).toContain("IAM takes 6144");
  });
});

describe("the trust policy of a profile that wants MFA", () => {
  it("asks for it beside all that its template asks for", () => {
    const { Statement } = JSON.parse(desiredRole({ ...request, mfa: true }).trust);
    expect(Statement).toMatchObject([
      {
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": "e-1" }, Bool: { "aws:MultiFactorAuthPresent": "true" } },
      },
    ]);
    expect(desiredRole(request).trust).not.toContain("MultiFactor");
  });

  it("asks for it in each statement that lets anybody assume the role, and in no other", () => {
    const statement = (more: object) => ({ Effect: "Allow", Principal: { AWS: hole("PRINCIPAL_ARN") }, ...more });
    const text = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        statement({ Action: ["sts:TagSession", "STS:assumerole"], Condition: { Bool: { "aws:SecureTransport": "true" } } }),
        statement({ Action: "sts:*" }),
        statement({ Action: "sts:TagSession" }),
        statement({ Effect: "Deny", Action: "sts:AssumeRole" }),
      ],
    });
    const { Statement } = JSON.parse(desiredRole({ ...request, mfa: true, trust: { file: "trust-policy.json", text } }).trust);
    const mfa = { "aws:MultiFactorAuthPresent": "true" };
    expect(Statement.map(({ Condition }: { Condition?: object }) => Condition)).toEqual([
      { Bool: { "aws:SecureTransport": "true", ...mfa } },
      { Bool: mfa },
      undefined,
      undefined,
    ]);
  });
});

describe("a set-up's plan", () => {
  it("makes the boundary first and attaches the permissions last", () => {
    const { steps } = planSetup(desiredRole(request), { role: undefined, policy: undefined, boundary: undefined }, false);
    expect(steps.map(({ operation }) => operation)).toEqual(["CreatePolicy", "CreatePolicy", "CreateRole", "AttachRolePolicy"]);
    expect(steps[0]?.input["PolicyName"]).toBe("agent-own-boundary");
    expect(steps[2]?.input["PermissionsBoundary"]).toBe("arn:aws:iam::123456789012:policy/agent-own-boundary");
  });

  it("to remove takes nothing away where there is nothing", () => {
    expect(planRemoval(desiredRole(request), { role: undefined, policy: undefined, boundary: undefined }).steps).toEqual([]);
  });

  it("knows a policy again that says the same in another order", () => {
    expect(sameJson('{"a":["x"],"b":1}', '{"b":1,"a":"x"}')).toBe(true);
    expect(sameJson('{"a":["x","y"]}', '{"a":["y","x"]}')).toBe(false);
  });
});

describe("templates", () => {
  it("quote what their languages would read as their own", () => {
    expect(terraform(desiredRole(request))).toContain(`$${hole("aws:username")}`);
    const step = { operation: "TagRole", input: { Value: "it's" }, summary: "tag", diff: [] };
    expect(shellScript([step])).toContain("aws iam tag-role --cli-input-json '{\"Value\":\"it'\\''s\"}'");
  });
});

describe("who a role trusts", () => {
  it("is one user, role or account", () => {
    expect(requirePrincipal("arn:aws:iam::123456789012:role/a/b")).toBe("arn:aws:iam::123456789012:role/a/b");
    for (const bad of ["*", "arn:aws:iam::123456789012:user/*", "123456789012", "arn:aws:sts::123456789012:assumed-role/a/b"]) {
      expect(code(() => requirePrincipal(bad))).toMatch(/^usage: /);
    }
  });

  it("is asked for the external id that the trust policy has", () => {
    expect(externalIdOf(desiredRole(request).trust)).toBe("e-1");
    expect(externalIdOf("{}")).toBeUndefined();
  });
});

describe("a difference by lines", () => {
  it("has all that was removed and added, and leaves out only what is the same", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = lineDiff(before, after);
        const count = (list: readonly string[], text: string): number => list.filter((line) => line === text).length;
        for (const letter of ["a", "b", "c", "d"]) {
          expect(count(diff, `+ ${letter}`) - count(diff, `- ${letter}`)).toBe(count(after, letter) - count(before, letter));
        }
      }),
    );
    const alphabet = [..."abcdefgh"];
    expect(lineDiff(alphabet, [..."abcdefgX"])).toEqual(["  …", "  f", "  g", "- h", "+ X"]);
  });
});
