// Gathers what the go-live checklist asks: the profile, the project's folder, our own audit, and AWS where it lets us. Called by check.ts.

import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { verifyFolder } from "../audit/verify.ts";
import { instanceProfilesOf, loggingTrails } from "../aws/account-facts.ts";
import { cloudTrailClient, iamClient } from "../aws/client.ts";
import { readFailure } from "../aws/failure.ts";
import { type RoleRead, readRole } from "../aws/role-policies.ts";
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { auditFolder } from "../core/paths.ts";
import type { ChecklistFacts } from "../policy/checklist.ts";
import type { Code } from "../policy/lint/finding.ts";
import type { LintInput } from "../policy/lint/lint.ts";
import { parsePolicy } from "../policy/parse.ts";
import { loadProfile, type Profile, profileNames, readConfig } from "../session/profile.ts";
import { readProfileDocuments } from "../session/profile-documents.ts";
import { profileLevels, settingsOf } from "../session/profile-levels.ts";
import { openSessions } from "./ask-daemon.ts";
import { openBase } from "./base.ts";
import { baseOf, type Wanted } from "./base-of.ts";
import type { Context } from "./command.ts";
import { counted } from "./counted.ts";
import { lintTarget, type PlacedFinding } from "./policy-lint.ts";

export interface CheckRequest {
  readonly profile: string | undefined;
  readonly role: string | undefined;
  readonly awsProfile: string | undefined;
  /** Ask nobody. */
  readonly offline: boolean;
}

/** What AWS told; each part by itself may be missing, with the reason. */
interface Told {
  readonly role?: RoleRead | undefined;
  readonly instanceProfiles?: readonly string[] | undefined;
  readonly trails?: readonly string[] | undefined;
  readonly why: string;
}

const BUDGET_MS = 20_000;
const REVIEW_TAG = "agent-run-review-by";

/** @throws AgentRunError `profile` or `config`; what AWS does not tell is a fact too */
export async function checkFacts(
  request: CheckRequest,
  context: Context,
): Promise<{ readonly profile: Profile; readonly facts: ChecklistFacts }> {
  const { paths, packageFolder } = context;
  const overrides = {
    ...(request.profile === undefined ? {} : { profile: request.profile }),
    ...(request.role === undefined ? {} : { role: request.role }),
  };
  const profile = loadProfile(paths, packageFolder, overrides, { cwd: context.cwd });
  const told = request.offline ? { why: "asked to be offline" } : await askAws(profile.role, baseOf(profile, request.awsProfile), context);
  const found = lintedBy(profile, told.role, context);
  const reasons = (...wanted: Code[]): string[] => [
    ...new Set(found.filter(({ code }) => wanted.includes(code)).map(({ reason, source, path }) => `${source} ${path}: ${reason}`)),
  ];
  const facts: ChecklistFacts = {
    now: systemClock.now(),
    profile: profile.name,
    role: profile.role,
    sharedWith: [
      ...otherProfiles(profile, context),
      ...(told.instanceProfiles ?? []).map((name) => `instance profile ${name}`),
      ...reasons("shared-role"),
    ],
    everything: reasons("admin-everything", "allow-not-action", "service-wildcard"),
    anywhere: reasons("write-anywhere", "read-data-anywhere"),
    policiesFrom: told.role ? "the role as AWS has it, and the session policy" : "the profile's own policies",
    longLived: longLived(profile, context.cwd),
    audit: await ownAudit(context),
    trails: told.trails,
    trailsUnknown: told.why,
    review: reviewOf(profile, told.role),
  };
  return { profile, facts };
}

async function askAws(role: string | undefined, wanted: Wanted, context: Context): Promise<Told> {
  const signal = AbortSignal.timeout(BUDGET_MS);
  const reasons: string[] = [];
  const ask = async <Answer>(what: () => Promise<Answer>): Promise<Answer | undefined> => {
    try {
      return await what();
    } catch (error) {
      reasons.push(error instanceof AgentRunError ? error.message : `${readFailure(error).name}`);
      return undefined;
    }
  };
  const base = await ask(() => openBase(context, wanted));
  if (!base) return { why: reasons.join("; ") };
  const iam = await iamClient(base.connection, base.credentials);
  const arn = role?.startsWith("arn:")
    ? role
    : role && `arn:${base.identity.arn.split(":")[1] ?? "aws"}:iam::${base.identity.account}:role/${role}`;
  const [read, instanceProfiles] = arn
    ? await Promise.all([ask(() => readRole(iam, arn, signal)), ask(() => instanceProfilesOf(iam, arn, signal))])
    : [];
  reasons.length = 0;
  const trails = await ask(async () => loggingTrails(await cloudTrailClient(base.connection, base.credentials), signal));
  return { role: read, instanceProfiles, trails, why: reasons.join("; ") };
}

/** The role as AWS has it where it told us, else the profile's own documents; the session policy in both. */
function lintedBy(profile: Profile, role: RoleRead | undefined, context: Context): PlacedFinding[] {
  const { documents, accepts, sent } = readProfileDocuments(profile.name, context.paths, context.packageFolder);
  const session: LintInput = { kind: "session", document: profile.sessionPolicy.document };
  const own = (): LintInput[] =>
    documents.flatMap(({ kind, file, text }) =>
      kind === "session" || kind === "trust" ? [] : [{ kind, document: parsePolicy(text, file), text }],
    );
  const asAwsHas = ({ policies, trust }: RoleRead): LintInput[] => [
    ...policies.identity.map((document): LintInput => ({ kind: "identity", document })),
    ...(policies.boundary ?? []).map((document): LintInput => ({ kind: "boundary", document })),
    ...(trust === "" ? [] : [{ kind: "trust" as const, document: parsePolicy(trust, "its trust policy", { kind: "resource" }) }]),
  ];
  // The session policy bounds whatever the role allows: what it names narrowly the agent cannot do elsewhere.
  const inputs = [session, ...(role ? asAwsHas(role) : own())];
  const linted = lintTarget({ inputs, faults: [], accepts, sent, texts: new Map() }, context);
  const bounded: readonly Code[] = ["admin-everything", "allow-not-action", "service-wildcard", "write-anywhere", "read-data-anywhere"];
  return linted.filter(({ code, source }) => !bounded.includes(code) || source === session.document.source);
}

/** Other profiles under the same role. A profile without a role of its own is nobody's. */
function otherProfiles({ name, role }: Profile, { paths, packageFolder }: Context): string[] {
  if (role === undefined) return [];
  const config = readConfig(paths);
  return profileNames(paths, packageFolder).flatMap((other) => {
    if (other === name) return [];
    try {
      return settingsOf(profileLevels(other, config, { paths, packageFolder })).role === role ? [`profile ${other}`] : [];
    } catch {
      // It cannot be used as it is, and so shares nothing.
      return [];
    }
  });
}

/** IAM's long-lived keys begin so (IAM User Guide, reference_identifiers, "unique ID prefixes"). */
const LONG_LIVED_KEY = /\bAKIA[A-Z2-7]{16}\b/;
const MOST_FILES = 500;
const MOST_BYTES = 1_000_000;

/** What the agent's sandbox, its environment and its folder give away. */
function longLived({ isolation, pass }: Profile, folder: string): string[] {
  return [
    ...(isolation.level === "none" ? ["isolation is none: the agent can read ~/.aws and every other store of yours"] : []),
    ...pass.filter((name) => /^AWS_|TOKEN|SECRET|PASSWORD|KEY/i.test(name)).map((name) => `environment.pass hands ${name} on`),
    ...filesWithKeys(folder).map((name) => `${name} in this folder holds an access key of an IAM user`),
  ];
}

/** The folder's own files, not those below it. */
function filesWithKeys(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).slice(0, MOST_FILES);
  } catch {
    return [];
  }
  return names.filter((name) => {
    try {
      const stat = lstatSync(join(folder, name));
      return stat.isFile() && stat.size <= MOST_BYTES && LONG_LIVED_KEY.test(readFileSync(join(folder, name), "latin1"));
    } catch {
      return false;
    }
  });
}

async function ownAudit({ paths }: Context): Promise<ChecklistFacts["audit"]> {
  const { errors, sessions } = verifyFolder(auditFolder(paths), await openSessions(paths));
  if (errors > 0) return { sound: false, text: `agent-run's own audit has ${counted(errors, "error")}` };
  return { sound: true, text: `agent-run records every session (${sessions.length} so far, all as they were written)` };
}

function reviewOf(profile: Profile, role: RoleRead | undefined): ChecklistFacts["review"] {
  const tag = role?.tags[REVIEW_TAG];
  if (profile.reviewBy !== undefined) return { date: profile.reviewBy, from: "review_by of the profile" };
  return tag === undefined ? undefined : { date: tag, from: `the role's tag ${REVIEW_TAG}` };
}
