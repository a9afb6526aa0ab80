import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAudit } from "../../src/audit/log.ts";
import { listSessions, readSession, verifyFolder } from "../../src/audit/verify.ts";
import { systemClock } from "../../src/core/clock.ts";

const none = new Set<string>();
const options = { clock: systemClock, onTrouble: () => {} };
const sessions = ["sess_00000001", "sess_00000002", "sess_00000003"] as const;
let base: string;
let written: string;
let files: string[];

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "agent-run-verify-"));
  written = join(base, "written");
  for (const [index, session] of sessions.entries()) {
    const audit = await openAudit(written, session, { kind: "start", data: { actor: "claude", index } }, options);
    for (let n = 0; n < index + 1; n += 1) audit.append("fetch", { n, text: "π → \u0007" });
    await audit.end({ cause: "exited" });
  }
  files = readdirSync(written).sort();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A copy of what was written, changed by `change`, verified. */
function afterChange(change: (folder: string) => void) {
  const folder = mkdtempSync(join(base, "copy-"));
  cpSync(written, folder, { recursive: true });
  change(folder);
  const report = verifyFolder(folder, none);
  rmSync(folder, { recursive: true });
  return report;
}

const edit = (folder: string, file: string, change: (bytes: Buffer) => Uint8Array): void =>
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file))));

const anyFile = fc.nat().map((n) => files[n % files.length] ?? "");

describe("verifyFolder", () => {
  it("finds nothing in what was written", () => {
    expect(afterChange(() => {})).toMatchObject({ errors: 0, warnings: 0, index: [] });
  });

  it("finds nothing where there is no audit yet", () => {
    expect(verifyFolder(join(base, "absent"), none)).toEqual({ sessions: [], index: [], errors: 0, warnings: 0 });
  });

  it("finds any byte that was changed, in any file, the index included", () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), fc.integer({ min: 1, max: 255 }), (file, where, flip) => {
        const report = afterChange((folder) =>
          edit(folder, file, (bytes) => bytes.map((byte, at) => (at === where % bytes.length ? byte ^ flip : byte))),
        );
        expect(report.errors).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("finds a file that was cut at any byte, the index included", () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), (file, where) => {
        expect(afterChange((folder) => edit(folder, file, (bytes) => bytes.subarray(0, where % bytes.length))).errors).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("finds any line that was removed, doubled or moved, in any file", () => {
    const how = fc.constantFrom("remove", "double", "move");
    fc.assert(
      fc.property(anyFile, fc.nat(), how, (file, where, what) => {
        const report = afterChange((folder) =>
          edit(folder, file, (bytes) => {
            const lines = bytes.toString("latin1").trimEnd().split("\n");
            const at = where % lines.length;
            const line = lines[at] ?? "";
            if (what === "remove") lines.splice(at, 1);
            if (what === "double") lines.splice(at, 0, line);
            if (what === "move") lines.push(...lines.splice(at === lines.length - 1 ? 0 : at, 1));
            return Buffer.from(lines.map((text) => `${text}\n`).join(""), "latin1");
          }),
        );
        expect(report.errors).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it("finds bytes that were inserted anywhere, a line break included", () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), fc.constantFrom("\n", " ", "\r", "{}\n", "\u0000", "\ufeff"), (file, where, text) => {
        const report = afterChange((folder) =>
          edit(folder, file, (bytes) => {
            const at = where % (bytes.length + 1);
            return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)]);
          }),
        );
        expect(report.errors).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it.each(sessions)("finds that the whole file of %s is gone", (session) => {
    const report = afterChange((folder) => rmSync(join(folder, `${session}.ndjson`)));
    expect(report.sessions.find((each) => each.session === session)).toMatchObject({ state: "missing", findings: [{ kind: "missing" }] });
  });

  it("finds that the index is gone", () => {
    const report = afterChange((folder) => rmSync(join(folder, "index.ndjson")));
    expect(report.sessions.map((each) => each.findings.map((finding) => finding.kind))).toEqual([["unlisted"], ["unlisted"], ["unlisted"]]);
  });

  it("takes a session that runs as whole without an end, and without a word in the index only with a warning", () => {
    const runs = (open: ReadonlySet<string>) => {
      const folder = mkdtempSync(join(base, "open-"));
      cpSync(join(written, `${sessions[2]}.ndjson`), join(folder, `${sessions[2]}.ndjson`));
      edit(folder, `${sessions[2]}.ndjson`, (bytes) => bytes.subarray(0, bytes.lastIndexOf("\n", -2) + 1));
      return verifyFolder(folder, open).sessions.map(({ state, findings }) => [
        state,
        ...findings.map(({ kind, severity }) => `${severity}: ${kind}`),
      ]);
    };
    expect(runs(new Set([sessions[2]]))).toEqual([["open", "warning: unlisted"]]);
    expect(runs(none)).toEqual([["cut", "error: cut", "error: unlisted"]]);
  });

  it("finds a file that was replaced by another with a chain of its own", async () => {
    const elsewhere = join(base, "elsewhere");
    mkdirSync(elsewhere, { mode: 0o700 });
    await (await openAudit(elsewhere, sessions[0], { kind: "start", data: { actor: "nobody" } }, options)).end({});
    const report = afterChange((folder) => cpSync(join(elsewhere, `${sessions[0]}.ndjson`), join(folder, `${sessions[0]}.ndjson`)));
    expect(report.sessions[0]?.findings.map((finding) => finding.kind)).toContain("replaced");
  });

  it("takes a line of the index that is just being written for an error only where no session is open", () => {
    const found = (open: ReadonlySet<string>) => {
      const folder = mkdtempSync(join(base, "torn-"));
      cpSync(written, folder, { recursive: true });
      edit(folder, "index.ndjson", (bytes) => Buffer.concat([bytes, Buffer.from('{"sequence":7,')]));
      return verifyFolder(folder, open).index.map(({ kind, severity }) => `${severity}: ${kind}`);
    };
    expect(found(new Set([sessions[2]]))).toEqual(["warning: cut"]);
    expect(found(none)).toEqual(["error: cut"]);
  });

  it("finds two files that changed names", () => {
    const report = afterChange((folder) => {
      renameSync(join(folder, `${sessions[0]}.ndjson`), join(folder, "x"));
      renameSync(join(folder, `${sessions[1]}.ndjson`), join(folder, `${sessions[0]}.ndjson`));
      renameSync(join(folder, "x"), join(folder, `${sessions[1]}.ndjson`));
    });
    expect(report.sessions[0]?.findings.map((finding) => finding.kind)).toContain("session");
    expect(report.sessions[1]?.findings.map((finding) => finding.kind)).toContain("session");
    expect(report.sessions[2]?.findings).toEqual([]);
  });
});

describe("readSession and listSessions", () => {
  it("give the records with their texts as they were, and the sessions oldest first", () => {
    expect(readSession(written, sessions[1], none).records.map((record) => record.data["text"])).toEqual([
      undefined,
      "π → \u0007",
      "π → \u0007",
      undefined,
    ]);
    expect(listSessions(written, none).map((each) => each.session)).toEqual([...sessions]);
  });

  it.each(["sess_ffffffff", "../../etc/passwd", ""])("know no session '%s'", (name) => {
    expect(() => readSession(written, name, none)).toThrow(expect.objectContaining({ code: "session-not-found" }));
  });
});
