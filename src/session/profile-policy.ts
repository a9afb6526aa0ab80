// The session policy of a profile: its files read, their placeholders filled, all compiled into the one that is sent. Called by profile.ts.
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { type CompiledSession, compileSession, readNarrowing, type SessionSource } from "../policy/compile-session.ts";
import { denyAfter, limitDenies } from "../policy/limits.ts";
import { parsePolicy, parsePolicyValue } from "../policy/parse.ts";
import { fillPlaceholders, placeholdersOf } from "../policy/placeholders.ts";
import type { PolicyDocument } from "../policy/types.ts";
import { hoursDenies } from "./hours.ts";
import type { Level } from "./profile-levels.ts";
import type { ConditionSettings, ProfileSettings } from "./settings.ts";
import { contentHash } from "./trust.ts";

export interface PolicyRequest {
  readonly levels: readonly Level[];
  /** Conditions and narrowing from elsewhere: a repository, the command line. */
  readonly further: readonly Narrowing[];
  /** The shipped profile that `--read-only` goes by. */
  readonly readOnlyFolder: string;
}

export interface Narrowing {
  /** What to call it: `--`, `.agent-run.toml `. */
  readonly label: string;
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly readOnly?: boolean | undefined;
  readonly conditions?: ConditionSettings | undefined;
}

/** What a Deny after the session's end takes. */
const END = JSON.stringify(denyAfter(0)).length + 1;
const CEILING = "deny-always.json";
const USUAL = "session-policy.json";

/**
 * The session policy as it is sent, and as it was parsed. What was compiled last is remembered: a daemon starts many sessions from the same few.
 * @throws AgentRunError `profile` where there is no policy to bound the session, `policy` as `compileSession`
 */
export function sessionPolicyOf(request: PolicyRequest): CompiledSession {
  const read = request.levels.flatMap(readLevel);
  const managedArns = [...new Set(request.levels.flatMap(({ settings }) => settings.session_policy_arns ?? []))];
  const narrowings = [...request.levels.map(({ name, settings }) => narrowingOf(name, settings)), ...request.further];
  const readOnly = narrowings.some((one) => one.readOnly) ? readPolicyFile(join(request.readOnlyFolder, USUAL), {}) : undefined;
  const key = JSON.stringify([read, managedArns, narrowings, readOnly]);
  const known = compiled.get(key);
  if (known) return known;
  const sources: SessionSource[] = [
    ...read.map((file) => ({ label: file.label, document: parsed(file) })),
    ...(readOnly ? [{ label: "--read-only", document: onlyAllows(parsed(readOnly)) }] : []),
    ...narrowings.flatMap(({ label, allow = [], deny = [] }) =>
      [readNarrowing(allow, "Allow", `${label}allow`), readNarrowing(deny, "Deny", `${label}deny`)].filter((one) => one !== undefined),
    ),
  ];
  // Times are put in at each AssumeRole; they take the same room whenever it is.
  const timed = narrowings.flatMap(({ conditions }) => (conditions?.hours ? JSON.stringify(hoursDenies(conditions.hours, 0)).length : []));
  const result = compileSession({
    sources,
    denies: narrowings.flatMap(({ conditions }) => limitDenies(conditions ?? {})),
    managedArns,
    reserve: END + timed.reduce((sum, length) => sum + length, 0),
  });
  if (compiled.size > 200) compiled.clear();
  compiled.set(key, result);
  return result;
}

const compiled = new Map<string, CompiledSession>();

function narrowingOf(name: string, { narrow, conditions }: ProfileSettings): Narrowing {
  return { label: `narrow of ${name} `, allow: narrow?.allow, deny: narrow?.deny, readOnly: narrow?.read_only, conditions };
}

interface PolicyFile {
  readonly file: string;
  readonly label: string;
  readonly text: string;
  readonly values: NonNullable<ProfileSettings["values"]>;
}

/** The policies of one profile of the chain: those that it names, or the usual one; and its ceiling. */
function readLevel({ name, folder, settings }: Level, index: number, levels: readonly Level[]): PolicyFile[] {
  const values = Object.assign({}, ...levels.map((level) => level.settings.values ?? {})) as PolicyFile["values"];
  const named = settings.session_policy === undefined ? undefined : [settings.session_policy].flat();
  const usual = join(folder, USUAL);
  const needed = index === 0 && settings.session_policy_arns === undefined;
  const files = named?.map((file) => resolve(folder, file)) ?? (needed || existsSync(usual) ? [usual] : []);
  const ceiling = join(folder, CEILING);
  const all = existsSync(ceiling) && !files.includes(ceiling) ? [...files, ceiling] : files;
  return all.map((file) => readPolicyFile(file, values, levels.length > 1 ? `${name}/` : ""));
}

function readPolicyFile(file: string, values: PolicyFile["values"], prefix = ""): PolicyFile {
  try {
    return { file, label: prefix + basename(file), text: readFileSync(file, "utf8"), values };
  } catch (error) {
    throw new AgentRunError("profile", `cannot read the session policy ${file}: ${messageOf(error)}`, {
      hint: "put the policy that bounds the session there; every session is cut down by one",
      cause: error,
    });
  }
}

/** A policy's own error says where and what; the hint is what is left to say. */
function parsed({ file, text, values }: PolicyFile): PolicyDocument {
  try {
    if (placeholdersOf(text).length === 0) return parsePolicy(text, file);
    return parsePolicyValue(fillPlaceholders(text, values, file), file);
  } catch (error) {
    if (!(error instanceof AgentRunError) || error.hint !== undefined) throw error;
    throw new AgentRunError(error.code, error.message, { hint: `mend ${file}: it is a policy as IAM writes them`, cause: error });
  }
}

function onlyAllows(document: PolicyDocument): PolicyDocument {
  return { ...document, statements: document.statements.filter(({ effect }) => effect === "Allow") };
}

/** What the audit keeps of the ceiling that a session was sent; undefined where there is none. */
export function policyMark(
  policy: CompiledSession,
  arns: readonly string[],
): { sha256: string; characters: number; arns: string[] } | undefined {
  if (policy.text === "") return undefined;
  return { sha256: contentHash(policy.text), characters: policy.characters, arns: [...arns] };
}
