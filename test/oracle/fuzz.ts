// One generated stream through the compositor and, beside it, into a terminal of the agent's own size: says where they differ. Used by fuzz.test.ts
// and fuzz-command.ts.
import { isDeepStrictEqual } from "node:util";
import type xterm from "@xterm/headless";
import { SCROLLBACK } from "../../src/terminal/backlog.ts";
import { Compositor } from "../../src/terminal/compositor.ts";
import { asMostTerminals, asTheManual, knowSideMargins } from "../../src/terminal/emulator.ts";
import { resizeEmulator } from "../../src/terminal/emulator-resize.ts";
import type { Size } from "../../src/terminal/pty.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { snapshot, type VtScreen, vtScreen } from "../terminal/vt-screen.ts";
import { Covered, PROBES } from "./covered.ts";
import type { Stream } from "./streams.ts";

/** What ends whatever stands open, so that both terminals have shown all that they got. */
const CLOSE = "\x18\x1b[?2026l";
/** Restores of a cursor that was never saved are put right by the shadow only. */
const MAY_RESTORE = /[8ulc]|\?[^@-~]*r/;
/** So is, in xterm.js, a cursor that waits behind the last column over a clear, before which our row is made blank; in xterm the clear ends that. */
const MAY_CLEAR = /J/;

/** xterm.js ends a string of SOS, PM or APC at its first character that is not ASCII, other terminals (and our scanner) at its end. */
const ENDS_EARLY = /(?:\x1b[\0-\x17\x19\x1c-\x1f\x7f]*[X^_]|[\x98\x9e\x9f])[^\x1b\x18\x1a\x80-\x9f]*[^\0-\x9f]/;
/** What REP repeats behind a string is not defined (ECMA-48). Where a malformed sequence ends the string, we end it before the REP. */
const REPEATS_STRING = /(?:\x1b[X^_]|[\x98\x9e\x9f])[^\x1b\x9b]*(?:(?:\x1b[[P]?|\x9b)[ -?]*){2,}b/;
/** In xterm.js as it is, a row on which text wraps onto itself, the last one below a region, says that it continues the one above; what we draw there says no such thing. */
const REGION = /(?:\x1b\[|\x9b)[\d;]*r/;
const isUndefined = (text: string): boolean => ENDS_EARLY.test(text) || REPEATS_STRING.test(text);
const textOf = ({ steps }: Stream): string =>
  Buffer.concat(steps.map((step) => (step.kind === "write" ? step.bytes : Buffer.of()))).toString();

const barOf = (cols: number): string => "=".repeat(cols);

/**
 * A line of more rows than the scrollback has is broken elsewhere when the width changes again, so all have the same here.
 *
 * Gives what differs, or undefined. @throws what the compositor throws */
export function differenceOf(stream: Stream): string | undefined {
  const outer = vtScreen(stream.size.cols, stream.size.rows, SCROLLBACK);
  let broken = false;
  const emit = (bytes: Uint8Array | string): void => {
    try {
      outer.write(bytes);
    } catch {
      broken = true;
    }
  };
  const compositor = new Compositor({ size: stream.size, reserve: true, emit, marker: () => false });
  const oracle = vtScreen(stream.size.cols, compositor.agentSize.rows, SCROLLBACK);
  asTheManual(oracle.terminal);
  if (stream.manual) asTheManual(outer.terminal);
  else knowSideMargins(outer.terminal);
  if (!stream.xtermJs) for (const { terminal } of [outer, oracle]) asMostTerminals(terminal);
  compositor.bar = barOf(stream.size.cols);
  compositor.begin();
  compositor.paint();

  const overlay = new Covered(compositor);
  let resized = false;
  let adopted = false;
  // In one piece: xterm.js reads a character otherwise when a write ends inside it.
  let written: Uint8Array[] = [];
  const settle = (): void => {
    try {
      oracle.write(Buffer.concat(written));
    } catch {
      broken = true;
    }
    written = [];
  };
  const adopt = (): void => {
    if (!adopted) compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }, stream));
    adopted = true;
  };
  const write = (bytes: Uint8Array): void => {
    written.push(bytes);
    overlay.write(bytes);
    if (!overlay.isOpen && compositor.mayPaint && compositor.frame.damaged) compositor.paint();
  };
  const uncover = (): void => {
    if (overlay.close() && compositor.mayPaint) compositor.paint();
  };

  let begun = "";
  try {
    for (const [index, step] of stream.steps.entries()) {
      if (lost(outer) || lost(oracle)) return undefined;
      if (step.kind === "write") begun += Buffer.from(step.bytes).toString("latin1");
      if (index >= stream.shadowAfter || MAY_RESTORE.test(begun) || (stream.xtermJs && MAY_CLEAR.test(begun))) adopt();
      const free = !overlay.isOpen && compositor.mayPaint;
      if (step.kind === "write") write(step.bytes);
      else if (step.kind === "pause" && adopted && free) compositor.paint();
      else if (step.kind === "cover" && free) {
        adopt();
        overlay.open(index % 2 === 0);
      } else if (step.kind === "uncover") uncover();
      else if (step.kind === "resize" && !sameSize(step.size, outer.terminal)) {
        uncover();
        adopt();
        settle();
        if (lost(outer) || lost(oracle)) return undefined;
        resized = true;
        resizeEmulator(outer.terminal, step.size.cols, step.size.rows);
        compositor.bar = barOf(step.size.cols);
        compositor.resize(step.size);
        resizeEmulator(oracle.terminal, compositor.agentSize.cols, compositor.agentSize.rows);
        if (compositor.mayPaint) compositor.paint();
      }
    }
    uncover();
    adopt();
    for (const probe of [CLOSE, ...PROBES]) {
      write(Buffer.from(probe));
      settle();
      if (lost(outer) || lost(oracle)) return undefined;
      const found = compare(outer, oracle, compositor, resized, stream.xtermJs && REGION.test(textOf(stream)));
      if (found !== undefined) return broken || isUndefined(textOf(stream)) ? undefined : found;
    }
    return undefined;
  } catch (error) {
    if (broken || lost(outer) || lost(oracle)) return undefined;
    throw error;
  } finally {
    outer.terminal.dispose();
    oracle.terminal.dispose();
  }
}

const sameSize = (a: Size, b: Size): boolean => a.cols === b.cols && a.rows === b.rows;

/**
 * A resize can break xterm.js 6.0: it loses or keeps a line too many of its alternate screen, or leaves half of a wide character. No terminal shows such things, and there is nothing to compare.
 */
function lost({ terminal }: VtScreen): boolean {
  const { active } = terminal.buffer;
  if (active.type === "alternate" && active.length !== terminal.rows) return true;
  return Array.from({ length: terminal.rows }, (_, y) => active.getLine(active.baseY + y)).some(
    (line) => line === undefined || halved(line, terminal.cols),
  );
}

function halved(line: xterm.IBufferLine, cols: number): boolean {
  return Array.from({ length: cols }, (_, x) => x).some((x) => line.getCell(x)?.getWidth() === 2 && line.getCell(x + 1)?.getWidth() !== 0);
}

function compare(outer: VtScreen, oracle: VtScreen, compositor: Compositor, resized: boolean, ontoItself: boolean): string | undefined {
  const { rows } = compositor.agentSize;
  const told = (what: unknown): string => JSON.stringify(what, undefined, 1);
  for (const painted of [false, true]) {
    if (painted) compositor.paint();
    const bar = outer.row(rows);
    if (compositor.frame.reserved && bar !== barOf(outer.terminal.cols)) return `the bar shows ${told(bar)}`;
    const links = resized ? "none" : "cells";
    const [is, ought] = [snapshot(outer, rows, links), snapshot(oracle, rows, links)];
    for (const name of Object.keys(is)) {
      // A grown window has lines twice that a bare terminal pulls out of its scrollback: a known gap, docs/terminal.md.
      if ((name === "scrollback" && resized) || (name === "wrapped" && ontoItself) || isDeepStrictEqual(is[name], ought[name])) continue;
      return `${painted ? "after a paint, " : ""}${name}:\n${told(is[name])}\nand in the oracle:\n${told(ought[name])}`;
    }
    if (outer.title !== oracle.title) return `title: ${told([outer.title, oracle.title])}`;
    if (outer.answers !== oracle.answers) return `answers: ${told([outer.answers, oracle.answers])}`;
  }
  return undefined;
}
