// docs/pictures/ shows what the terminal shows now: the words of each picture are held against the code that makes them.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PS_HEADING } from "../src/cli/ps-rows.ts";
import { METADATA_CAVEAT } from "../src/isolation/metadata.ts";
import type { BarState } from "../src/terminal/bar-layout.ts";
import { keyText, layoutOverlay } from "../src/terminal/overlay-layout.ts";
import { helpView, killView } from "../src/terminal/overlay-views.ts";
import { plainBar } from "../src/terminal/plain-bar.ts";

const root = join(import.meta.dirname, "..");
const sizes = [
  [120, 30],
  [80, 24],
  [40, 10],
  [20, 5],
] as const;
const bar: BarState = {
  agent: "sh",
  role: "agent-demo",
  account: "123456789012",
  session: "sess_a8f3b21c",
  profile: "demo",
  left: { label: "renews in", ms: 14 * 60_000 },
  onExpiry: "refresh",
  delivery: "endpoint",
  isolation: "standard",
  caveats: [],
};

/** The words of a picture, a row a line, without the blanks between them. */
function words(name: string): string[] {
  const svg = readFileSync(join(import.meta.dirname, "..", "docs", "pictures", `${name}.svg`), "utf8");
  return [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, row = ""]) =>
    row
      .replace(/<[^>]*>/g, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&")
      .replace(/\s/g, ""),
  );
}

const squeezed = (text: string): string => text.replace(/\x1b\[[\d;]*m/g, "").replace(/\s/g, "");

describe.each(sizes)("the pictures of %i columns and %i rows (npm run pictures)", (cols, rows) => {
  it("show the bar as it is drawn now, below every scene", () => {
    for (const scene of ["bar", "kill", "help", "details"])
      expect(words(`${scene}-${cols}x${rows}`).at(-1)).toBe(squeezed(plainBar(bar, "ctrl-k", cols, true)));
  });

  it.each([
    ["kill", killView("sh", "ctrl-k")],
    ["help", helpView("sh", "ctrl-k")],
  ] as const)("show the words of the overlay '%s' as they are now", (scene, view) => {
    const layout = layoutOverlay(view, { cols, rows: rows - 1 }, { armed: true, early: false, page: 0 });
    const listed = layout.keys.every((row) => row.length === 1);
    const keys = layout.keys.map((row) => row.map((key) => keyText(key, listed)).join(""));
    const shown = words(`${scene}-${cols}x${rows}`).join("\n");
    for (const line of [layout.title, ...layout.lines, layout.status ?? "", ...keys]) expect(shown).toContain(squeezed(line));
  });
});

describe("the picture of a caveat", () => {
  it("shows the bar as it is drawn now", () => {
    const caveats = [METADATA_CAVEAT];
    expect(words("caveat-100x12").at(-1)).toBe(squeezed(plainBar({ ...bar, caveats }, "ctrl-k", 100, true)));
  });
});

describe("the pictures of a start and of `agent-run ps --watch`", () => {
  it("show the sentences of a start as the program has them, and the session that it came to", () => {
    const shown = words("start-120x30");
    const sources = globSync("src/**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
    for (const sentence of ["cut down by the session policy of profile", "the agent will be", "nothing destructive is allowed"]) {
      expect(
        sources.some((source) => source.includes(sentence)),
        sentence,
      ).toBe(true);
      expect(shown.join("\n"), sentence).toContain(squeezed(sentence));
    }
    expect(shown.join("\n")).toContain("assumed-role/agent-demo/sess_a8f3b21c");
  });

  it.each([120, 80])("show the columns of ps as they are, %i wide", (cols) => {
    const [heading = "", session = ""] = words(`watch-${cols}x${cols === 120 ? 30 : 24}`);
    expect(squeezed(PS_HEADING.join("")).startsWith(heading.replace(/…$/, ""))).toBe(true);
    expect(session).toContain("agent-demo@123456789012");
  });
});
