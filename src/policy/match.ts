// Whether an action, a resource or an ARN fits what a policy says. Called by compile.ts and operators.ts.
import { fits, globPattern, type Pattern, type Piece, resourcePattern } from "./wildcard.ts";

/** Compiled for a lower-case action: action names have no case (IAM User Guide, reference_policies_elements_action). */
export function actionPattern(text: string): Pattern {
  return globPattern([{ text: text.toLowerCase(), live: true }]);
}

/** Whether a policy's action, such as `s3:Get*`, covers an action. Both in any case. */
export function actionMatches(pattern: string, action: string): boolean {
  return fits(actionPattern(pattern), action.toLowerCase());
}

/** Whether a policy's resource, such as `arn:aws:s3:::logs/*`, covers an ARN, letter by letter. Variables are plain text here. */
export function resourceMatches(pattern: string, resource: string): boolean {
  return fits(resourcePattern([{ text: pattern, live: true }]), resource);
}

/** The six parts of an ARN as patterns; a short pattern that ends in `*` leaves the rest open. */
export type ArnPattern = readonly Pattern[];

const PARTS = 6;
const NONE: Pattern = { kind: "none" };
const ALL: Pattern = { kind: "all" };

/** For ArnEquals and ArnLike, which are the same: each of the six parts is checked by itself. */
export function arnPattern(pieces: readonly Piece[]): ArnPattern {
  const parts: Piece[][] = [[]];
  for (const piece of pieces) {
    const texts = piece.live ? splitFirst(piece.text, PARTS - parts.length) : [piece.text];
    for (const [index, text] of texts.entries()) {
      if (index > 0) parts.push([]);
      parts.at(-1)?.push({ text, live: piece.live });
    }
  }
  const patterns = parts.map((part) => globPattern(part));
  if (patterns.length === PARTS) return patterns;
  const last = parts.at(-1)?.at(-1);
  const open = last?.live === true && last.text.endsWith("*");
  return [...patterns, ...new Array<Pattern>(PARTS - patterns.length).fill(open ? ALL : NONE)];
}

/** Whether a value is an ARN that fits. */
export function arnFits(pattern: ArnPattern, value: string): boolean {
  const parts = splitFirst(value, PARTS - 1);
  return parts.length === PARTS && pattern.every((part, index) => fits(part, parts[index] ?? ""));
}

/** Splits at the first `times` colons only. */
function splitFirst(text: string, times: number): string[] {
  const parts = text.split(":");
  return parts.length <= times + 1 ? parts : [...parts.slice(0, times), parts.slice(times).join(":")];
}
