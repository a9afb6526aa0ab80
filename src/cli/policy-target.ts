// What the policy commands look at: a file, a profile, or a role as AWS has it. Called by policy-lint.ts and policy-explain.ts.
import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { iamClient } from "../aws/client.ts";
import { explainFailure } from "../aws/failure.ts";
import { readRole } from "../aws/role-policies.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { PolicyFault, readJson } from "../policy/json.ts";
import type { LintInput } from "../policy/lint/lint.ts";
import type { PolicyKind } from "../policy/lint/subject.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyDocument } from "../policy/types.ts";
import { profileNames, readConfig } from "../session/profile.ts";
import { readProfileDocuments } from "../session/profile-documents.ts";
import { openBase } from "./base.ts";
import { baseOfRole } from "./base-of.ts";
import type { Context } from "./command.ts";

export interface Target {
  readonly inputs: readonly LintInput[];
  /** Policies that cannot be read. */
  readonly faults: readonly (readonly [source: string, fault: PolicyFault])[];
  /** Actions that a profile is there for. */
  readonly accepts: readonly string[];
  /** Characters of the session policy that a profile sends. */
  readonly sent?: number | undefined;
  /** Texts by source, for line and column. */
  readonly texts: ReadonlyMap<string, string>;
}

interface Text {
  readonly source: string;
  readonly kind: PolicyKind;
  readonly text: string;
}

/** How long AWS is asked about a role. */
const BUDGET_MS = 20_000;

/**
 * Reads the policies that a word stands for: an ARN of a role, a file (anything with a slash or `.json`, or that is there), else a profile.
 * @throws AgentRunError `profile`, `policy` for a file that is not there or cannot be read, and what reading a role throws
 */
export async function readTarget(word: string, kind: PolicyKind | undefined, context: Context, awsProfile?: string): Promise<Target> {
  if (/^arn:[^:]+:iam:.*:role\//.test(word)) return readRoleTarget(word, context, awsProfile);
  const file = resolve(context.cwd, word);
  if (word.includes("/") || word.endsWith(".json") || statSync(file, { throwIfNoEntry: false })?.isFile()) {
    const text = readPolicyFile(file, word);
    return parsed([{ source: word, kind: kind ?? kindOf(word, text), text }]);
  }
  if (!profileNames(context.paths, context.packageFolder).includes(word) && readConfig(context.paths).profiles?.[word] === undefined)
    throw noTarget(word, context);
  const { documents, accepts, sent } = readProfileDocuments(word, context.paths, context.packageFolder);
  const target = parsed(
    documents.map((document) => ({ source: shortened(document.file, context), kind: document.kind, text: document.text })),
  );
  return { ...target, accepts, sent };
}

/** A word that could be either: a profile that is written wrong, or a file that is elsewhere. */
function noTarget(word: string, { paths, packageFolder }: Context): AgentRunError {
  const near = nearest(word, profileNames(paths, packageFolder));
  return new AgentRunError("policy", `there is neither a file '${word}' here nor a profile of that name`, {
    hint: near ? `did you mean '${near}'?` : "give a file with a policy, the ARN of a role, or a profile: agent-run profiles list",
    exitStatus: 2,
  });
}

function readPolicyFile(file: string, word: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentRunError("policy", `cannot read ${word}: ${messageOf(error)}`, {
      hint: "give a file with a policy, the name of a profile, or the ARN of a role",
      cause: error,
      exitStatus: 2,
    });
  }
}

/** Relative to where the human is, when it is below. */
export function shortened(file: string, { cwd }: Pick<Context, "cwd">): string {
  return file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file;
}

function parsed(texts: readonly Text[]): Target {
  const inputs: LintInput[] = [];
  const faults: [string, PolicyFault][] = [];
  for (const { source, kind, text } of texts) {
    try {
      inputs.push({ kind, document: parsePolicy(text, source, { kind: namesPrincipals(kind) ? "resource" : "identity" }), text });
    } catch (error) {
      if (!(error instanceof PolicyFault)) throw error;
      faults.push([source, error]);
    }
  }
  return { inputs, faults, accepts: [], texts: new Map(texts.map(({ source, text }) => [source, text])) };
}

const namesPrincipals = (kind: PolicyKind): boolean => kind === "trust" || kind === "resource";

/** By the file's name, else by what it says: a policy with principals is a resource's, or a role's trust policy. */
function kindOf(word: string, text: string): PolicyKind {
  const name = basename(word);
  if (/principals?"/i.test(text))
    return /"sts:(?:AssumeRole\w*|TagSession|SetSourceIdentity|\*)"/i.test(text) && !hasResource(text) ? "trust" : "resource";
  if (/session[-_]?policy/i.test(name)) return "session";
  if (/boundary/i.test(name)) return "boundary";
  if (/\bscp\b|service[-_]?control/i.test(name)) return "service-control";
  return "identity";
}

function hasResource(text: string): boolean {
  try {
    return JSON.stringify([...statements(text)]).includes("Resource");
  } catch {
    return false;
  }
}

function* statements(text: string): Iterable<string> {
  const root = readJson(text, "");
  const block = root.kind === "object" ? root.entries.get("Statement") : undefined;
  for (const statement of block?.kind === "array" ? block.items : block ? [block] : []) {
    if (statement.kind === "object") yield* statement.entries.keys();
  }
}

async function readRoleTarget(arn: string, context: Context, awsProfile: string | undefined): Promise<Target> {
  const { connection, credentials } = await openBase(context, baseOfRole(arn, awsProfile, context));
  const iam = await iamClient(connection, credentials);
  const { policies, trust } = await readRole(iam, arn, AbortSignal.timeout(BUDGET_MS)).catch(async (error: unknown) => {
    throw await explainFailure(error, iam, "reading the role", "restriction");
  });
  const of = (kind: PolicyKind, documents: readonly PolicyDocument[] | undefined): LintInput[] =>
    (documents ?? []).map((document) => ({ kind, document }));
  const trusted = parsed([{ source: `trust policy of ${arn}`, kind: "trust", text: trust }]);
  return {
    ...trusted,
    inputs: [...of("identity", policies.identity), ...of("boundary", policies.boundary), ...trusted.inputs],
    texts: new Map(),
  };
}
