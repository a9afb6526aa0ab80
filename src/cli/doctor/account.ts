// What doctor finds out about AWS: who the base is, whether the role can be assumed as a run does it, and if not, which part is refused. Called by doctor.ts.
import { type AssumeRequest, assumeRole } from "../../aws/assume.ts";
import { agentFor, iamClient, stsClient, stsEndpoint } from "../../aws/client.ts";
import type { SessionCredentials } from "../../aws/credentials.ts";
import { type CallerIdentity, callerIdentity, confirmIdentity, isRoleSession, parseRoleArn, requireAccount } from "../../aws/identity.ts";
import { checkRestriction } from "../../aws/restriction.ts";
import { findRole } from "../../aws/setup/found.ts";
import { formatSpan } from "../../core/duration.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { newSessionId } from "../../core/id.ts";
import { noRegion } from "../../session/no-region.ts";
import type { Profile } from "../../session/profile.ts";
import { requireStage } from "../../session/stage.ts";
import { type BaseIdentity, openBase } from "../base.ts";
import { baseOf } from "../base-of.ts";
import type { Context } from "../command.ts";
import { type Check, failing, ok, unknown, warning } from "./check.ts";
import { grantChecks } from "./grant.ts";

/** STS refuses requests that are further than this from its own time (IAM user guide, "Signature Version 4"). */
const MOST_SKEW_MS = 5 * 60_000;
const WORTH_SAYING_MS = 30_000;
const CHAINED_LIMIT_MS = 3_600_000;
const SHORTEST_S = 900;
const CLOCK_LIMIT_MS = 5000;

export async function accountChecks(context: Context, profile: Profile, awsProfile: string | undefined): Promise<Check[]> {
  let base: BaseIdentity;
  try {
    base = await openBase(context, baseOf(profile, awsProfile));
  } catch (error) {
    return [thrown("base identity", error)];
  }
  const checks = [ok("base identity", `${base.identity.arn} (${base.source})`), await clock(base), regionCheck(profile, base.region)];
  const { identity } = base;
  if (profile.grant !== "assume-role") return [...checks, accountOf(profile, identity), ...(await grantChecks(profile, base))];
  if (profile.role === undefined) {
    return [...checks, failing("role", `profile '${profile.name}' names no role`, `agent-run setup ${profile.name}`)];
  }
  const partition = identity.arn.split(":")[1] ?? "aws";
  const roleArn = profile.role.startsWith("arn:") ? profile.role : `arn:${partition}:iam::${identity.account}:role/${profile.role}`;
  checks.push(accountOf(profile, { ...identity, account: parseRoleArn(roleArn, "role").account }));
  return [...checks, ...(await roleChecks(profile, base, roleArn)), ...(await session(profile, base, roleArn))];
}

/** The session's, as a run finds it. */
function regionCheck({ name }: Profile, region: string | undefined): Check {
  return region === undefined
    ? warning("region", noRegion(name), `set region under [profiles.${name}] in config.toml, or AWS_REGION`)
    : ok("region", region);
}

/** By the same rules as a run, of the account that the session is in: the profile's own accounts, and the stages of config.toml. */
function accountOf(profile: Profile, identity: CallerIdentity): Check {
  try {
    requireAccount(identity, profile.accounts);
    requireStage(identity.account, profile);
    return ok("account", `${identity.account} is one that profile '${profile.name}' is for`);
  } catch (error) {
    return thrown("account", error);
  }
}

const thrown = (name: string, error: unknown): Check =>
  failing(name, messageOf(error), (error instanceof AgentRunError ? error.hint : undefined) ?? "agent-run --dry-run true shows more");

/** Compared with the `Date` that STS's endpoint answers with, which needs no credentials. */
async function clock({ connection }: BaseIdentity): Promise<Check> {
  const url = new URL(stsEndpoint(connection));
  const { request } = url.protocol === "http:" ? await import("node:http") : await import("node:https");
  const agent = agentFor(url, connection.env ?? {});
  const date = await new Promise<string | undefined>((resolve) => {
    const asked = request(url, { method: "GET", agent, timeout: CLOCK_LIMIT_MS }, (answer) => {
      answer.resume();
      resolve(answer.headers.date);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs))
    return unknown("clock", `${url.host} says no time to compare with`, "sudo timedatectl set-ntp true keeps it right");
  const skew = Math.abs(Date.now() - theirs);
  const mend = "set the clock: sudo timedatectl set-ntp true";
  if (skew > MOST_SKEW_MS)
    return failing("clock", `${formatSpan(skew)} from AWS's, which refuses calls that are 5 min off, some services 15 min`, mend);
  return skew > WORTH_SAYING_MS ? warning("clock", `${formatSpan(skew)} from AWS's`, mend) : ok("clock", "agrees with AWS's");
}

async function roleChecks(profile: Profile, base: BaseIdentity, roleArn: string): Promise<Check[]> {
  const checks: Check[] = [];
  const role = parseRoleArn(roleArn, "role");
  if (role.path.startsWith("/aws-reserved/sso.amazonaws.com/")) {
    checks.push(
      warning(
        "may revoke",
        "a role of IAM Identity Center cannot be edited: a kill cuts local access, keys live until they expire",
        `use a role of your own: agent-run setup ${profile.name}`,
      ),
    );
  } else checks.push(await mayRevoke(base, roleArn));
  const chained = isRoleSession(base.identity.arn);
  if (chained && profile.ttlMs > CHAINED_LIMIT_MS)
    checks.push(
      warning(
        "chaining",
        "your base is itself a role session, so AWS gives 1 h at most; longer sessions live by refresh",
        "keep ttl at 1h, or use an IAM user as the base",
      ),
    );
  const found = await findRole(await iamClient(base.connection, base.credentials), role.name).catch(() => undefined);
  if (!found)
    return [...checks, unknown("role duration", `${roleArn} cannot be read`, "allow iam:GetRole to your identity to have it checked")];
  const longest = found.maxSessionSeconds * 1000;
  checks.push(
    profile.ttlMs > longest && !chained
      ? warning(
          "role duration",
          `${formatSpan(longest)} at most, the profile's ttl is ${formatSpan(profile.ttlMs)}: sessions live by refresh`,
          `agent-run setup ${profile.name} raises it`,
        )
      : ok("role duration", `${formatSpan(longest)} at most`),
  );
  return checks;
}

/** Asked of IAM's simulator: to try it would change the role. */
async function mayRevoke(base: BaseIdentity, roleArn: string): Promise<Check> {
  const name = "may revoke";
  const { SimulatePrincipalPolicyCommand } = await import("@aws-sdk/client-iam");
  const iam = await iamClient(base.connection, base.credentials);
  try {
    const source = isRoleSession(base.identity.arn) ? (await findRole(iam, base.identity.arn.split("/")[1] ?? ""))?.arn : base.identity.arn;
    const actions = ["iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies"];
    const answer = await iam.send(
      new SimulatePrincipalPolicyCommand({ PolicySourceArn: source, ActionNames: actions, ResourceArns: [roleArn] }),
    );
    const refused = (answer.EvaluationResults ?? [])
      .filter(({ EvalDecision }) => EvalDecision !== "allowed")
      .map(({ EvalActionName }) => EvalActionName);
    return refused.length === 0
      ? ok(name, `a kill can deny this session of ${roleArn} in IAM`)
      : warning(
          name,
          `${refused.join(", ")} on ${roleArn} is not allowed to you: a kill cuts local access, keys live until they expire`,
          "ask an administrator for it, or see agent-run kill --help",
        );
  } catch (error) {
    return unknown(
      name,
      `iam:SimulatePrincipalPolicy did not tell: ${messageOf(error)}`,
      "allow iam:SimulatePrincipalPolicy on yourself to have it checked",
    );
  }
}

/** A session as a run opens it, for the shortest time, used for nothing but the gate. */
async function session(profile: Profile, base: BaseIdentity, roleArn: string): Promise<Check[]> {
  const sessionName = newSessionId();
  const sts = await stsClient(base.connection, base.credentials);
  const bare: AssumeRequest = {
    roleArn,
    sessionName,
    sessionPolicy: profile.sessionPolicy.text,
    sessionPolicyArns: profile.sessionPolicyArns,
    externalId: profile.externalId,
    durationSeconds: SHORTEST_S,
    callerArn: base.identity.arn,
  };
  if (profile.mfaSerial !== undefined)
    return [unknown("may assume", "the profile wants an MFA code, which doctor does not ask for", "agent-run --dry-run true")];
  const tags = { "agent-actor": "doctor", "agent-session": sessionName };
  const sourceIdentity = "agent-run-doctor";
  const whole = await attempt(() => assumeRole(sts, { ...bare, tags, sourceIdentity }));
  if (whole.done) {
    const gate = await confirmed(whole.credentials, roleArn, sessionName, base, profile);
    wipe(whole.credentials);
    return [ok("may assume", roleArn), ok("may tag", "sts:TagSession"), ok("may set source identity", "sts:SetSourceIdentity"), ...gate];
  }
  const plain = await attempt(() => assumeRole(sts, bare));
  if (!plain.done) return [thrown("may assume", plain.error)];
  wipe(plain.credentials);
  const part = async (name: string, action: string, more: Partial<AssumeRequest>): Promise<Check> => {
    const tried = await attempt(() => assumeRole(sts, { ...bare, ...more }));
    if (tried.done) {
      wipe(tried.credentials);
      return ok(name, action);
    }
    return failing(
      name,
      `${action} is refused: ${messageOf(tried.error)}`,
      `the trust policy of ${roleArn} must allow ${action} to ${base.identity.arn}: agent-run setup ${profile.name}`,
    );
  };
  return [
    ok("may assume", roleArn),
    await part("may tag", "sts:TagSession", { tags }),
    await part("may set source identity", "sts:SetSourceIdentity", { sourceIdentity }),
  ];
}

type Attempt = { readonly done: true; readonly credentials: SessionCredentials } | { readonly done: false; readonly error: unknown };

async function attempt(run: () => Promise<{ credentials: SessionCredentials }>): Promise<Attempt> {
  try {
    return { done: true, credentials: (await run()).credentials };
  } catch (error) {
    return { done: false, error };
  }
}

function wipe(credentials: SessionCredentials): void {
  credentials.secretAccessKey.wipe();
  credentials.sessionToken.wipe();
}

async function confirmed(
  credentials: SessionCredentials,
  roleArn: string,
  sessionName: string,
  base: BaseIdentity,
  profile: Profile,
): Promise<Check[]> {
  const { account } = parseRoleArn(roleArn, "role");
  try {
    const identity = await callerIdentity(await stsClient(base.connection, credentials));
    confirmIdentity(identity, { roleArn, sessionName, account });
  } catch (error) {
    return [thrown("identity gate", error)];
  }
  const restriction = await checkRestriction({
    roleArn,
    principal: `arn:aws:sts::${account}:assumed-role/${parseRoleArn(roleArn, "role").name}/${sessionName}`,
    sessionPolicy: profile.sessionPolicy.document,
    iam: () => iamClient(base.connection, base.credentials),
  });
  const name = "restriction";
  const found = !restriction.verified
    ? unknown(name, `not verified: ${restriction.why}`, "allow iam:Get* and iam:List* on the role")
    : restriction.allowed.length === 0
      ? ok(name, `nothing destructive is allowed (${restriction.verified})`)
      : warning(
          name,
          `${restriction.allowed.length} destructive actions are allowed: ${restriction.allowed.slice(0, 5).join(", ")}`,
          "narrow the session policy, or accept them by name in the profile",
        );
  return [ok("identity gate", "a session is exactly who it should be"), found];
}
