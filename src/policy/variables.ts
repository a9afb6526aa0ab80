// Policy variables: `${aws:PrincipalTag/team}`, `${aws:username, 'nobody'}`, `${*}`. Called by parse.ts to check them and by compile.ts to fill them in.
import type { Piece } from "./wildcard.ts";

/** Text, an escaped character, or a variable with its default. */
type Part = Piece | { readonly key: string; readonly fallback: string | undefined };

/** A policy string taken apart. `constant` when it has no variable that depends on the request. */
export interface Template {
  readonly parts: readonly Part[];
  readonly constant: boolean;
}

/** Gives the single value of a context key, or undefined when it has none or several. */
export type Lookup = (key: string) => string | undefined;

const VARIABLE = /^\$\{([^},]*)(?:,([^}]*))?\}/;

/** A string without variables: everything before Version 2012-10-17, and operators that take none. */
export function literalTemplate(text: string): Template {
  return { parts: [{ text, live: true }], constant: true };
}

/**
 * Takes a string of a Version 2012-10-17 policy apart. Gives a sentence about the fault when a variable is malformed.
 * The rules are those of the IAM User Guide, reference_policies_variables, and of Access Analyzer's policy checks.
 */
export function readTemplate(text: string): Template | string {
  const parts: Part[] = [];
  let rest = text;
  do {
    const start = rest.indexOf("${");
    if (start !== 0) parts.push({ text: start === -1 ? rest : rest.slice(0, start), live: true });
    if (start === -1) break;
    rest = rest.slice(start);
    const match = VARIABLE.exec(rest);
    if (!match) return `the variable '${rest.slice(0, 40)}' has no closing brace`;
    const [whole, key = "", tail] = match;
    const part = readVariable(whole, key, tail);
    if (typeof part === "string") return part;
    parts.push(part);
    rest = rest.slice(whole.length);
  } while (rest !== "");
  return { parts, constant: parts.every((part) => "live" in part) };
}

/** One variable by its key and what stands behind its comma, or what is wrong with it. */
function readVariable(whole: string, key: string, tail: string | undefined): Part | string {
  if (tail === undefined && (key === "*" || key === "?" || key === "$")) return { text: key, live: false };
  if (key === "") return `the variable '${whole}' names no key`;
  if (/\s/.test(key)) return `the variable '${whole}' has a space in its key`;
  if (!key.includes(":")) return `the variable '${whole}' names no condition key: keys are written service:name`;
  if (tail === undefined) return { key, fallback: undefined };
  // IAM User Guide, reference_policies_variables: a comma and a space, then the default in single quotes. Without the space nobody says what it is.
  if (tail.startsWith("'")) return `the default in '${whole}' must stand after a comma and a space`;
  const fallback = /^\s+'([^']*)'\s*$/.exec(tail)?.[1];
  return fallback === undefined ? `the default in '${whole}' must stand in single quotes` : { key, fallback };
}

/**
 * Fills the variables in: what comes from the request stands for itself, its `*` and `?` match nothing else.
 * Undefined when a variable has neither a value nor a default: such a string matches nothing.
 */
export function fill(template: Template, lookup: Lookup): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const part of template.parts) {
    if ("live" in part) {
      pieces.push(part);
      continue;
    }
    const value = lookup(part.key) ?? part.fallback;
    if (value === undefined) return undefined;
    pieces.push({ text: value, live: false });
  }
  return pieces;
}

/** Whether a variable that depends on the request stands before the fifth colon, where IAM allows none. */
export function variableBeforeResourcePart(template: Template): boolean {
  let colons = 0;
  for (const part of template.parts) {
    if (!("live" in part)) return colons < 5;
    colons += part.text.split(":").length - 1;
    if (colons >= 5) return false;
  }
  return false;
}
