// The account of the STS tests: one role for each way of trusting. Used by assume-role.test.ts and sts.test.ts.
import { AssumeRoleCommand, type AssumeRoleCommandInput, type AssumeRoleCommandOutput } from "@aws-sdk/client-sts";
import type { LocalCloud } from "../../src/localcloud/cloud.ts";
import { allowAll, type PolicyJson, type Seed, trusts } from "../../src/localcloud/seed.ts";
import { type Keys, sts } from "./clients.ts";

export const ACCOUNT = "123456789012";
export const DEV = `arn:aws:iam::${ACCOUNT}:user/dev`;
export const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const trust = (Action: string[], Condition?: PolicyJson, AWS = DEV): PolicyJson => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS }, Action, ...(Condition && { Condition }) }],
});
const ALL_THREE = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];

export const seed: Seed = {
  account: ACCOUNT,
  region: "us-east-1",
  users: [
    { name: "dev", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"], mfa: true },
    { name: "nobody" },
    {
      name: "denied",
      policies: { all: allowAll, no: { Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "sts:AssumeRole", Resource: "*" }] } },
    },
  ],
  roles: [
    { name: "plain", trust: trusts(DEV), policies: { all: allowAll }, tags: { team: "web", kept: "role" } },
    { name: "long", trust: trusts(DEV), maxSessionSeconds: 43_200, policies: { all: allowAll } },
    { name: "no-tags", trust: trust(["sts:AssumeRole", "sts:SetSourceIdentity"]) },
    { name: "no-source", trust: trust(["sts:AssumeRole", "sts:TagSession"]) },
    { name: "with-id", trust: trust(ALL_THREE, { StringEquals: { "sts:ExternalId": "right-id" } }) },
    { name: "with-mfa", trust: trust(ALL_THREE, { Bool: { "aws:MultiFactorAuthPresent": "true" } }) },
    { name: "with-tag", trust: trust(ALL_THREE, { StringEquals: { "aws:RequestTag/project": "web" } }) },
    { name: "account", trust: trusts(`arn:aws:iam::${ACCOUNT}:root`), policies: { all: allowAll } },
    { name: "next", trust: trusts(role("plain")), maxSessionSeconds: 43_200, policies: { all: allowAll } },
    { name: "next-no-source", trust: trust(["sts:AssumeRole", "sts:TagSession"], undefined, role("plain")) },
    { name: "next-no-tags", trust: trust(["sts:AssumeRole", "sts:SetSourceIdentity"], undefined, role("plain")) },
  ],
  buckets: { data: { one: "1" } },
  instances: [],
};

/** AssumeRole of the plain role, unless `input` says otherwise. */
export function askFor(cloud: LocalCloud, from: Keys, input: Partial<AssumeRoleCommandInput>): Promise<AssumeRoleCommandOutput> {
  return sts(cloud, from).send(new AssumeRoleCommand({ RoleArn: role("plain"), RoleSessionName: "sess_0a1b2c3d", ...input }));
}

export const notAuthorized = (who: string, action: string, what: string): string =>
  `User: ${who} is not authorized to perform: ${action} on resource: ${what}`;
