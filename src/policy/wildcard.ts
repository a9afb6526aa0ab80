// IAM's wildcards: `*` any run of characters, `?` exactly one, nothing else special. Called by match.ts, operators.ts, minify.ts and overlap.ts.

/** Token codes below zero; everything else is a UTF-16 code unit to be met exactly. */
export const ONE = -1;
export const ONE_INSIDE = -2;
export const RUN = -3;
export const RUN_INSIDE = -4;
const COLON = 58;

/** A compiled pattern. The first three forms are what nearly every policy uses, and cost one comparison. */
export type Pattern =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "tokens"; readonly tokens: readonly number[] };

/** A piece of a pattern: `live` text has wildcards, other text stands for itself. */
export interface Piece {
  readonly text: string;
  readonly live: boolean;
}

/** A pattern whose wildcards may match any character. */
export function globPattern(pieces: readonly Piece[]): Pattern {
  return simplest(pieces.flatMap((piece) => units(piece.text).map((unit) => (piece.live ? freely(unit) : unit))));
}

/** The tokens of an action's pattern, in lower case. */
export function actionTokens(text: string): number[] {
  return units(text.toLowerCase()).map(freely);
}

/**
 * A pattern for the `Resource` element. Within the first five segments of an ARN a wildcard stays inside its segment, except a `*` that ends
 * its segment, which may run past the colon; the resource part is one segment (IAM User Guide, reference_policies_elements_resource).
 */
export function resourcePattern(pieces: readonly Piece[]): Pattern {
  return simplest(resourceTokens(pieces));
}

/** The same, token by token. */
export function resourceTokens(pieces: readonly Piece[]): number[] {
  const tokens: number[] = [];
  let colons = 0;
  for (const [index, piece] of pieces.entries()) {
    const codes = units(piece.text);
    for (const [offset, unit] of codes.entries()) {
      const token = piece.live ? freely(unit) : unit;
      const next = codes[offset + 1];
      const endsSegment = next === COLON || (next === undefined && index === pieces.length - 1);
      if (colons >= 5 || token >= 0) tokens.push(token);
      else if (token === RUN) tokens.push(endsSegment ? RUN : RUN_INSIDE);
      else tokens.push(ONE_INSIDE);
      if (piece.live && unit === COLON) colons += 1;
    }
  }
  return tokens;
}

/** Whether the whole of `text` fits. Time is at most proportional to the pattern times the square of the text, in practice to the text. */
export function fits(pattern: Pattern, text: string): boolean {
  switch (pattern.kind) {
    case "all":
      return true;
    case "none":
      return false;
    case "exact":
      return pattern.text === text;
    case "prefix":
      return text.startsWith(pattern.text);
    case "tokens":
      return run(pattern.tokens, text);
  }
}

function units(text: string): number[] {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

function freely(unit: number): number {
  if (unit === 42) return RUN;
  return unit === 63 ? ONE : unit;
}

function spell(codes: readonly number[]): string {
  return codes.map((code) => String.fromCharCode(code)).join("");
}

function simplest(tokens: readonly number[]): Pattern {
  const merged = tokens.filter((token, index) => !(token === RUN && tokens[index - 1] === RUN));
  if (merged.length === 1 && merged[0] === RUN) return { kind: "all" };
  const wild = merged.findIndex((token) => token < 0);
  if (wild === -1) return { kind: "exact", text: spell(merged) };
  if (wild === merged.length - 1 && merged[wild] === RUN) return { kind: "prefix", text: spell(merged.slice(0, wild)) };
  return { kind: "tokens", tokens: merged };
}

/**
 * Greedy matching with two places to come back to: the last `*` that stays in its segment, and the last free `*` before it. Nothing older needs
 * another try: the shortest run of an older star leaves every later star the most room. So there is no exponential pattern.
 */
function run(tokens: readonly number[], text: string): boolean {
  let token = 0;
  let at = 0;
  let freeToken = -1;
  let freeAt = 0;
  let innerToken = -1;
  let innerAt = 0;
  for (;;) {
    const code = tokens[token];
    if (code === RUN) {
      freeToken = token++;
      freeAt = at;
      innerToken = -1;
      if (token === tokens.length) return true;
      continue;
    }
    if (code === RUN_INSIDE) {
      innerToken = token++;
      innerAt = at;
      continue;
    }
    if (code === undefined) {
      if (at === text.length) return true;
    } else if (at < text.length) {
      const unit = text.charCodeAt(at);
      if (code === unit || code === ONE || (code === ONE_INSIDE && unit !== COLON)) {
        token += 1;
        at += 1;
        continue;
      }
    }
    if (innerToken >= 0 && innerAt < text.length && text.charCodeAt(innerAt) !== COLON) {
      at = ++innerAt;
      token = innerToken + 1;
    } else if (freeToken >= 0 && freeAt < text.length) {
      at = ++freeAt;
      token = freeToken + 1;
      innerToken = -1;
    } else {
      return false;
    }
  }
}
