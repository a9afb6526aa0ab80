// Reads a TOML file against a schema; what is wrong with it is said with file, line and column. Used for config.toml, profile.toml and .agent-run.toml.
import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import * as z from "zod/mini";
import { AgentRunError, type ErrorCode, messageOf } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";

/**
 * The checked content of `file`, or undefined when there is no such file.
 * @throws AgentRunError `code`: unreadable, not TOML, an unknown key (with the nearest known one), a wrong value
 */
export function readTomlFile<Schema extends z.ZodMiniType>(file: string, schema: Schema, code: ErrorCode): z.infer<Schema> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw new AgentRunError(code, `cannot read ${file}: ${messageOf(error)}`, {
      hint: `check its owner and mode: ls -l ${file}`,
      cause: error,
    });
  }
  return parseToml(file, text, schema, code);
}

/**
 * The same for text that was read already.
 * @param unknown what to say of a setting that the schema does not know and that resembles none of it
 */
export function parseToml<Schema extends z.ZodMiniType>(
  file: string,
  text: string,
  schema: Schema,
  code: ErrorCode,
  unknown?: string,
): z.infer<Schema> {
  const known = checked.get(file);
  if (known?.text === text && known.schema === schema) return known.value as z.infer<Schema>;
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const why = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document:\s*/, "");
    throw new AgentRunError(code, `${file}:${error.line}:${error.column}: not valid TOML: ${why}`, {
      hint: `mend line ${error.line} of ${file}`,
    });
  }
  const result = z.safeParse(schema, value);
  if (result.success) {
    if (checked.size >= MOST_CHECKED) checked.delete(checked.keys().next().value ?? "");
    checked.set(file, { text, schema, value: result.data });
    return result.data;
  }
  const issue = result.error.issues[0];
  if (!issue) throw new AgentRunError(code, `${file}: not valid`);
  throw explain({ file, text, value }, issue, schema, code, unknown);
}

const MOST_CHECKED = 100;
/** What the last reading of a file gave: a daemon reads the same few at every launch, and reading is cheaper than checking. */
const checked = new Map<string, { readonly text: string; readonly schema: z.ZodMiniType; readonly value: unknown }>();

interface Told {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
}

function explain(
  { file, text, value }: Told,
  issue: z.core.$ZodIssue,
  schema: z.ZodMiniType,
  code: ErrorCode,
  unknown: string | undefined,
): AgentRunError {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const path = [...issue.path, key].map(String);
    const near = nearest(key, knownKeys(schema, issue.path));
    return new AgentRunError(code, `${file}:${position(text, path, value)}: unknown setting '${path.join(".")}'`, {
      hint: near ? `did you mean '${near}'?` : unknown ? `remove it from ${file}: ${unknown}` : `remove it from ${file}`,
    });
  }
  const path = issue.path.map(String);
  return new AgentRunError(code, `${file}:${position(text, path, value)}: ${path.join(".") || "the file"}: ${wrong(issue)}`, {
    hint: `change it in ${file}`,
  });
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text in quotes",
  number: "a number",
  boolean: "true or false",
  array: "a list in [ ]",
  object: "a table",
  record: "a table",
};

/** What it should be: the schema's own words, where it has some. */
function wrong(issue: z.core.$ZodIssue): string {
  return issue.message === "Invalid input" ? `must be ${[...new Set(wanted(issue))].join(" or ")}` : lower(issue.message);
}

function wanted(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_type") return [KINDS[issue.expected] ?? issue.expected];
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value));
  if (issue.code === "invalid_union") return issue.errors.flatMap((issues) => issues.slice(0, 1).flatMap(wanted));
  return ["something else"];
}

function lower(message: string): string {
  return (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, "");
}

/** The keys that the schema knows at a place, walking objects, optionals and records. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const definition = schema._zod.def;
  if (isOptional(definition)) return knownKeys(definition.innerType, path);
  if (definition.type === "record") return knownKeys((definition as z.core.$ZodRecordDef).valueType, path.slice(1));
  if (definition.type !== "object") return [];
  const { shape } = definition as z.core.$ZodObjectDef;
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(shape);
  const inner = shape[String(first)];
  return inner ? knownKeys(inner, rest) : [];
}

function isOptional(definition: z.core.$ZodTypeDef): definition is z.core.$ZodOptionalDef {
  return definition.type === "optional";
}

/** `line:column` (both from 1) of the key that `path` names; TOML parsers keep no positions, so the text is searched section by section. */
function position(text: string, path: readonly string[], value: unknown): string {
  const lines = text.split("\n");
  let section: string[] = [];
  let best = { line: 1, column: 1, depth: -1 };
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line);
    const key = header ? undefined : /^\s*([A-Za-z0-9_\-."']+)\s*=/.exec(line);
    if (header) section = splitKey(header[1] ?? "");
    if (!header && !key) continue;
    const full = header ? section : [...section, ...splitKey(key?.[1] ?? "")];
    const matches = full.every((part, at) => path[at] === part);
    if (matches && full.length > best.depth) best = { line: index + 1, column: line.search(/\S/) + 1, depth: full.length };
  }
  return entryPosition(lines, best, path, value) ?? `${best.line}:${best.column}`;
}

/** Where a text in a list stands: the first such text from the list's key on. */
function entryPosition(lines: readonly string[], key: { line: number }, path: readonly string[], value: unknown): string | undefined {
  if (!/^\d+$/.test(path.at(-1) ?? "")) return undefined;
  const entry = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
  if (typeof entry !== "string") return undefined;
  for (const [offset, line] of lines.slice(key.line - 1).entries()) {
    const column = Math.max(line.indexOf(`"${entry}"`), line.indexOf(`'${entry}'`));
    if (column >= 0) return `${key.line + offset}:${column + 1}`;
  }
  return undefined;
}

function splitKey(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|([^.\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
