// What an agent writes while an overlay covers its screen: held within bounds, and shown in order once it is gone.
import { expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { type OpenOverlay, OverlayHost } from "../../src/terminal/overlay-host.ts";
import { killView } from "../../src/terminal/overlay-views.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { writtenTo } from "./parts.ts";

it("waits with an agent that writes a byte at a time long before memory is short, and then shows all of it", async () => {
  const { output, written } = writtenTo();
  const compositor = new Compositor({ size: { cols: 80, rows: 24 }, reserve: true, emit: output.write, marker: () => false });
  const covered = Promise.withResolvers<void>();
  let waits = false;
  const overlay = new OverlayHost({
    compositor,
    look: terminalKind({ TERM: "xterm" }).look,
    alternate: true,
    saysEnd: () => false,
    hold: (on) => {
      waits = on;
    },
    loadShadow: async () => compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 })),
    changed: () => covered.resolve(),
  });
  const open: OpenOverlay = { view: killView("claude", "ctrl-k", false, false), choose: () => undefined };
  overlay.open(open);
  await covered.promise;
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
