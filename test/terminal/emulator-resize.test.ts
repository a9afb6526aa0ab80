// Lines that wrap anew in an emulator keep what was in them.
import { expect, it } from "vitest";
import { resizeEmulator } from "../../src/terminal/emulator-resize.ts";
import { vtScreen } from "./vt-screen.ts";

it.each(["b\u0301d\u0302f\u0303", "b\u0301漢\u0302🙂\u0303", "👩\u200d🙂x\u0301y"])(
  "marks stay with their characters when lines wrap anew: %s",
  (text) => {
    const screen = vtScreen(30, 20);
    const written = Array.from({ length: 40 }, (_, i) => `${text}${i}`).join("");
    // The line that the cursor is in wraps not anew.
    screen.write(`${written}\r\n`);
    for (const cols of [29, 17, 8, 11, 30, 23]) {
      resizeEmulator(screen.terminal, cols, 20);
      const { active } = screen.terminal.buffer;
      const shown = Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true) ?? "").join("");
      expect({ cols, shown }).toEqual({ cols, shown: written });
    }
  },
);
