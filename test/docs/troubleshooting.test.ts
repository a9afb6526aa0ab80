// docs/troubleshooting.md has an entry for every code of AgentRunError and for no other, and quotes messages that the program can print.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../../src/core/error.ts";
import { ROOT } from "../packages/toolbox.ts";

const page = readFileSync(join(ROOT, "docs", "troubleshooting.md"), "utf8");
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ code: text.slice(0, text.indexOf("\n")), text: text.slice(text.indexOf("\n")) }));
const sources = globSync("src/**/*.{ts,tsx}", { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), "utf8"));

describe("the troubleshooting page", () => {
  it("has an entry for every error code, in their order, and for no other", () => {
    expect(sections.map(({ code }) => code)).toEqual([...errorCodes]);
  });

  it.each(sections.map(({ code, text }) => [code, text] as const))("says of %s what one sees and what mends it", (_code, text) => {
    const entries = [...text.matchAll(/^- (.*)$/gm)].map(([, entry = ""]) => entry);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) expect(entry).toMatch(/^(`[^`]+`(, )?)+: \S/);
  });

  it.each(sections.map(({ code, text }) => [code, text] as const))("quotes messages of %s that are in the program", (_code, text) => {
    const quoted = [...text.matchAll(/^- ((?:`[^`]+`(?:, )?)+):/gm)].flatMap(([, all = ""]) =>
      [...all.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span),
    );
    for (const message of quoted) {
      const parts = message
        .split("…")
        .map((part) => part.replace(/^['\s]+|['\s]+$/g, ""))
        .filter((part) => part.length > 3);
      // All of it in one file: a message is written in one place.
      expect(
        sources.some((source) => parts.every((part) => source.includes(part))),
        message,
      ).toBe(true);
    }
  });
});
