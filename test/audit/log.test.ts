import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { endLostAudit, openAudit } from "../../src/audit/log.ts";
import { listSessions, readSession, unendedSessions, verifyFolder } from "../../src/audit/verify.ts";
import type { AuditOptions } from "../../src/audit/writer.ts";
import { sleep, systemClock } from "../../src/core/clock.ts";
import type { AgentRunError } from "../../src/core/error.ts";
import { folderOfOrdinaryUser, noOrdinaryUser, runAsOrdinaryUser } from "../control/ordinary-user.ts";

const folders: string[] = [];
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-run-audit-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const session = "sess_00000001";
const start = { kind: "start", data: { actor: "claude" } } as const;
const none = new Set<string>();

function options(): AuditOptions & { events: (AgentRunError | undefined)[] } {
  const events: (AgentRunError | undefined)[] = [];
  return { clock: systemClock, onTrouble: (error) => events.push(error), events };
}

const prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].find((path) => statSync(path, { throwIfNoEntry: false }));

describe("openAudit", () => {
  it("writes records in order into a file that only the user can read, and lists the session in the index", async () => {
    const folder = join(temporary(), "audit");
    const audit = await openAudit(folder, session, start, options());
    audit.append("identity", { arn: "arn:aws:sts::123456789012:assumed-role/r/sess_00000001" });
    audit.append("fetch");
    expect(await audit.end({ cause: "exited", code: 0 })).toBe(true);

    expect(readSession(folder, session, none).records.map((record) => record.kind)).toEqual(["start", "identity", "fetch", "end"]);
    expect(statSync(join(folder, `${session}.ndjson`)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "index.ndjson")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0, sessions: [{ session, state: "ended", records: 4 }] });
    expect(listSessions(folder, none)).toMatchObject([
      { session, state: "ended", records: 4, start: { actor: "claude" }, end: { code: 0 } },
    ]);
  });

  it("keeps 5,000 records that come at once, each one a record, in the order they came, from several sessions side by side", async () => {
    const folder = temporary();
    const names = ["sess_00000001", "sess_00000002", "sess_00000003"] as const;
    const audits = await Promise.all(names.map((name) => openAudit(folder, name, start, options())));
    for (let n = 0; n < 5000; n += 1) for (const audit of audits) audit.append("fetch", { n });
    expect(await audits[0]?.settled(10_000)).toBe(true);
    expect(await Promise.all(audits.map((audit) => audit.end({ cause: "exited" })))).toEqual([true, true, true]);
    for (const name of names) {
      const fetches = readSession(folder, name, none).records.filter((record) => record.kind === "fetch");
      expect(fetches.map((record) => record.data["n"])).toEqual(Array.from({ length: 5000 }, (_, n) => n));
    }
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it("counts what finds no room while the disk is busy, and records the count", async () => {
    const folder = temporary();
    const audit = await openAudit(folder, session, start, options());
    for (let n = 0; n < 20_500; n += 1) audit.append("fetch", { n });
    await audit.settled(20_000);
    await audit.end({ cause: "exited" });
    const { records } = readSession(folder, session, none);
    expect(records.slice(-2).map((record) => [record.kind, record.data])).toEqual([
      ["trouble", { dropped: 500 }],
      ["end", { cause: "exited" }],
    ]);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it("refuses a session whose file is there already and leaves that file alone", async () => {
    const folder = temporary();
    writeFileSync(join(folder, `${session}.ndjson`), "precious\n");
    await expect(openAudit(folder, session, start, options())).rejects.toMatchObject({ code: "audit" });
    expect(readFileSync(join(folder, `${session}.ndjson`), "utf8")).toBe("precious\n");
  });

  it("does not follow a link that stands in the place of its file or its index", async () => {
    const folder = temporary();
    const target = join(temporary(), "target");
    writeFileSync(target, "");
    symlinkSync(target, join(folder, `${session}.ndjson`));
    await expect(openAudit(folder, session, { kind: "resumed", data: {} }, options())).rejects.toMatchObject({ code: "audit" });
    rmSync(join(folder, `${session}.ndjson`));
    symlinkSync(target, join(folder, "index.ndjson"));
    await expect(openAudit(folder, session, start, options())).rejects.toMatchObject({ code: "audit" });
    expect(readFileSync(target, "utf8")).toBe("");
    expect(readdirSync(folder)).toEqual(["index.ndjson"]);
  });

  it.skipIf(noOrdinaryUser)(
    `gives an error with a hint when the folder cannot be written (${noOrdinaryUser ?? "as an ordinary user"})`,
    async () => {
      const folder = folderOfOrdinaryUser();
      folders.push(folder);
      chmodSync(folder, 0o500);
      const { stdout } = await runAsOrdinaryUser(join(import.meta.dirname, "fill-disk.ts"), [folder], {});
      expect(JSON.parse(stdout)).toMatchObject({ code: "audit", hint: expect.stringContaining("XDG_STATE_HOME") });
      expect(readdirSync(folder)).toEqual([]);
      chmodSync(folder, 0o700);
    },
  );

  it("says that its file was removed while the session runs, once, and that the end is not on disk", async () => {
    const folder = temporary();
    const given = options();
    const audit = await openAudit(folder, session, start, given);
    rmSync(join(folder, `${session}.ndjson`));
    audit.append("fetch");
    expect(await audit.settled(1000)).toBe(false);
    audit.append("fetch");
    expect(await audit.end({ cause: "exited" }, 1000)).toBe(false);
    expect(given.events.map((event) => event?.code)).toEqual(["audit"]);
    expect(verifyFolder(folder, none).sessions).toMatchObject([{ state: "missing", findings: [{ kind: "missing" }] }]);
  });

  it("reports a full disk within the given time, and leaves whole records only", async () => {
    const folder = temporary();
    const { settled, waitedMs, ended, events } = await fill(folder);
    expect({ settled, ended, events }).toEqual({ settled: false, ended: false, events: ["audit"] });
    expect(waitedMs).toBeLessThan(1500);
    const text = readFileSync(join(folder, `${session}.ndjson`), "latin1");
    expect(text.endsWith("}\n")).toBe(true);
    expect(verifyFolder(folder, none).sessions[0]?.findings.map((finding) => finding.kind)).toEqual(["cut"]);
  });

  it("tries the index again where it could not be written at the end, and closes no file that others have opened since", async () => {
    const folder = temporary();
    const index = join(folder, "index.ndjson");
    const audit = await openAudit(folder, session, start, options());
    renameSync(index, `${index}.away`);
    symlinkSync(`${index}.away`, index);
    expect(await audit.end({ cause: "exited" })).toBe(false);
    const opened = Array.from({ length: 32 }, () => openSync("/dev/null", "r"));
    renameSync(`${index}.away`, index);
    for (const until = performance.now() + 10_000; unendedSessions(folder).length > 0 && performance.now() < until; ) await sleep(20);
    await sleep(50);
    for (const descriptor of opened) closeSync(descriptor);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0, sessions: [{ state: "ended" }] });
  });

  it.skipIf(!prlimit)("writes all that waited as soon as there is room again (needs prlimit)", async () => {
    const folder = temporary();
    const { settled, ended, events } = await fill(folder, prlimit);
    expect({ settled, ended, events }).toEqual({ settled: false, ended: true, events: ["audit", "well"] });
    expect(readSession(folder, session, none).records).toHaveLength(202);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it.skipIf(!prlimit)(
    "writes the end that a full disk did not take as soon as there is room, though nobody waits any more (needs prlimit)",
    async () => {
      const folder = temporary();
      expect(await fill(folder, prlimit, "late")).toMatchObject({ settled: false, ended: false, events: ["audit", "well"] });
      expect(readSession(folder, session, none).records).toHaveLength(202);
      expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0, sessions: [{ state: "ended" }] });
    },
  );
});

/** Runs the filling process where a file can have 8 blocks of 512 or 1024 bytes: a write that goes past that fails with EFBIG. */
async function fill(
  folder: string,
  ...more: (string | undefined)[]
): Promise<{ settled: boolean; waitedMs: number; ended: boolean; events: string[] }> {
  const script = `trap '' XFSZ; ulimit -S -f 8; exec "$@"`;
  const program = [process.execPath, join(import.meta.dirname, "fill-disk.ts"), folder, ...more.map((each) => each ?? "")];
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", script, "sh", ...program]);
  return JSON.parse(stdout);
}

describe("after a daemon was killed", () => {
  async function killed(folder: string): Promise<void> {
    const audit = await openAudit(folder, session, start, options());
    audit.append("fetch");
    await audit.settled(5000);
  }

  it("a session without an end is cut, unless a living daemon says that it is open", async () => {
    const folder = temporary();
    await killed(folder);
    expect(verifyFolder(folder, none).sessions).toMatchObject([{ state: "cut", findings: [{ kind: "cut", severity: "error" }] }]);
    expect(verifyFolder(folder, new Set([session]))).toMatchObject({ errors: 0, sessions: [{ state: "open", findings: [] }] });
    expect(unendedSessions(folder)).toEqual([session]);
  });

  it("endLostAudit closes its chain, and doing it again changes nothing in the file", async () => {
    const folder = temporary();
    await killed(folder);
    await endLostAudit(folder, session, { lost: { why: "the daemon is gone" }, end: { cause: "lost" } }, options());
    expect(readSession(folder, session, none).records.map((record) => record.kind)).toEqual(["start", "fetch", "lost", "end"]);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
    expect(unendedSessions(folder)).toEqual([]);
    await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
    expect(readSession(folder, session, none).records).toHaveLength(4);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it("endLostAudit adds the line that is missing in the index when the end itself is there", async () => {
    const folder = temporary();
    const audit = await openAudit(folder, session, start, options());
    await audit.end({ cause: "exited" });
    const index = join(folder, "index.ndjson");
    writeFileSync(index, `${readFileSync(index, "utf8").split("\n")[0]}\n`);
    expect(verifyFolder(folder, none).sessions[0]?.findings).toMatchObject([{ kind: "missing" }]);
    expect(unendedSessions(folder)).toEqual([session]);
    await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it("a session that is resumed goes on with the same chain, even after its end was recorded", async () => {
    const folder = temporary();
    await killed(folder);
    await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
    const audit = await openAudit(folder, session, { kind: "resumed", data: {} }, options());
    audit.append("fetch");
    await audit.end({ cause: "exited" });
    const kinds = readSession(folder, session, none).records.map((record) => record.kind);
    expect(kinds).toEqual(["start", "fetch", "lost", "end", "resumed", "fetch", "end"]);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  const cutBy = (file: string, bytes: number): void => writeFileSync(file, readFileSync(file).subarray(0, -bytes));

  it.each([10, 200])(
    "a record that was left half written, without its last %d bytes, stays; the next one says so, and that is a warning",
    async (bytes) => {
      const folder = temporary();
      await killed(folder);
      cutBy(join(folder, `${session}.ndjson`), bytes);
      await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
      const { records, report } = readSession(folder, session, none);
      expect(records.map((record) => record.kind)).toEqual(["start", "lost", "end"]);
      expect(report.findings).toMatchObject([{ line: 2, kind: "half", severity: "warning" }]);
      expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 1 });
      expect(unendedSessions(folder)).toEqual([]);
    },
  );

  it("a whole record whose line break alone is missing is one", async () => {
    const folder = temporary();
    await killed(folder);
    cutBy(join(folder, `${session}.ndjson`), 1);
    await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
    expect(readSession(folder, session, none).records.map((record) => record.kind)).toEqual(["start", "fetch", "lost", "end"]);
    expect(verifyFolder(folder, none)).toMatchObject({ errors: 0, warnings: 0 });
  });

  it("what is no half record stays an error: other bytes at the end, or half a record that was changed later", async () => {
    const folder = temporary();
    await killed(folder);
    const path = join(folder, `${session}.ndjson`);
    writeFileSync(path, `${readFileSync(path, "latin1")}nonsense`);
    await endLostAudit(folder, session, { lost: {}, end: { cause: "lost" } }, options());
    expect(verifyFolder(folder, none).sessions[0]?.findings).toMatchObject([{ line: 3, kind: "garbage", severity: "error" }]);

    const other = temporary();
    await killed(other);
    const file = join(other, `${session}.ndjson`);
    cutBy(file, 10);
    await endLostAudit(other, session, { lost: {}, end: { cause: "lost" } }, options());
    const [first, half, ...rest] = readFileSync(file, "latin1").split("\n");
    writeFileSync(file, [first, half?.replace("fetch", "touch"), ...rest].join("\n"));
    expect(verifyFolder(other, none).sessions[0]?.findings).toMatchObject([{ line: 2, kind: "garbage", severity: "error" }]);
  });

  it("an index that power loss left unfinished goes on after it too", async () => {
    const folder = temporary();
    await (await openAudit(folder, session, start, options())).end({});
    const index = join(folder, "index.ndjson");
    writeFileSync(index, readFileSync(index).subarray(0, -10));
    await (await openAudit(folder, "sess_00000002", start, options())).end({});
    const report = verifyFolder(folder, none);
    expect(report.index).toMatchObject([{ line: 2, kind: "half", severity: "warning" }]);
    expect(report.sessions.map((each) => each.findings.map((finding) => finding.kind))).toEqual([["missing"], []]);
  });
});

describe("the secrets of a session", () => {
  it("are not in any file of the audit when a sealed one was appended", async () => {
    const folder = temporary();
    const audit = await openAudit(folder, session, start, options());
    const { Secret } = await import("../../src/core/secret.ts");
    audit.append("fetch", JSON.parse(JSON.stringify({ key: new Secret("wJalrXUtnFEMIK7MDENG") })));
    await audit.end({});
    const all = execFileSync("cat", [join(folder, "index.ndjson"), join(folder, `${session}.ndjson`)], { encoding: "utf8" });
    expect(all).not.toContain("wJalrXUtnFEMI");
    expect(all).toContain("[redacted]");
  });
});
