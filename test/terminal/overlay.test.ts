// Overlays over a running agent: nothing typed ahead answers them, nothing behind them is lost, and they fit.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeyTap } from "../../src/terminal/key-tap.ts";
import { keyNames } from "../../src/terminal/keys.ts";
import { parseKey } from "../../src/terminal/kill-key.ts";
import { Overlay, type OverlayView } from "../../src/terminal/overlay.ts";
import { layoutOverlay } from "../../src/terminal/overlay-layout.ts";
import { codeView, detailsView, helpView, killView } from "../../src/terminal/overlay-views.ts";
import { drawOverlayRows } from "../../src/terminal/overlays.tsx";
import type { Look } from "../../src/terminal/terminal-look.ts";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { barShows, node, type Outer, type OuterOptions, openOuter, pause, shows } from "./outer.ts";
import { snapshot, vtScreen } from "./vt-screen.ts";

let demo = "";
beforeAll(async () => {
  demo = await demoBundle();
});
afterAll(() => removeDemo(demo));
const shell = (script: string, options: OuterOptions = {}): Outer => openOuter(node, [demo, "/bin/sh", "-c", script], options);
const asked = shows("End sh?");
const armedNow = shows("press a key:");

describe("an overlay's answers", () => {
  const view = killView("claude", "ctrl-k");

  it("are none in the first half second", () => {
    const overlay = new Overlay(view, 1000);
    expect([1000, 1200, 1499].map((now) => new Overlay(view, 1000).press("kill", now))).toEqual([undefined, undefined, undefined]);
    expect(overlay.press("kill", 1500)?.label).toBe("end it");
  });

  it("are none while a key is held down", () => {
    const overlay = new Overlay(view, 0);
    for (let now = 30; now < 3000; now += 30) expect(overlay.press("kill", now)).toBeUndefined();
    expect(overlay.press("kill", 3300)?.key).toBe("kill");
  });

  it("are none for keys that it does not name", () => {
    expect(["enter", "y", "x", " "].map((key) => new Overlay(view, 0).press(key, 1000))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["\x1b", ["escape"]],
    ["\x1b[27u", ["escape"]],
    ["\x1b[27;1:1u", ["escape"]],
    ["\x1b[27;1:3u", []],
    ["\x1b[108u", ["l"]],
    ["\x1b[108;2u", ["l"]],
    ["\x1b[108;5u", []],
    ["\x1b[1076::108u", ["l"]],
    ["\x1b[27;1;108~", ["l"]],
    ["\x1b[76;38;108;1;0;1_", ["l"]],
    ["\x1b[76;38;108;0;0;1_", []],
    ["\x1b[13u", ["enter"]],
    ["L\r", ["l", "enter"]],
    ["\x1bl", []],
    ["\x1b[A", []],
  ])("know the key in %j", (bytes, names) => {
    const tap = new KeyTap(parseKey("ctrl-k"));
    expect([...tap.push(Buffer.from(bytes)), ...tap.flush()].flatMap(keyNames)).toEqual(names);
  });
});

describe("an agent with left and right margins", () => {
  it.each([
    ["is told another size for a moment after an overlay that lay on its own screen, so that it draws anew", "\\033[?1049h", "22 80,23 80"],
    ["sees that size also where it has no turn for a while", "\\033[?1049h", "22 80,23 80", "0.25"],
    ["keeps its size after one on the alternate screen", "", ""],
  ])("%s", async (_, screen, sizes, turn = "0.01") => {
    const script = `trap 'stty size >&2' WINCH; printf '${screen}\\033[?69h\\033[5;10s'; echo ready; while :; do sleep ${turn}; done`;
    await using outer = shell(`{ ${script}; } 2>&1`, { rows: 24 });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", armedNow);
    outer.type("\x1b");
    await outer.until("the bar", barShows("readonly@"));
    if (sizes !== "") await outer.until("the second size", shows("23 80"));
    const told = outer.screen.rows().flatMap((row) => row.match(/\d+ 80/g) ?? []);
    expect(told.join()).toBe(sizes);
  });
});

const armed = { armed: true, early: false, page: 0 };
const round: Look = { colour: true, border: "round" };
const details: [string, string][] = [
  ["note", "restriction not verified: no permission to simulate, and the role's policies cannot be read"],
  ["session", "sess_a8f3b21c"],
  ["identity", "arn:aws:sts::123456789012:assumed-role/agent-readonly-with-a-long-name/sess_a8f3b21c"],
  ["limit", "14:05:00, then renewed"],
];
const views: [string, OverlayView, string[]][] = [
  ["the kill question", killView("claude", "ctrl-k"), ["Ctrl-K", "Esc", "?", "d", "l"]],
  ["the kill question where a sign-in is due", killView("claude", "ctrl-k", false, true), ["Ctrl-K", "Esc", "?", "s"]],
  ["the question for a code", codeView("MFA code", ["MFA code for arn:aws:iam::123456789012:mfa/dev"], "42"), ["Esc"]],
  ["the kill question with another agent-run inside", killView("claude", "ctrl-k", true), ["Ctrl-K", "a", "Esc"]],
  ["the keys", helpView("claude", "ctrl-k"), ["Esc", "d"]],
  ["the details", detailsView(details), ["Esc", "?"]],
];
const sizes: [number, number][] = [
  [120, 30],
  [80, 24],
  [40, 10],
  [24, 7],
  [20, 5],
  [8, 2],
  [2, 1],
];

describe.each(views)("the picture of %s", (_, view, keys) => {
  it.each(sizes)("fits %i columns and %i rows, and names its keys", (cols, rows) => {
    const size = { cols, rows: rows - 1 || 1 };
    const layout = layoutOverlay(view, size, armed);
    const screen = vtScreen(Math.max(2, cols), size.rows + 1);
    screen.write(`\x1b[${size.rows + 1};1H${"bar".slice(0, cols)}\x1b[?7l${drawOverlayRows(layout, size, view.loud, round).text}`);
    expect(screen.row(size.rows)).toBe("bar".slice(0, cols));
    const words = screen.rows().join(" ").split(/[ │]+/);
    if (rows >= 8) for (const key of keys) expect(words).toContain(key);
    else if (cols >= 8) expect(words).toContain(keys[0]);
  });

  it.each(sizes.filter(([, rows]) => rows >= 10))("shows all its words at %i columns and %i rows, if on several pages", (cols, rows) => {
    const size = { cols, rows: rows - 1 };
    const { pages } = layoutOverlay(view, size, armed);
    const shown = Array.from({ length: pages }, (_, page) => layoutOverlay(view, size, { ...armed, page }).lines).flat();
    const squeezed = (lines: readonly string[]): string => lines.join("").replace(/ /g, "");
    expect(squeezed(shown)).toBe(squeezed(view.lines));
    if (pages > 1) expect(JSON.stringify(layoutOverlay(view, size, armed).keys)).toContain("Space");
  });
});

describe("an overlay's look", () => {
  const view = killView("claude", "ctrl-k");
  const size = { cols: 80, rows: 23 };
  const drawn = (state: typeof armed, look = round): string =>
    drawOverlayRows(layoutOverlay(view, size, state), size, view.loud, look).text;

  it("says whether keys count, also without colour", () => {
    for (const look of [round, { ...round, colour: false }]) {
      expect(drawn({ ...armed, armed: false }, look)).toContain("keys do not count yet");
      expect(drawn({ ...armed, armed: false, early: true }, look)).toContain("too soon");
      expect(drawn(armed, look)).toContain("press a key");
    }
    for (const early of [false, true]) {
      const { status, width } = layoutOverlay(view, { cols: 40, rows: 9 }, { ...armed, armed: false, early });
      expect(status).toMatch(/wait \.\.\.$|yet \.\.\.$/);
      expect(status?.length).toBeLessThanOrEqual(width);
    }
    const small = layoutOverlay(view, { cols: 20, rows: 4 }, { ...armed, armed: false });
    expect(small.title).toMatch(/wait \.\.\.$/);
  });

  it("has no colour with NO_COLOR, and only ASCII around it where the locale is none of UTF-8", () => {
    const plain = drawn(armed, { colour: false, border: "classic" });
    expect(plain).not.toMatch(/\x1b\[[\d;]*(?<!\d)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(?!\d)[\d;]*m/);
    expect(plain.replace(/\x1b\[[\d;]*[A-Za-z]/g, "")).toMatch(/^[ -~]*$/);
  });
});

describe("an overlay over a running agent", () => {
  it("keeps the agent's keys from it, and gives them back with Escape", async () => {
    await using outer = shell("stty -echo; echo ready; cat");
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    outer.type("lost\r");
    await outer.until("keys to count", armedNow);
    outer.type("\x1b");
    await outer.until("no question", (screen) => !asked(screen));
    outer.type("found\r");
    await outer.until("the agent's echo", shows("found"));
    expect(shows("lost")(outer.screen)).toBe(false);
  });

  it("sends the literal key with l", async () => {
    await using outer = shell("stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -An -tx1; sleep 9");
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    await outer.until("keys to count", armedNow);
    outer.type("l");
    await outer.until("the byte", shows("0b"));
    expect(asked(outer.screen)).toBe(false);
  });

  it("is not answered by a burst of keys, however long", async () => {
    await using outer = shell("echo ready; sleep 9");
    await outer.until("ready", shows("ready"));
    for (let i = 0; i < 40; i++) {
      outer.type("\x0b");
      await pause(30);
    }
    expect(asked(outer.screen)).toBe(true);
    expect(shows("Ending")(outer.screen)).toBe(false);
  });

  it.each([
    ["on the main screen, with what was there before", "seq 900 915; ", ""],
    ["on the alternate screen", "", "\\033[?1049h\\033[H"],
  ])("leaves everything as it was, and output goes on exactly: %s", async (_, before, start) => {
    const script = `i=0; printf '${start}'; while [ $i -lt 60 ]; do printf '\\033[3%dmline %d\\033[m\\r\\n' $((i%8)) $i; i=$((i+1)); sleep 0.04; done; printf done; sleep 9`;
    await using outer = openOuter("/bin/sh", ["-c", `${before}'${node}' '${demo}' sh -c "$SCRIPT"`], {
      cols: 60,
      rows: 14,
      env: { SCRIPT: script },
    });
    await outer.until("some lines", shows("line 12"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    const frozen = outer.screen
      .rows()
      .filter((row) => row.includes("line"))
      .join();
    await pause(700);
    expect(
      outer.screen
        .rows()
        .filter((row) => row.includes("line"))
        .join(),
    ).toBe(frozen);
    outer.type("\x1b");
    await outer.until("the end", shows("done"));
    await pause(100);
    const oracle = vtScreen(60, 13);
    const lines = Array.from({ length: 60 }, (_, i) => `\x1b[3${i % 8}mline ${i}\x1b[m\r\n`).join("");
    const earlier = before === "" ? "" : Array.from({ length: 16 }, (_, i) => `${900 + i}\r\n`).join("");
    oracle.write(`${earlier}${start.replaceAll("\\033", "\x1b")}${lines}done`);
    expect(snapshot(outer.screen, 13)).toEqual(snapshot(oracle, 13));
  });

  it.each(["linux", "screen", "vt220"])(
    "leaves the agent's rows as they were, and those above it that it did not cover: TERM=%s",
    async (TERM) => {
      const script = "printf 'one\\ntwo\\n'; sleep 1; seq 1 3; sleep 9";
      await using outer = openOuter("/bin/sh", ["-c", `seq 900 910; '${node}' '${demo}' sh -c "$SCRIPT"`], {
        env: { SCRIPT: script, TERM },
      });
      await outer.until("its lines", shows("two"));
      outer.type("\x0b");
      await outer.until("keys to count", armedNow);
      expect(outer.screen.terminal.buffer.active.type).toBe("normal");
      outer.type("\x1b");
      await outer.until("what was written meanwhile", (screen) => screen.rows().includes("3"));
      await outer.until("no question", (screen) => !asked(screen));
      const expected = [...Array.from({ length: 11 }, (_, i) => String(900 + i)), "one", "two", "1", "2", "3"];
      expect(outer.screen.rows().slice(0, 16)).toEqual(expected);
      expect(
        outer.screen
          .rows()
          .slice(16, 23)
          .every((row) => row === ""),
      ).toBe(true);
    },
  );

  it("says that a second press came too soon, and takes the one after", async () => {
    await using outer = shell("echo ready; sleep 9", { env: { DEMO_GRACE_MS: "100" } });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", shows("do not count yet"));
    outer.type("\x0b");
    await outer.until("a word about it", shows("too soon"));
    await outer.until("keys to count", armedNow);
    outer.type("\x0b");
    expect(await outer.exited).toEqual({ code: 137 });
  });

  it("leads from the question to the keys and the details, and from there with the kill key back to it", async () => {
    await using outer = shell("echo ready; sleep 9", { env: { DEMO_GRACE_MS: "100" } });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", armedNow);
    outer.type("?");
    await outer.until("the keys", (screen) => shows("Every other key is sh's")(screen) && armedNow(screen));
    outer.type("d");
    await outer.until("the details", (screen) => shows("readonly")(screen) && shows("Session")(screen) && armedNow(screen));
    outer.type("\x0b");
    await outer.until("the question again", (screen) => asked(screen) && armedNow(screen));
    outer.type("\x0b");
    expect(await outer.exited).toEqual({ code: 137 });
  });

  it("waits with a question of others until the human's own is closed, and keeps it while keys and details are looked at", async () => {
    await using outer = shell("echo ready; sleep 9", { env: { DEMO_ASK_AFTER_MS: "1500" } });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    await pause(1600);
    expect(asked(outer.screen)).toBe(true);
    outer.type("\x1b");
    await outer.until("the other question", (screen) => shows("Go on?")(screen) && armedNow(screen));
    outer.type("\x0b");
    await outer.until("the human's own above it", (screen) => asked(screen) && armedNow(screen));
    outer.type("\x1b");
    await outer.until("the other question again", (screen) => shows("Go on?")(screen) && armedNow(screen));
    outer.type("y");
    await outer.until("its answer on the bar", barShows("answer y"));
  });

  it("does not hide that the agent ended by itself", async () => {
    await using outer = shell("echo ready; sleep 1; echo last; exit 4");
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    expect(await outer.exited).toEqual({ code: 4 });
    expect(outer.screen.rows().join()).toMatch(/ready,.*last/);
  });

  it("follows the window's size", async () => {
    await using outer = shell("seq 1 9; sleep 9");
    await outer.until("the bar", barShows("sh"));
    outer.type("\x0b");
    await outer.until("the question", asked);
    for (const [cols, rows] of [
      [40, 10],
      [20, 5],
      [120, 30],
    ] as const) {
      outer.resize(cols, rows);
      await outer.until(`the keys at ${cols}x${rows}`, (screen) => barShows("sh")(screen) && shows("Ctrl-K")(screen));
    }
    await outer.until("keys to count", armedNow);
    outer.type("\x1b");
    await outer.until("the agent's output", (screen) => screen.rows().filter((row) => /^[1-9]$/.test(row)).length === 9 && !asked(screen));
  });
});
