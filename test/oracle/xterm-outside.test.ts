// The real xterm as the human's terminal, told by itself (media copy): what xterm.js knows nothing of, and what in xterm would let an agent onto the bar's row.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node, pause } from "../terminal/outer.ts";
import { type Display, openDisplay, succeeds } from "./display.ts";
import { COLS, endLeftovers, openStage, ROWS, type Stage } from "./program.ts";

const has = (program: string): boolean => succeeds(`command -v ${program}`);
const PATIENCE_MS = 20_000;
const LATER_MS = 1500;

let stage: Stage;
let display: Display | undefined;
beforeAll(async () => {
  stage = await openStage();
  if (has("Xvfb")) display = await openDisplay();
});
afterAll(() => {
  endLeftovers(`HOME=${stage.folder}`);
  display?.close();
  stage.close();
});

/** The rows of an xterm in which an agent prints `text`, as they are once the rows are those: it prints its screen again and again. */
async function shown(name: string, text: string, expected: Readonly<Record<number, string>>): Promise<void> {
  const print = join(stage.folder, name);
  const script = `printf "$TEXT"; while :; do printf '\\033[?19h\\033[i'; sleep 0.2; done`;
  const resources = [`printerCommand: cat >${print}.new; mv ${print}.new ${print}`, "printAttributes: 0"].flatMap((line) => [
    "-xrm",
    `XTerm*${line}`,
  ]);
  const env = {
    PATH: process.env["PATH"],
    HOME: stage.folder,
    DISPLAY: display?.name,
    LC_ALL: "C.UTF-8",
    DEMO_TICK_MS: "150",
    DEMO_LEFT_MS: "100000",
    TEXT: text,
  };
  const xterm = spawn(
    "xterm",
    ["-u8", "-ti", "vt420", "-geometry", `${COLS}x${ROWS}`, ...resources, "-e", node, stage.demo, "sh", "-c", script],
    {
      env,
      stdio: "ignore",
    },
  );
  const rows = (): Record<number, string> => {
    const lines = existsSync(print) ? readFileSync(print, "utf8").split("\n") : [];
    return Object.fromEntries(lines.map((line, y) => [y + 1, line.trimEnd()] as const).filter(([, line]) => line !== ""));
  };
  const bar = expect.stringMatching(/^ sh {2}readonly@123456789012 {2}a8f3b21c .*ctrl-k$/);
  const holds = async (): Promise<void> => {
    for (const start = performance.now(); ; await pause(50)) {
      try {
        expect(rows()).toEqual({ ...expected, [ROWS]: bar });
        return;
      } catch (error) {
        if (performance.now() - start > PATIENCE_MS) throw error;
      }
    }
  };
  await holds();
  // Nor does it once the bar was painted again, with the copy of the screen that is loaded by then.
  await pause(LATER_MS);
  rmSync(print);
  while (!existsSync(print)) await pause(20);
  expect(rows()).toEqual({ ...expected, [ROWS]: bar });
  xterm.kill("SIGHUP");
}

describe.skipIf(!has("xterm") || !has("Xvfb"))("in xterm (needs xterm, Xvfb) an agent does not come onto the bar's row", () => {
  it.each([
    ["XTRESTORE", "\\033[?6h\\033[?6s\\033[?6l\\033[5;10r\\033[?6r\\033[Htop\\033[999;1Hbottom", { 5: "top", 10: "bottom" }],
    ["DECSCL", '\\033[61"p\\033[23;1Hx\\n\\n\\ny', { 20: "x", 23: "y" }],
    ["DECRSPS", "\\033P1$t24;1;1;@;@;A;0;2;@;B0@\\033\\\\text", { 1: "text" }],
    ["printer controller mode", "\\033[5itext", { 1: "text" }],
    ["status lines", "\\033[2$~\\033[1$}text", { 1: "text" }],
    ["lines of double width", "\\033[5;10r\\033[24;1H\\n\\n\\033#6\\033[r\\033[Htext", { 1: "text" }],
    ["left and right margins", "\\033[?69h\\033[5;20s\\033[3;7Htext that wraps in them", { 3: "      text that wrap", 4: "    s in them" }],
  ])("with %s", async (name, text, rows) => {
    await shown(name.replaceAll(" ", "-"), text, rows);
  });
});
