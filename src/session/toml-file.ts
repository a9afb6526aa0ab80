// Reads a TOML file against a schema; what is wrong with it is said with file, line and column. Used for config.toml and profile.toml.
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
    checked.set(file, { text, schema, value: result.data });
    return result.data;
  }
  const issue = result.error.issues[0];
  if (!issue) throw new AgentRunError(code, `${file}: not valid`);
  throw explain(file, text, issue, schema, code);
}

/** What the last reading of a file gave: a daemon reads the same few at every launch, and reading is cheaper than checking. */
const checked = new Map<string, { readonly text: string; readonly schema: z.ZodMiniType; readonly value: unknown }>();

function explain(file: string, text: string, issue: z.core.$ZodIssue, schema: z.ZodMiniType, code: ErrorCode): AgentRunError {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const path = [...issue.path, key].map(String);
    const near = nearest(key, knownKeys(schema, issue.path));
    return new AgentRunError(code, `${file}:${position(text, path)}: unknown setting '${path.join(".")}'`, {
      hint: near ? `did you mean '${near}'?` : `remove it from ${file}`,
    });
  }
  const path = issue.path.map(String);
  return new AgentRunError(code, `${file}:${position(text, path)}: ${path.join(".") || "the file"}: ${lower(issue.message)}`, {
    hint: `change it in ${file}`,
  });
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
function position(text: string, path: readonly string[]): string {
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
  return `${best.line}:${best.column}`;
}

function splitKey(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|([^.\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
