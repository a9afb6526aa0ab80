// One line asked on the human's terminal: shown or hidden, edited, cancelled.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node, type Outer, openOuter, shows } from "./outer.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "prompt-"));
  const prompt = join(import.meta.dirname, "..", "..", "src", "terminal", "prompt.ts");
  writeFileSync(
    join(folder, "ask.ts"),
    `import { askLine } from ${JSON.stringify(prompt)};
const hidden = process.argv[2] === "hidden";
try {
  const line = await askLine(process.stdin, process.stdout, "code: ", { hidden });
  console.log(JSON.stringify({ line }));
  if (process.argv[3] === "then") { process.stdin.resume(); process.stdin.once("data", (rest) => { console.log("rest", JSON.stringify(String(rest))); process.exit(0); }); }
} catch (error) {
  console.log(error.code, error.exitStatus);
}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ask = async (...args: string[]): Promise<Outer> => {
  const outer = openOuter(node, ["--disable-warning=ExperimentalWarning", join(folder, "ask.ts"), ...args]);
  await outer.until("the prompt", shows("code:"));
  return outer;
};

describe("a question in the terminal", () => {
  it("gives what was typed, and shows it", async () => {
    await using outer = await ask();
    outer.type("123x\x7f456\r");
    await outer.until("the answer", shows('{"line":"123456"}'));
    expect(outer.screen.row(0)).toBe("code: 123456");
    expect(await outer.exited).toEqual({ code: 0 });
  });

  it("shows letters that are more than one byte as they are, and takes them away as one", async () => {
    await using outer = await ask();
    outer.type("zwöéß\x7f\x7flf\r");
    await outer.until("the answer", shows('{"line":"zwölf"}'));
    expect(outer.screen.row(0)).toBe("code: zwölf");
  });

  it("shows nothing when hidden", async () => {
    await using outer = await ask("hidden");
    outer.type("geheim\x15zwölf\r");
    await outer.until("the answer", shows('{"line":"zwölf"}'));
    expect(outer.screen.row(0)).toBe("code: ");
  });

  it.each([
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
  ])("is cancelled by %s", async (_, key) => {
    await using outer = await ask("hidden");
    outer.type(`12${key === "\x04" ? "\x15" : ""}${key}`);
    await outer.until("the error", shows("usage 130"));
  });

  it("leaves what was typed ahead for what comes next", async () => {
    await using outer = await ask("shown", "then");
    outer.type("1\rahead");
    await outer.until("the rest", shows('rest "ahead"'));
  });
});
