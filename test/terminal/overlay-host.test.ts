// What an agent writes while an overlay covers its screen: held within bounds, and shown in order once it is gone.
import { expect, it, vi } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { type OpenOverlay, OverlayHost } from "../../src/terminal/overlay-host.ts";
import { killView } from "../../src/terminal/overlay-views.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { writtenTo } from "./parts.ts";

const kill = (choose: () => void = () => undefined): OpenOverlay => ({ view: killView("claude", "ctrl-k", false, false), choose });

/** A host over an empty screen of 80 columns. */
function rig(hold: (on: boolean) => void = () => undefined) {
  const { output, written } = writtenTo();
  const compositor = new Compositor({ size: { cols: 80, rows: 24 }, reserve: true, emit: output.write, marker: () => false });
  const covered = Promise.withResolvers<void>();
  const overlay = new OverlayHost({
    compositor,
    look: terminalKind({ TERM: "xterm" }).look,
    alternate: true,
    saysEnd: () => false,
    hold,
    loadShadow: async () => compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 })),
    changed: () => covered.resolve(),
  });
  return { overlay, written, covered: covered.promise };
}

it("asks the one that took another's place, once its keys count", async () => {
  const { overlay, covered } = rig();
  const chosen: string[] = [];
  const before = kill(() => chosen.push("before"));
  overlay.open(before);
  await covered;
  overlay.replace(
    before,
    kill(() => chosen.push("after")),
  );
  const press = (): boolean => overlay.press({ kind: "kill", bytes: Buffer.from("\x0b"), repeat: false });
  // Typing starts the half second anew in which it does not count.
  await vi.waitFor(
    () => {
      press();
      expect(chosen).toEqual(["after"]);
    },
    { timeout: 20_000, interval: 700 },
  );
});

it("waits with an agent that writes a byte at a time long before memory is short, and then shows all of it", async () => {
  let waits = false;
  const { overlay, written, covered } = rig((on) => {
    waits = on;
  });
  const open = kill();
  overlay.open(open);
  await covered;
  const before = written().length;
  let pieces = 0;
  const one = Buffer.from("x");
  while (!waits && pieces < 1_000_000) {
    overlay.hold(one);
    pieces++;
  }
  expect(pieces).toBeLessThan(50_000);
  expect(written()).toHaveLength(before);
  overlay.remove(open);
  expect(waits).toBe(false);
  expect(written().slice(before)).toContain("x".repeat(pieces));
});
