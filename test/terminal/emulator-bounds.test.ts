// A few bytes of an agent can neither hold up the copy of its screen nor fill memory.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { boundCounts, boundLinks, boundStrings } from "../../src/terminal/emulator-bounds.ts";
import { snapshot, vtScreen } from "./vt-screen.ts";

const COLS = 13;
const ROWS = 5;
const HUGE = 2_147_483_647;
/** More than there are rows and columns, and far less than would be noticed. */
const LARGE = 400;
/** A launcher that does nothing takes some 75. */
const MOST_MB = 250;

describe("a sequence whose number says how often it is carried out", () => {
  const before = "one\r\ntwo\r\nthree\r\n\x1b[2;4r\x1b[3;4Hx";
  for (const final of ["S", "T", "L", "M", "I", "Z", " @", " A"]) {
    it(`does with ${HUGE} what it does with ${LARGE}, at once: CSI ${final}`, () => {
      const [bounded, plain] = [vtScreen(COLS, ROWS), vtScreen(COLS, ROWS)];
      boundCounts(bounded.terminal);
      bounded.write(`${before}\x1b[${HUGE}${final}y`);
      plain.write(`${before}\x1b[${LARGE}${final}y`);
      expect(snapshot(bounded, ROWS)).toEqual(snapshot(plain, ROWS));
    });
  }

  it("leaves the cursor and the screen as REP does, however often that repeats", () => {
    for (const character of ["x", "漢", "🙂", "e\u0301"]) {
      for (const modes of ["", "\x1b[?7l", "\x1b[4h", "\x1b[2;4r"]) {
        for (let count = 4000; count < 4000 + 2 * COLS; count++) {
          const [bounded, plain] = [vtScreen(COLS, ROWS, 0), vtScreen(COLS, ROWS, 0)];
          boundCounts(bounded.terminal);
          for (const { write } of [bounded, plain]) write(`${modes}\x1b[2;3H${character}\x1b[${count}by`);
          expect({ character, modes, count, is: snapshot(bounded, ROWS) }).toEqual({ character, modes, count, is: snapshot(plain, ROWS) });
        }
      }
    }
    const screen = vtScreen(COLS, ROWS);
    boundCounts(screen.terminal);
    screen.write(`x\x1b[${HUGE}b`);
    expect(screen.rows()).toEqual(Array.from({ length: ROWS }, () => "x".repeat(COLS)).with(-1, expect.stringMatching(/^x+$/) as string));
  });
});

describe("links", () => {
  it("lead where they did, and the oldest of too many nowhere", () => {
    const screen = vtScreen(COLS, ROWS);
    const linkAt = boundLinks(screen.terminal);
    boundStrings(screen.terminal);
    const link = (params: string, uri: string): void => screen.write(`\r\x1b]8;${params};${uri}\x1b\\x\x1b]8;;\x1b\\`);
    link("id=a", "http://a");
    link("", "http://b");
    link("id=a", "http://a");
    link("", "http://b");
    expect([1, 2, 3, 4].map(linkAt)).toEqual([{ id: "a", uri: "http://a" }, { uri: "http://b" }, { uri: "http://b" }, undefined]);
    for (let i = 0; i < 300; i++) link("", `http://long/${"y".repeat(10_000)}`);
    expect([linkAt(1), linkAt(2), linkAt(303)?.uri.length]).toEqual([undefined, undefined, 10_012]);
    link("", `http://too-long/${"y".repeat(20_000)}`);
    expect(linkAt(304)).toBeUndefined();
  });
});

describe("memory", () => {
  const program = join(import.meta.dirname, "hostile-output.ts");
  for (const kind of ["string", "device string", "links on one row", "links of any length", "marks", "screens", "text below a region"]) {
    it(`stays below ${MOST_MB} MB under a flood of ${kind}`, () => {
      const { stdout, stderr } = spawnSync(process.execPath, [program, kind], { encoding: "utf8" });
      expect({ stderr, most: Number(stdout) }).toEqual({ stderr: "", most: expect.any(Number) as number });
      expect(Number(stdout)).toBeGreaterThan(40);
      expect(Number(stdout)).toBeLessThan(MOST_MB);
    });
  }
});
