// Keys that nobody typed: they leave no trace.
import { readdirSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readDirectly } from "../../src/terminal/direct-reader.ts";
import { parseKey } from "../../src/terminal/kill-key.ts";
import { openPacedWriter } from "../../src/terminal/paced-writer.ts";
import { Screen } from "../../src/terminal/screen.ts";
import type { ScreenOptions } from "../../src/terminal/screen-options.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { openOutput } from "../../src/terminal/terminal-output.ts";
import { warmUp } from "../../src/terminal/warm-up.ts";

const way = { readDirectly, openOutput, openPacedWriter, Screen };

/** What the real human, agent and launcher notice. */
function real(): { options: ScreenOptions; noticed: string[] } {
  const noticed: string[] = [];
  const notes =
    (what: string) =>
    (...given: unknown[]): void =>
      void noticed.push(`${what} ${String(given)}`);
  const options: ScreenOptions = {
    output: {
      isEmpty: () => true,
      onPressure: notes("pressure"),
      write: notes("written"),
      together: notes("together"),
      drained: async () => notes("drained")(),
    },
    guard: { protect: notes("guard") },
    size: { cols: 80, rows: 24 },
    bar: undefined,
    agent: "cat",
    killKey: parseKey("ctrl-k"),
    kind: terminalKind({ TERM: "xterm-256color" }),
    console: undefined,
    closed: true,
    details: () => {
      throw new Error("nobody asked");
    },
    voice: undefined,
    saysEnd: () => {
      notes("looked for the end")();
      return false;
    },
    marker: () => {
      notes("marker")();
      return false;
    },
    toAgent: notes("to the agent"),
    resizeAgent: notes("resized"),
    hold: notes("held"),
    onKill: notes("killed"),
    signIn: { needed: () => false, begin: notes("signs in") },
  };
  return { options, noticed };
}

const PLACE = process.platform === "linux" ? "/proc/self/fd" : "/dev/fd";
/** Terminals and /dev/null, which is all that it opens. */
function openThere(): string[] {
  return readdirSync(PLACE).flatMap((fd) => {
    try {
      const path = process.platform === "linux" ? readlinkSync(`${PLACE}/${fd}`) : fd;
      return path === "/dev/null" || path.startsWith("/dev/pt") || process.platform !== "linux" ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe("keys typed to warm up", () => {
  it("reach neither the human nor the agent, and leave nothing open when they are through", async () => {
    const { options, noticed } = real();
    const before = openThere();
    let looks = 0;
    const end = warmUp(way, options, () => {
      looks++;
      return true;
    });
    expect(openThere().length).toBeGreaterThan(before.length);
    // A row of the few that go first, and fifty rows of twenty.
    await expect.poll(() => looks, { timeout: 20_000 }).toBe(51);
    await expect.poll(openThere, { timeout: 5000 }).toEqual(before);
    end();
    expect(noticed).toEqual([]);
  });

  it("are not typed while the agent writes, and are taken back at once", async () => {
    const { options, noticed } = real();
    const before = openThere();
    let looks = 0;
    const end = warmUp(way, options, () => {
      looks++;
      return false;
    });
    await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(2);
    end();
    await expect.poll(openThere, { timeout: 5000 }).toEqual(before);
    const seen = looks;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(looks).toBe(seen);
    expect(noticed).toEqual([]);
  });
});
