// The scanner over generated streams: where a stream is cut never changes what comes out, and nothing makes it throw or hold without end.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Scanner } from "../../src/terminal/scanner.ts";
import type { Sequence } from "../../src/terminal/sequence.ts";

/** What came out, and what was found, of a stream that arrives in these chunks. */
function scanned(chunks: readonly Uint8Array[], verdict: (sequence: Sequence) => string | undefined = () => undefined) {
  const out: Uint8Array[] = [];
  const found: string[] = [];
  let mostHeld = 0;
  const scanner = new Scanner({
    emit: (bytes) => out.push(Buffer.from(bytes)),
    sequence(sequence) {
      const { kind, prefix, intermediate, final, params, count } = sequence;
      found.push(`${kind} ${prefix} ${intermediate} ${final} ${params.subarray(0, count).join(";")}`);
      return verdict(sequence);
    },
    osc(payload) {
      found.push(`osc ${payload}`);
      return payload.startsWith("7777;") ? "" : undefined;
    },
    shift: (code) => found.push(`shift ${code}`),
  });
  for (const chunk of chunks) {
    scanner.scan(chunk);
    mostHeld = Math.max(mostHeld, scanner.held);
  }
  scanner.finish();
  return { out: Buffer.concat(out).toString("latin1"), found, mostHeld };
}

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const cut = (whole: Uint8Array, at: readonly number[]): Uint8Array[] => {
  const places = [0, ...at.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
};

const token = fc.oneof(
  fc.constantFrom(
    ..."\x1b[ \x1b] \x1bP \x1b_ \x1b^ \x1bX \x1b\\ \x1b \x07 \x18 \x1a \x9b \x9d \x9c \x90 \u009b \u009d \u009c \u0085 ; : ? > < = ! $ 0 1 25 2026 999 H r J m h l u s 7 8 c # ( ) % @ A z".split(
      " ",
    ),
  ),
  fc.constantFrom(
    "\r\n",
    "\t",
    "\x0e",
    "\x0f",
    "é",
    "漢",
    "🙂",
    "text",
    "\x1b]7777;n;stop\x07",
    "\x1b]8;;http://x\x1b\\",
    "\x1b[5;5H",
    "\x1b[0m",
  ),
  fc.string({ maxLength: 5 }),
);
const stream = fc.oneof(
  fc.array(token, { maxLength: 60 }).map((tokens) => Buffer.from(tokens.join(""), "utf8")),
  fc.array(token, { maxLength: 60 }).map((tokens) => Buffer.from(tokens.join(""), "latin1")),
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.array(token, { maxLength: 9 }),
      fc.constantFrom("1", ";", "x", "é"),
      fc.constantFrom(200, 252, 253, 254, 255, 256, 257, 300, 4092, 4093, 4094, 4095, 4096, 4097, 5000),
    )
    .map(([tokens, fill, count]) => bytes(tokens.join("") + fill.repeat(count) + tokens.reverse().join(""))),
);

describe("scanner", () => {
  it("gives the same for a stream in any pieces, with everything passed", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 20 }), (whole, places) => {
        const once = scanned([whole]);
        const inPieces = scanned(cut(whole, places));
        expect({ out: inPieces.out, found: inPieces.found }).toEqual({ out: once.out, found: once.found });
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the same for a stream byte by byte, with sequences replaced", () => {
    const verdict = ({ final }: Sequence): string | undefined => (final === 0x48 ? "<cup>" : final === 0x72 ? "" : undefined);
    fc.assert(
      fc.property(stream, (whole) => {
        const once = scanned([whole], verdict);
        const single = scanned(
          [...whole].map((byte) => Uint8Array.of(byte)),
          verdict,
        );
        expect({ out: single.out, found: single.found }).toEqual({ out: once.out, found: once.found });
      }),
      { numRuns: 250 },
    );
  });

  it("never holds more than its cap", () => {
    fc.assert(
      fc.property(stream, (whole) => {
        expect(scanned([...whole].map((byte) => Uint8Array.of(byte))).mostHeld).toBeLessThanOrEqual(4098);
      }),
      { numRuns: 200 },
    );
  });

  it("passes text, UTF-8 and well-formed sequences byte for byte", () => {
    const text = "a\x1b[31mb\x1b[0m é漢🙂\r\n\x1b]0;title\x07\x1bP1$qm\x1b\\\x1b_Gx\x1b\\\x1b(0\x1b[?1049h\x1b[>1u\x1b[1 q";
    expect(scanned([bytes(text)]).out).toBe(bytes(text).toString("latin1"));
  });

  it.each([
    ["a CSI that CAN breaks off", "a\x1b[1;2\x18b", "a\x18b"],
    ["a CSI that another one interrupts", "a\x1b[12\x1b[3mb", "a\x1b[3mb"],
    ["a CSI with a private marker in the wrong place", "a\x1b[1<2mb", "ab"],
    ["control characters inside, which act at once", "a\x1b[1<\n2mb", "a\nb"],
    ["a CSI of more parameters than any terminal reads", `a\x1b[${"1;".repeat(300)}Hb`, "ab"],
    ["our own marker", "a\x1b]7777;nonce;stop\x07b", "ab"],
    ["our own marker, ended by ST", "a\x1b]7777;nonce;stop\x1b\\b", "ab"],
  ])("leaves out %s", (_, input, output) => {
    expect(scanned([bytes(input)]).out).toBe(output);
  });

  it.each([
    ["a stray byte", "c3"],
    ["half a character", "e6bc"],
    ["the end of one", "80"],
    ["an overlong one", "e08080"],
    ["a surrogate", "eda080"],
    ["one past the last", "f4908080"],
    ["a byte order mark", "efbbbf"],
  ])("takes %s out of a sequence, which goes on, wherever the stream is cut", (_, hex) => {
    for (const sequence of ["\x1b[1;31m", "\x1b[5;10H", "\x1b(0", "\x1bP1$qm\x1b\\"]) {
      for (let place = 1; place < 3; place++) {
        const whole = Buffer.concat([bytes(`ab${sequence.slice(0, place)}`), Buffer.from(hex, "hex"), bytes(`${sequence.slice(place)}cd`)]);
        for (let at = 0; at <= whole.length; at++) expect(scanned(cut(whole, [at]))).toMatchObject({ out: `ab${sequence}cd` });
      }
    }
  });

  it("knows what was printed before a sequence that such a byte is in and that is left out in the end", () => {
    let out = "";
    const scanner = new Scanner({
      emit: (part) => {
        out += Buffer.from(part).toString();
      },
      sequence: () => undefined,
      osc: () => undefined,
      shift: () => undefined,
    });
    for (const part of [bytes("xe\u0301\x1b[1"), Buffer.from([0xc3]), Buffer.from([0xff, 0x3c]), bytes("2m")]) {
      scanner.scan(part);
      expect(scanner.lastPrinted).toBe("e\u0301");
    }
    expect(out).toBe("xe\u0301");
  });

  it.each([
    ["\x1b[5;10H", "csi 0 0 72 5;10"],
    ["\x1b[;10H", "csi 0 0 72 0;10"],
    ["\x1b[?1049;2004h", "csi 63 0 104 1049;2004"],
    ["\x1b[!p", "csi 0 33 112 "],
    ["\x1b[4:3;5H", "csi 0 0 72 4;5"],
    ["\u009b7;8H", "csi 0 0 72 7;8"],
    ["\x1b#8", "esc 0 35 56 "],
    ["\x1b[99999999999H", "csi 0 0 72 65535"],
  ])("reads %j", (input, found) => {
    expect(scanned([bytes(input)]).found).toEqual([found]);
  });

  it("lets control characters inside the start of a string act before it, wherever the stream is cut", () => {
    const whole = bytes("\x1b\r\nPx@a\x1b\n]0;t\x07\x1b\n_y\x1b\\");
    for (let at = 0; at <= whole.length; at++)
      expect(scanned(cut(whole, [at]))).toMatchObject({ out: "\r\n\x1bPx@a\x1b\\\n\x1b]0;t\x07\n\x1b_y\x1b\\" });
  });

  it("ends a string for the terminal where a sequence of more than any terminal reads comes in pieces", () => {
    const whole = bytes(`\x1bXtext\x1b[${";".repeat(600)}\x1b[Fb`);
    for (const at of [8, 100, 262, 263, 264, 500]) expect(scanned(cut(whole, [at]))).toMatchObject({ out: "\x1bXtext\x1b\\\x1b[Fb" });
  });

  it.each([
    ["a DCS string", "\x1bPq", "\x1b\\"],
    ["an OSC string", "\x1b]1337;", "\x07"],
    ["an APC string that CAN ends", "\x1b_G", "\x18"],
  ])("leaves out the rest of %s that was broken off", (_, start, end) => {
    let out = "";
    const scanner = new Scanner({
      emit: (bytes) => {
        out += Buffer.from(bytes).toString();
      },
      sequence: () => undefined,
      osc: () => undefined,
      shift: () => undefined,
    });
    scanner.scan(bytes(`a${start}${"x".repeat(5000)}`));
    expect([scanner.inString, scanner.cutString(), scanner.inString]).toEqual([true, "\x18", false]);
    out = "";
    for (const part of ["yyy", `zzz${end.slice(0, 1)}`, `${end.slice(1)}b\x1b[5;5Hc`]) scanner.scan(bytes(part));
    expect(out.replace("\x18", "")).toBe("b\x1b[5;5Hc");
    expect(scanner.inString).toBe(false);
  });
});
