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
const WORD = /true|false|null/y;
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
  return new JsonReader({ source, text }).whole();
}

/** One pass over a text; `#at` is the offset of what comes next. */
class JsonReader {
  readonly #place: Place;
  readonly #text: string;
  #at = 0;

  constructor(place: Place & { readonly text: string }) {
    this.#place = place;
    this.#text = place.text;
  }

  whole(): JsonNode {
    const root = this.#value("", 0);
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the text", "");
    return root;
  }

  #value(path: string, depth: number): JsonNode {
    this.#take(SPACE);
    if (depth > DEEPEST) throw this.#fault(`nested deeper than ${DEEPEST} levels`, path);
    const at = this.#at;
    const next = this.#text[at];
    if (next === "{") return { kind: "object", at, entries: this.#entries(path, depth + 1) };
    if (next === "[") return { kind: "array", at, items: this.#items(path, depth + 1) };
    if (next === '"') return { kind: "string", at, text: this.#string(path) };
    const word = this.#take(WORD);
    if (word === "null") return { kind: "null", at };
    if (word === "true" || word === "false") return { kind: "boolean", at, text: word };
    const number = this.#take(NUMBER);
    if (number === "") throw this.#unexpected("a value", path);
    return { kind: "number", at, text: number };
  }

  #entries(path: string, depth: number): Map<string, JsonNode> {
    const entries = new Map<string, JsonNode>();
    let inside = path;
    for (let more = !this.#opensEmpty("}"); more; more = this.#goesOn("}", inside)) {
      this.#take(SPACE);
      if (this.#text[this.#at] !== '"') throw this.#unexpected("a key in quotation marks", path);
      const keyAt = this.#at;
      const key = this.#string(path);
      inside = pathTo(path, key);
      if (entries.has(key)) throw this.#fault("this key stands here twice, and only one of the two would count", inside, keyAt);
      this.#take(SPACE);
      if (!this.#skip(":")) throw this.#unexpected("':' after the key", inside);
      entries.set(key, this.#value(inside, depth));
    }
    return entries;
  }

  #items(path: string, depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    let inside = path;
    for (let more = !this.#opensEmpty("]"); more; more = this.#goesOn("]", inside)) {
      inside = pathTo(path, items.length);
      items.push(this.#value(inside, depth));
    }
    return items;
  }

  /** Steps over what opens an object or a list, and over what closes it where that follows. */
  #opensEmpty(close: string): boolean {
    this.#at += 1;
    this.#take(SPACE);
    return this.#skip(close);
  }

  /** Behind a member: whether another one follows. */
  #goesOn(close: string, path: string): boolean {
    this.#take(SPACE);
    if (this.#skip(close)) return false;
    if (!this.#skip(",")) throw this.#unexpected(`',' or '${close}'`, path);
    return true;
  }

  #string(path: string): string {
    const start = this.#at;
    this.#at += 1;
    let out = this.#take(PLAIN);
    while (!this.#skip('"')) {
      if (this.#at >= this.#text.length) throw this.#fault("this string has no closing quotation mark", path, start);
      out += this.#escape(path) + this.#take(PLAIN);
    }
    return out;
  }

  #escape(path: string): string {
    if (this.#text[this.#at] !== "\\")
      throw this.#fault(`a string cannot hold the control character ${this.#next()}: write it as an escape`, path);
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#fault("\\u must be followed by four hex digits", path);
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const plain = ESCAPES[letter];
    if (plain === undefined) throw this.#fault(`'\\${letter}' is not an escape of JSON`, path);
    this.#at += 2;
    return plain;
  }

  /** What `pattern` matches here, which is then behind us. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #fault(problem: string, path: string, at = this.#at): AgentRunError {
    return policyFault(this.#place, at, path, problem);
  }

  #unexpected(wanted: string, path: string): AgentRunError {
    return this.#fault(`expected ${wanted}, found ${this.#next()}`, path);
  }

  /** What stands here, for a message. */
  #next(): string {
    return this.#at >= this.#text.length ? "the end of the text" : `'${printable(this.#text.codePointAt(this.#at) ?? 0)}'`;
  }
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
