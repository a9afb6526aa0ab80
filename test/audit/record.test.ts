import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIRST, type Json, makeRecord, type RecordData, type RecordKind, readRecord, verifyRecords } from "../../src/audit/record.ts";
import { Secret } from "../../src/core/secret.ts";

const session = "sess_0a1b2c3d";
const t0 = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

function chain(
  entries: readonly { kind: RecordKind; data: RecordData }[],
  at: (index: number) => number = (index) => t0 + index,
): string[] {
  let previous = FIRST;
  return entries.map(({ kind, data }, index) => {
    const { line, hash } = makeRecord({ previous, sequence: index + 1, at: at(index), session, kind, data });
    previous = hash;
    return line;
  });
}

const kinds: RecordKind[] = ["identity", "spawned", "fetch", "refresh", "refresh-failed", "trouble", "answer", "kill"];
const entry = fc.record({ kind: fc.constantFrom(...kinds), data: fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<Json>) });
const logs = fc.array(entry, { minLength: 1, maxLength: 8 }).map((entries) => chain(entries));
const errors = (lines: readonly string[]) => verifyRecords(lines, session).filter((finding) => finding.severity === "error");

describe("makeRecord", () => {
  it("writes a line that another program can check with a JSON parser and SHA-256", async () => {
    const { line, hash } = makeRecord({ previous: FIRST, sequence: 1, at: t0, session, kind: "start", data: { actor: "claude" } });
    expect(JSON.parse(line)).toEqual({
      sequence: 1,
      at: "2026-01-02T03:04:05.006Z",
      session,
      kind: "start",
      data: { actor: "claude" },
      previous: FIRST,
      hash,
    });
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(line.replace(/,"hash":"[0-9a-f]{64}"\}$/, "}")));
    expect(Buffer.from(digest).toString("hex")).toBe(hash);
  });

  it("writes printable ASCII only and gives back every text as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { line } = makeRecord({ previous: FIRST, sequence: 1, at: t0, session, kind: "trouble", data: { text } });
        expect(line).toMatch(/^[\x20-\x7e]+$/);
        expect(readRecord(line)?.data["text"]).toBe(text);
      }),
    );
  });

  it("replaces data that is too long by its size", () => {
    const { line } = makeRecord({ previous: FIRST, sequence: 1, at: t0, session, kind: "trouble", data: { text: "x".repeat(70_000) } });
    expect(readRecord(line)?.data).toEqual({ cut: true, characters: 70_011 });
  });

  it("renders a secret that was put in by mistake as redacted", () => {
    const data = { token: new Secret("wJalrXUtnFEMI") } as unknown as RecordData;
    expect(makeRecord({ previous: FIRST, sequence: 1, at: t0, session, kind: "fetch", data }).line).toContain('"token":"[redacted]"');
  });
});

describe("verifyRecords", () => {
  it("finds nothing in what was written", () => {
    fc.assert(
      fc.property(logs, (lines) => {
        expect(verifyRecords(lines, session)).toEqual([]);
      }),
    );
  });

  it("finds any single byte that was changed", () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.integer({ min: 1, max: 255 }), (lines, where, flip) => {
        const bytes = Buffer.from(lines.join("\n"), "latin1");
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect(errors(bytes.toString("latin1").split("\n"))).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("finds any line that was removed, except from the end, which is the index's to tell", () => {
    fc.assert(
      fc.property(logs, fc.nat(), (lines, where) => {
        fc.pre(lines.length > 1);
        expect(errors(lines.toSpliced(where % (lines.length - 1), 1))).not.toEqual([]);
      }),
    );
  });

  it("finds any two lines that changed places", () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (lines, a, b) => {
        const [from, to] = [a % lines.length, b % lines.length];
        fc.pre(from !== to);
        expect(errors(lines.with(from, lines[to] ?? "").with(to, lines[from] ?? ""))).not.toEqual([]);
      }),
    );
  });

  it("finds any line that is there twice", () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (lines, what, where) => {
        expect(errors(lines.toSpliced(where % (lines.length + 1), 0, lines[what % lines.length] ?? ""))).not.toEqual([]);
      }),
    );
  });

  it("finds any line that was inserted, be it text, a record of another file or a new record with a right hash", () => {
    const foreign = fc.oneof(
      fc.string().filter((text) => !text.includes("\n")),
      logs.map((lines) => lines.at(-1) ?? ""),
      fc
        .tuple(fc.nat({ max: 9 }), entry)
        .map(([sequence, { kind, data }]) => makeRecord({ previous: FIRST, sequence, at: t0, session, kind, data }).line),
    );
    fc.assert(
      fc.property(logs, fc.nat(), foreign, (lines, where, line) => {
        const changed = lines.toSpliced(where % (lines.length + 1), 0, line);
        expect(errors(changed)).not.toEqual([]);
      }),
    );
  });

  it("names the line, and what is wrong with it", () => {
    const lines = chain([
      { kind: "start", data: { actor: "claude" } },
      { kind: "fetch", data: {} },
      { kind: "end", data: {} },
    ]);
    const changed = lines.with(1, (lines[1] ?? "").replace("fetch", "Fetch"));
    expect(errors(changed)[0]).toEqual({
      line: 2,
      severity: "error",
      kind: "changed",
      text: "the record was changed: its hash is not that of its content",
    });
    expect(errors(lines.with(1, ""))[0]).toMatchObject({ line: 2, kind: "garbage" });
  });

  it("warns where the clock went back", () => {
    const lines = chain(
      [
        { kind: "start", data: {} },
        { kind: "fetch", data: {} },
        { kind: "end", data: {} },
      ],
      (index) => t0 - index * 1000,
    );
    expect(verifyRecords(lines, session)).toMatchObject([
      { line: 2, severity: "warning", kind: "time" },
      { line: 3, severity: "warning", kind: "time" },
    ]);
  });

  it("takes nothing after the end but a session that was resumed", () => {
    const following = (kind: RecordKind) =>
      errors(
        chain([
          { kind: "end", data: {} },
          { kind, data: {} },
        ]),
      ).map((finding) => finding.kind);
    expect(following("fetch")).toEqual(["after-end"]);
    expect(following("resumed")).toEqual([]);
  });

  it("finds the records of another session", () => {
    expect(verifyRecords(chain([{ kind: "start", data: {} }]), "sess_ffffffff")).toMatchObject([{ kind: "session" }]);
  });
});
