// How two patterns of a policy lie to one another: one within the other, apart, or crossing. Called by intersect.ts, simplify.ts, minify.ts, worst-case.ts and lint/reach.ts.
import { fill, readTemplate } from "./variables.ts";
import { actionTokens, ONE, ONE_INSIDE, type Piece, RUN, RUN_INSIDE, resourceTokens } from "./wildcard.ts";

export type PatternKind = "action" | "resource";

/**
 * A variable is a text of its own, so that it is equal only to itself: its name and default are spelled in letters that no pattern has (private use
 * characters, four for each UTF-16 code unit), with a mark on either side.
 */
const OPEN = 0xe010;
const CLOSE = 0xe011;
const DIGITS = 0xe000;
const COLON = 58;
/** What two crossing patterns have in common is written as at most so many patterns. */
const MOST = 12;

type Known = Readonly<Record<PatternKind, Map<string, readonly number[]>>>;
const known: Known = { action: new Map(), resource: new Map() };
const widened: Known = { action: new Map(), resource: new Map() };
const MOST_KNOWN = 5000;

function tokens(kind: PatternKind, text: string): readonly number[] {
  const found = known[kind].get(text);
  if (found) return found;
  const fresh = kind === "action" ? actionTokens(text) : resourceTokens(opaque(text));
  if (known[kind].size > MOST_KNOWN) known[kind].clear();
  known[kind].set(text, fresh);
  return fresh;
}

function opaque(text: string): Piece[] {
  const template = readTemplate(text);
  if (typeof template === "string") return [{ text, live: true }];
  const parts = template.parts.map((part) =>
    "live" in part ? part : { key: JSON.stringify([part.key, part.fallback]), fallback: undefined },
  );
  return fill({ ...template, parts }, spelledApart) ?? [];
}

function spelledApart(text: string): string {
  const digits = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)).flatMap((unit) =>
    [12, 8, 4, 0].map((shift) => DIGITS + ((unit >> shift) & 15)),
  );
  return String.fromCharCode(OPEN, ...digits, CLOSE);
}

const hasVariable = (text: string): boolean => /\$\{[^}]*:/.test(text);

/**
 * Whether whatever fits `narrow` surely fits `wide`. False also where it cannot be told: a variable is only known to be itself.
 */
export function within(kind: PatternKind, wide: string, narrow: string): boolean {
  if (wide === "*" || wide === narrow) return true;
  const outer = tokens(kind, wide);
  const inner = tokens(kind, narrow);
  // Nearly every pair is told apart by its beginning.
  const literal = literalLength(outer);
  for (let at = 0; at < literal; at += 1) if (outer[at] !== inner[at]) return false;
  if (literal === outer.length) return inner.length === outer.length;
  if (literal === outer.length - 1 && outer[literal] === RUN) return true;
  // One row a token of `outer`: after how many tokens of `inner` it can stand.
  let row = new Array<boolean>(inner.length + 1).fill(false);
  row[0] = true;
  for (const token of outer) {
    const next = new Array<boolean>(inner.length + 1).fill(false);
    for (let at = 0; at <= inner.length; at += 1) {
      const met = inner[at - 1];
      if (token === RUN || token === RUN_INSIDE) {
        const grows = met !== undefined && next[at - 1] === true && (token === RUN || (met !== RUN && met !== COLON));
        next[at] = row[at] === true || grows;
      } else {
        next[at] = met !== undefined && row[at - 1] === true && takes(token, met);
      }
    }
    row = next;
  }
  return row[inner.length] === true;
}

/** How many tokens stand before the first wildcard. */
function literalLength(of: readonly number[]): number {
  const wild = of.findIndex((token) => token < 0);
  return wild === -1 ? of.length : wild;
}

/** Whether one token of the wider pattern takes the one character that a token of the narrower stands for. */
function takes(wide: number, narrow: number): boolean {
  if (narrow === RUN || narrow === RUN_INSIDE) return false;
  if (wide === ONE) return narrow < 0 || !isMark(narrow);
  if (wide === ONE_INSIDE) return narrow === ONE_INSIDE || (narrow >= 0 && narrow !== COLON && !isMark(narrow));
  return wide === narrow;
}

/** Whether it is a letter of a variable, which may stand for any number of characters. */
const isMark = (unit: number): boolean => unit >= DIGITS && unit <= CLOSE;

/** Whether nothing fits both. False also where it cannot be told. */
export function apart(kind: PatternKind, one: string, other: string): boolean {
  const left = loose(kind, one);
  const right = loose(kind, other);
  const literal = Math.min(literalLength(left), literalLength(right));
  for (let at = 0; at < literal; at += 1) if (left[at] !== right[at]) return true;
  let row = new Array<boolean>(right.length + 1).fill(false);
  row[0] = true;
  for (let at = 0; at < right.length && right[at] === RUN; at += 1) row[at + 1] = true;
  for (const token of left) {
    const next = new Array<boolean>(right.length + 1).fill(false);
    next[0] = token === RUN && row[0] === true;
    for (let at = 1; at <= right.length; at += 1) {
      const met = right[at - 1] ?? RUN;
      if (token === RUN) next[at] = row[at] === true || next[at - 1] === true;
      else if (met === RUN) next[at] = next[at - 1] === true || row[at] === true;
      else next[at] = row[at - 1] === true && (token === met || token === ONE || met === ONE);
    }
    row = next;
  }
  return row[right.length] !== true;
}

/** Wildcards without the rule of segments, variables as `*`: at least as wide as the pattern. */
function loose(kind: PatternKind, text: string): readonly number[] {
  const found = widened[kind].get(text);
  if (found) return found;
  const plain = kind === "resource" ? text.replace(/\$\{[^}]*\}/g, (found) => (found.includes(":") ? "*" : "?")) : text;
  const fresh = tokens(kind, plain).map((token) => (token === RUN_INSIDE ? RUN : token === ONE_INSIDE ? ONE : token));
  if (widened[kind].size > MOST_KNOWN) widened[kind].clear();
  widened[kind].set(text, fresh);
  return fresh;
}

/**
 * The patterns that fit just what fits both: none, one, or for crossing patterns several (`s3:Get*` and `s3:*Object` cross in `s3:Get*Object`).
 * Undefined where that cannot be written, or cannot be told because of a variable.
 */
export function common(kind: PatternKind, one: string, other: string): readonly string[] | undefined {
  if (within(kind, one, other)) return [other];
  if (within(kind, other, one)) return [one];
  if (apart(kind, one, other)) return [];
  if (kind === "resource" && (hasVariable(one) || hasVariable(other))) return undefined;
  const crossings = cross(kind === "action" ? one.toLowerCase() : one, kind === "action" ? other.toLowerCase() : other);
  if (!crossings?.every((text) => within(kind, one, text) && within(kind, other, text))) return undefined;
  const least = distinct(kind, crossings);
  return least.length > 0 && least.length <= MOST ? least : undefined;
}

/** Every way to walk both patterns at once; undefined when there are too many. */
function cross(one: string, other: string): string[] | undefined {
  const memo = new Map<number, Set<string>>();
  let tooMany = false;
  const walk = (i: number, j: number): Set<string> => {
    const key = i * (other.length + 1) + j;
    const found = memo.get(key);
    if (found) return found;
    const all = new Set<string>();
    memo.set(key, all);
    const put = (head: string, tails: Set<string>): void => {
      for (const tail of tails) all.add(head === "*" && tail.startsWith("*") ? tail : head + tail);
      if (all.size > 4 * MOST) tooMany = true;
    };
    const a = one[i];
    const b = other[j];
    if (tooMany) return all;
    if (a === undefined && b === undefined) all.add("");
    else if (a === "*" && b === "*") {
      put("*", walk(i + 1, j));
      put("*", walk(i, j + 1));
    } else if (a === "*") {
      put("", walk(i + 1, j));
      if (b !== undefined) put(b, walk(i, j + 1));
    } else if (b === "*") {
      put("", walk(i, j + 1));
      if (a !== undefined) put(a, walk(i + 1, j));
    } else if (a !== undefined && b !== undefined && (a === b || a === "?" || b === "?")) {
      put(a === "?" ? b : a, walk(i + 1, j + 1));
    }
    return all;
  };
  const result = walk(0, 0);
  return tooMany ? undefined : [...result];
}

/** The list without what another entry covers; of entries that cover one another the first stays. */
export function distinct(kind: PatternKind, list: readonly string[]): string[] {
  const texts = [...new Set(list)];
  return texts.filter(
    (text, index) => !texts.some((wide, at) => at !== index && within(kind, wide, text) && (at < index || !within(kind, text, wide))),
  );
}
