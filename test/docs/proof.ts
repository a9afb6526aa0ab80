// What a page's claim rests on: a test of test/, found by file and title. Used by claims.test.ts and by isolation/denials.test.ts.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ROOT } from "../packages/toolbox.ts";

/** A file of test/, and what stands in it: a test's title or its beginning, or a transcript as a whole. */
export type Proof = readonly [file: string, title?: string];

/** Called as a test, and not only mentioned. */
export function expectTest([file, title]: Proof): void {
  const path = join(ROOT, "test", file);
  expect(existsSync(path), file).toBe(true);
  if (title === undefined) return;
  const lines = readFileSync(path, "utf8").split("\n");
  expect(
    lines.some((line) => /\b(it|test|describe)\b.*\(|^\s*[`"'(]|^ *\]\)\(/.test(line) && line.includes(title)),
    `${file}: ${title}`,
  ).toBe(true);
}
