// From a finding's steps to its place in the text, and to its JSON path. Called by `agent-run policy lint`.
import { type JsonNode, lineAndColumn, pathTo, readJson } from "../json.ts";
import type { Steps } from "./finding.ts";

export interface Location {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Finds the value that steps lead to; a list that stands as its only value is that value. Undefined for a text that is no JSON. */
export function locator(text: string): ((steps: Steps) => Location) | undefined {
  let root: JsonNode;
  try {
    root = readJson(text, "");
  } catch {
    return undefined;
  }
  return (steps) => {
    let node = root;
    for (const step of steps) {
      const next = typeof step === "number" ? elementOf(node, step) : node.kind === "object" ? node.entries.get(step) : undefined;
      if (next === undefined) break;
      node = next;
    }
    return lineAndColumn(text, node.at ?? 0);
  };
}

function elementOf(node: JsonNode, index: number): JsonNode | undefined {
  return node.kind === "array" ? node.items[index] : index === 0 ? node : undefined;
}

/** `Statement[0].Action[2]` */
export function pathOf(steps: Steps): string {
  return steps.reduce<string>((path, step) => pathTo(path, step), "");
}
