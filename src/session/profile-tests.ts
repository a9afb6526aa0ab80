// What must be true of a profile: its tests.toml, the requests that they stand for, and the policies that decide. Called by `agent-run policy test`.
import { basename, join } from "node:path";
import * as z from "zod/mini";
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { Paths } from "../core/paths.ts";
import { destructiveAllowed } from "../policy/destructive.ts";
import { evaluate } from "../policy/evaluate.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { Decision, PolicyDocument, PolicyRequest, PolicySet, RequestContext } from "../policy/types.ts";
import { loadProfile } from "./profile.ts";
import { type ProfileDocument, readProfileDocuments } from "./profile-documents.ts";
import { readTomlFile } from "./toml-file.ts";

const expectation = z.strictObject({
  name: z.optional(z.string()),
  expect: z.enum(["allowed", "denied"]),
  action: z.string().check(z.regex(/^[a-z0-9-]+:\w+$/i, "must be an action such as s3:GetObject")),
  resource: z.optional(z.string()),
  context: z.optional(z.record(z.string(), z.union([z.string(), z.array(z.string())]))),
});

export const testsFile = z.strictObject({ test: z.optional(z.array(expectation)) });

export type Expectation = z.infer<typeof expectation>;

/** The account that tests are written in. */
export const TEST_ACCOUNT = "123456789012";
const SESSION = "sess_00000000";

export interface ProfileTests {
  readonly name: string;
  readonly role: string | undefined;
  readonly policies: PolicySet;
  readonly accepts: readonly string[];
  readonly expectations: readonly Expectation[];
}

/**
 * Reads a profile's policies and expectations. Without a role policy the role is taken to allow everything, so that the session policy alone decides.
 * @throws AgentRunError `profile` or `policy`, naming file, line and setting
 */
export function readProfileTests(name: string, paths: Paths, packageFolder: string): ProfileTests {
  const profile = loadProfile(paths, packageFolder, { profile: name });
  const { folder, accepts, documents } = readProfileDocuments(name, paths, packageFolder);
  const file = join(folder, "tests.toml");
  const of = (kind: ProfileDocument["kind"]): PolicyDocument[] =>
    documents.filter((document) => document.kind === kind).map((document) => parsePolicy(document.text, document.file));
  const [identity, boundary] = [of("identity"), of("boundary")];
  return {
    name,
    role: profile.role,
    accepts,
    policies: {
      identity: documents.some((document) => basename(document.file) === "role-policy.json") ? identity : [anything, ...identity],
      boundary: boundary.length > 0 ? boundary : undefined,
      session: [profile.sessionPolicy.document],
    },
    expectations: readTomlFile(file, testsFile, "profile")?.test ?? [],
  };
}

const anything = parsePolicy(
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
  "a role without a policy here",
);

/** A session's ARN under a role's name. */
export const sessionArn = (account: string, role: string): string => `arn:aws:sts::${account}:assumed-role/${role}/${SESSION}`;

/** What every request of a session tells: its tags, its identity, the time. */
export function sessionContext(account: string, role: string, now: Instant): RequestContext {
  return {
    "aws:PrincipalTag/agent-actor": "agent",
    "aws:PrincipalTag/agent-session": SESSION,
    "aws:PrincipalTag/developer": "developer",
    "aws:PrincipalTag/project": "project",
    "aws:SourceIdentity": "developer",
    "aws:PrincipalArn": `arn:aws:iam::${account}:role/${role}`,
    "aws:PrincipalAccount": account,
    "aws:PrincipalType": "AssumedRole",
    "aws:userid": `AROAEXAMPLE:${SESSION}`,
    "aws:CurrentTime": `${new Date(now).toISOString().slice(0, 19)}Z`,
    "aws:EpochTime": String(Math.floor(now / 1000)),
    "aws:SecureTransport": "true",
    "aws:ViaAWSService": "false",
    "aws:RequestedRegion": "us-east-1",
  };
}

/** The request that an expectation stands for, in the account that is asked. */
export function requestOf({ action, resource = "*", context }: Expectation, account: string, role: string, now: Instant): PolicyRequest {
  return {
    principal: sessionArn(account, role),
    action,
    resource: resource.replaceAll(TEST_ACCOUNT, account),
    context: { ...sessionContext(account, role, now), ...context },
  };
}

export interface TestResult {
  readonly title: string;
  readonly expected: "allowed" | "denied";
  readonly decision: Decision;
  readonly passed: boolean;
}

/** Decides every expectation offline. */
export function runExpectations({ name, policies, expectations }: ProfileTests, now: Instant): TestResult[] {
  return expectations.map((test) => {
    const decision = evaluate(requestOf(test, TEST_ACCOUNT, name, now), policies);
    return {
      title: titleOf(test),
      expected: test.expect,
      decision,
      passed: (decision.outcome === "allowed") === (test.expect === "allowed"),
    };
  });
}

export function titleOf({ name, action, resource = "*" }: Expectation): string {
  return name ?? `${action} on ${resource}`;
}

/**
 * The destructive catalogue against the profile, in the worst case.
 * @returns what is allowed and not accepted, and what is accepted and not allowed
 */
export function runCatalogue({ name, policies, accepts }: ProfileTests): { readonly open: string[]; readonly idle: string[] } {
  const allowed = new Set(destructiveAllowed(policies, sessionArn(TEST_ACCOUNT, name)).map(({ action }) => action));
  return { open: [...allowed].filter((action) => !accepts.includes(action)), idle: accepts.filter((action) => !allowed.has(action)) };
}

/** A profile without tests proves nothing. Throws AgentRunError `profile`. */
export function requireExpectations({ name, expectations }: ProfileTests, folder: string): void {
  if (expectations.length > 0) return;
  throw new AgentRunError("profile", `profile '${name}' has no tests`, {
    hint: `write some into ${join(folder, "tests.toml")}`,
    exitStatus: 1,
  });
}
