// A strict JSON reader that remembers where everything stood and refuses duplicate keys. Called by parse.ts, which turns the tree into a policy.
import { AgentRunError } from "../core/error.ts";

/** Offset in the text that was read; undefined for a value that never was text. */
export type Position = number | undefined;

export type JsonNode =
  | { readonly kind: "object"; readonly at: Position; readonly entries: ReadonlyMap<string, JsonNode> }
  | { readonly kind: "array"; readonly at: Position; readonly items: readonly JsonNode[] }
  /** Numbers keep their spelling, so that nothing is rounded on the way. */
  | { readonly kind: "string" | "number"; readonly at: Position; readonly text: string }
  | { readonly kind: "boolean"; readonly at: Position; readonly text: "true" | "false" }
  | { readonly kind: "null"; readonly at: Position };

/** Where a fault lies: the document, the text (when there is one) and the JSON path inside it. */
export interface Place {
  readonly source: string;
  readonly text: string | undefined;
}

/** Policies nest 6 deep at most; this bounds the recursion on hostile input. */
const DEEPEST = 32;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** What is wrong with a policy, its place taken apart: for a lint, which lists it beside other findings. */
export class PolicyFault extends AgentRunError {
  /** From 1; undefined for a value that never was text. */
  readonly location: { readonly line: number; readonly column: number } | undefined;
  readonly path: string;
  readonly problem: string;

  constructor(place: Place, at: Position, path: string, problem: string, hint: string | undefined) {
    const location = place.text === undefined || at === undefined ? undefined : lineAndColumn(place.text, at);
    const where = location ? `${place.source}:${location.line}:${location.column}` : place.source;
    super("policy", `${where}: ${path === "" ? "" : `${path}: `}${problem}`, { hint });
    this.location = location;
    this.path = path;
    this.problem = problem;
  }
}

/**
 * The error of a policy that cannot be used: `file:line:column: path: what is wrong`.
 * Line and column count from 1; a value that never was text has neither.
 */
export function policyFault(place: Place, at: Position, path: string, problem: string, hint?: string): PolicyFault {
  return new PolicyFault(place, at, path, problem, hint);
}

/** Both count from 1. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: at - lineStart + 1 };
}

/** `Statement` + `Condition` → `Statement.Condition`; a key that is no plain word is quoted. */
export function pathTo(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  const step = /^[\w:/.-]+$/.test(key) ? key : JSON.stringify(key);
  return parent === "" ? step : `${parent}.${step}`;
}

/**
 * Reads one JSON text (RFC 8259), and nothing after it.
 * @throws AgentRunError `policy` for anything that is not JSON, and for a key that stands twice in one object
 */
export function readJson(text: string, source: string): JsonNode {
  const place: Place = { source, text };
  let at = 0;

  const fault = (problem: string, path: string, where = at): AgentRunError => policyFault(place, where, path, problem);
  const seen = (): string => (at >= text.length ? "the end of the text" : `'${printable(text.codePointAt(at) ?? 0)}'`);
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };

  const readString = (path: string): string => {
    const start = at;
    at += 1;
    let out = "";
    for (;;) {
      out += take(PLAIN);
      const next = text[at];
      if (next === '"') {
        at += 1;
        return out;
      }
      if (next === undefined) throw fault("this string has no closing quotation mark", path, start);
      if (next !== "\\") throw fault(`a string cannot hold the control character ${seen()}: write it as an escape`, path);
      const letter = text[at + 1] ?? "";
      if (letter === "u") {
        const hex = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw fault("\\u must be followed by four hex digits", path);
        out += String.fromCharCode(Number.parseInt(hex, 16));
        at += 6;
        continue;
      }
      const plain = ESCAPES[letter];
      if (plain === undefined) throw fault(`'\\${letter}' is not an escape of JSON`, path);
      out += plain;
      at += 2;
    }
  };

  const readObject = (path: string, depth: number): JsonNode => {
    const start = at;
    const entries = new Map<string, JsonNode>();
    at += 1;
    take(SPACE);
    if (text[at] === "}") {
      at += 1;
      return { kind: "object", at: start, entries };
    }
    for (;;) {
      take(SPACE);
      if (text[at] !== '"') throw fault(`expected a key in quotation marks, found ${seen()}`, path);
      const keyAt = at;
      const key = readString(path);
      const inside = pathTo(path, key);
      if (entries.has(key)) throw fault("this key stands here twice, and only one of the two would count", inside, keyAt);
      take(SPACE);
      if (text[at] !== ":") throw fault(`expected ':' after the key, found ${seen()}`, inside);
      at += 1;
      entries.set(key, readValue(inside, depth + 1));
      take(SPACE);
      if (text[at] === "}") {
        at += 1;
        return { kind: "object", at: start, entries };
      }
      if (text[at] !== ",") throw fault(`expected ',' or '}', found ${seen()}`, inside);
      at += 1;
    }
  };

  const readArray = (path: string, depth: number): JsonNode => {
    const start = at;
    const items: JsonNode[] = [];
    at += 1;
    take(SPACE);
    if (text[at] === "]") {
      at += 1;
      return { kind: "array", at: start, items };
    }
    for (;;) {
      const inside = pathTo(path, items.length);
      items.push(readValue(inside, depth + 1));
      take(SPACE);
      if (text[at] === "]") {
        at += 1;
        return { kind: "array", at: start, items };
      }
      if (text[at] !== ",") throw fault(`expected ',' or ']', found ${seen()}`, inside);
      at += 1;
    }
  };

  const readValue = (path: string, depth: number): JsonNode => {
    take(SPACE);
    if (depth > DEEPEST) throw fault(`nested deeper than ${DEEPEST} levels`, path);
    const start = at;
    const next = text[at];
    if (next === "{") return readObject(path, depth);
    if (next === "[") return readArray(path, depth);
    if (next === '"') return { kind: "string", at: start, text: readString(path) };
    for (const word of ["true", "false", "null"] as const) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return word === "null" ? { kind: "null", at: start } : { kind: "boolean", at: start, text: word };
    }
    const number = take(NUMBER);
    if (number === "") throw fault(`expected a value, found ${seen()}`, path);
    return { kind: "number", at: start, text: number };
  };

  const root = readValue("", 0);
  take(SPACE);
  if (at < text.length) throw fault(`expected the end of the text, found ${seen()}`, "");
  return root;
}

/** The same tree from a value that has been read already, for example from a service's answer. */
export function nodeOf(value: unknown, source: string, path = "", depth = 0): JsonNode {
  const place: Place = { source, text: undefined };
  const at = undefined;
  if (depth > DEEPEST) throw policyFault(place, at, path, `nested deeper than ${DEEPEST} levels`);
  if (value === null) return { kind: "null", at };
  if (typeof value === "string") return { kind: "string", at, text: value };
  if (typeof value === "boolean") return { kind: "boolean", at, text: value ? "true" : "false" };
  if (typeof value === "number" && Number.isFinite(value)) return { kind: "number", at, text: String(value) };
  if (Array.isArray(value)) {
    return { kind: "array", at, items: Array.from(value, (item, index) => nodeOf(item, source, pathTo(path, index), depth + 1)) };
  }
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => [key, nodeOf(item, source, pathTo(path, key), depth + 1)] as const);
    return { kind: "object", at, entries: new Map(entries) };
  }
  throw policyFault(place, at, path, `a ${typeof value} is not a JSON value`);
}

function printable(codePoint: number): string {
  return codePoint > 0x20 && codePoint < 0x7f
    ? String.fromCodePoint(codePoint)
    : `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** What a node is, for a message: `a list`, `a number`. */
export function described(node: JsonNode): string {
  switch (node.kind) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "null":
      return "null";
    default:
      return `a ${node.kind}`;
  }
}
