// What passes a flood through the same memory again and again: the reader, and the writer to a terminal that is slow.
import { closeSync } from "node:fs";
import { ReadStream } from "node:tty";
import * as nodePty from "@lydell/node-pty";
import { afterEach, describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { type Handle, readDirectly } from "../../src/terminal/direct-reader.ts";
import { openPacedWriter } from "../../src/terminal/paced-writer.ts";
import { openOutput } from "../../src/terminal/terminal-output.ts";

const openPair = (nodePty as unknown as { native: { open(cols: number, rows: number): { master: number; slave: number } } }).native.open;
let opened = new DisposableStack();
afterEach(() => {
  opened.dispose();
  opened = new DisposableStack();
});

/** Both ends of a PTY; the master's is a stream. */
function pty(): { near: ReadStream; far: number } {
  const { master, slave } = openPair(80, 24);
  const near = new ReadStream(master);
  opened.defer(() => closeSync(slave));
  opened.defer(() => void near.destroy());
  return { near, far: slave };
}

/** Bytes that terminals do not change on their way, no two rows the same. */
function rows(from: number, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, i) => `${String(from + i).padStart(7, "0")} ${"abcdefg ".repeat(7)}`).join(""));
}

describe("memory that is lent", () => {
  it("is as it was until the next comes, and holds all that was read, in two blocks", async () => {
    const { near, far } = pty();
    const all = rows(0, 20_000);
    const seen: Buffer[] = [];
    const blocks = new Set<ArrayBufferLike>();
    let last: Buffer | undefined;
    let length = 0;
    const done = Promise.withResolvers<void>();
    const reader = readDirectly(
      near as unknown as Handle,
      (bytes) => {
        if (last !== undefined) expect(last.equals(seen.at(-1) as Buffer)).toBe(true);
        if (bytes.buffer.byteLength === 65_536) blocks.add(bytes.buffer);
        last = bytes;
        seen.push(Buffer.from(bytes));
        length += bytes.length;
        if (length === all.length) done.resolve();
      },
      true,
    );
    opened.defer(reader.destroy);
    const writer = openPacedWriter(far);
    opened.defer(writer.close);
    writer.write(all);
    await done.promise;
    expect(Buffer.concat(seen).equals(all)).toBe(true);
    expect(blocks.size).toBeLessThanOrEqual(2);
    expect(blocks.size).toBeGreaterThan(0);
  });

  it("reaches a terminal that is slow as it was when it was written", () => {
    const waiting: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
    const taken: Buffer[] = [];
    const take = (): void => {
      const first = waiting.shift();
      if (first !== undefined) taken.push(Buffer.from(first.bytes));
      first?.done();
    };
    // No descriptor takes anything at once.
    const output = openOutput({ write: (bytes, done) => void waiting.push({ bytes, done }) }, -1);
    const block = Buffer.alloc(65_536);
    const parts = Array.from({ length: 40 }, (_, i) => rows(i * 1000, 1000 - i));
    for (const [i, part] of parts.entries()) {
      output.together(() => {
        part.copy(block);
        output.write(block.subarray(0, part.length));
        if (i % 3 === 0) output.write("@");
      });
      block.fill("#");
      if (i % 2 === 1) take();
    }
    while (waiting.length > 0) take();
    expect(output.isEmpty()).toBe(true);
    expect(Buffer.concat(taken).toString()).toBe(parts.map((part, i) => part + (i % 3 === 0 ? "@" : "")).join(""));
  });

  it("is the same for a slow terminal however many pieces are written to it in a turn", () => {
    const taken: Buffer[] = [];
    const memory = new Set<ArrayBufferLike>();
    const waiting: (() => void)[] = [];
    const take = (bytes: Uint8Array, done: () => void): void => {
      memory.add(bytes.buffer);
      taken.push(Buffer.from(bytes));
      waiting.push(done);
    };
    const output = openOutput({ write: take }, -1);
    const pieces = Array.from({ length: 5000 }, (_, i) => `\x1b[${i};1r größer`);
    for (let turn = 0; turn < 50; turn++) {
      taken.length = 0;
      output.together(() => {
        for (const [i, piece] of pieces.entries()) output.write(i % 2 === 0 ? piece : Buffer.from(piece));
      });
      expect(Buffer.concat(taken).toString()).toBe(pieces.join(""));
      for (const done of waiting.splice(0)) done();
    }
    expect(output.isEmpty()).toBe(true);
    expect(memory.size).toBeLessThanOrEqual(8);
  });

  it("gives out what was written, wherever it is cut, although it is used again at once", () => {
    const line =
      "plain \x1b[38;5;99mcolour\x1b[m größer 漢字 🙂\x1b[K \x1b[12;3H\x1b[?25l\x1b]2;title\x07 \x1b(0q\x1b(B \u009b1m \x1bP$qm\x1b\\\r\n";
    const all = Buffer.from(line.repeat(300));
    for (const length of [1, 2, 3, 7, 61, 1025, 4096, 9999]) {
      const out: Buffer[] = [];
      const compositor = new Compositor({
        size: { cols: 80, rows: 24 },
        reserve: false,
        emit: (bytes) => out.push(Buffer.from(bytes)),
        marker: () => false,
      });
      const block = Buffer.alloc(length);
      for (let at = 0; at < all.length; at += length) {
        compositor.write(block.subarray(0, all.copy(block, 0, at, at + length)));
        block.fill("#");
      }
      expect(Buffer.concat(out).toString()).toBe(all.toString());
    }
  });

  it("is not looked at again for how the output before the agent's end stopped: with a line, or within one", () => {
    for (const [text, within] of [
      ["$ ls\r\n", false],
      ["$ ls", true],
    ] as const) {
      const compositor = new Compositor({
        size: { cols: 80, rows: 24 },
        reserve: true,
        emit: () => undefined,
        marker: () => true,
      });
      const block = Buffer.alloc(64);
      for (const part of [text, "\x1b]7777;the end\x07"]) {
        compositor.write(block.subarray(0, block.write(part)));
        if (part === text) block.fill(within ? "\n" : "#");
      }
      expect({ text, within: compositor.endsWithinLine }).toEqual({ text, within });
    }
  });
});
