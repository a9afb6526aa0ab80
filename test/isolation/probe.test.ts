// Probing by doing: what a machine that cannot isolate is told, and that only good results are kept.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KEYRING_REFUSED, preludeFile } from "../../src/isolation/own-programs.ts";
import { probeIsolation } from "../../src/isolation/probe.ts";
import { hasBubblewrap, missing } from "./world.ts";

/** Without anything that goes before bwrap. */
const NONE = { prelude: undefined, keyring: false };
const PATH = "/usr/local/bin:/usr/bin:/bin";
const PROBE = join(import.meta.dirname, "../../src/isolation/probe.ts");
const PRELUDE = preludeFile(join(import.meta.dirname, "../.."), process.arch);

describe("the probe", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "probe-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const fakeBwrap = (script: string): void => {
    writeFileSync(join(folder, "bwrap"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "bwrap"), 0o755);
  };

  it("says how to install bubblewrap when there is none", async () => {
    const result = await probeIsolation("standard", { platform: "linux", path: folder, ...NONE });
    expect(result).toMatchObject({ ok: false, why: "bubblewrap is not installed: no 'bwrap' on PATH" });
    expect(result.ok || result.hint).toContain("install bubblewrap");
  });

  it("says of a bwrap that does not come to an end that it took too long", async () => {
    fakeBwrap("exec sleep 60");
    const result = await probeIsolation("standard", { platform: "linux", path: `${folder}:${PATH}`, ...NONE });
    expect(result).toMatchObject({ ok: false, why: expect.stringContaining("it took too long") });
  }, 20_000);

  it("says that there is no place for its files", async () => {
    fakeBwrap("exit 0");
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = join(folder, "none");
    const probing = probeIsolation("standard", { platform: "linux", path: `${folder}:${PATH}`, ...NONE });
    expect(await probing).toMatchObject({
      ok: false,
      why: expect.stringContaining(`${folder}/none takes no file: ENOENT`),
      hint: expect.stringContaining("TMPDIR"),
    });
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });

  it("refuses machines that it has no driver for, and never steps down", async () => {
    expect(await probeIsolation("standard", { platform: "darwin", path: PATH, ...NONE })).toMatchObject({ ok: false });
    expect(await probeIsolation("none", { platform: "darwin", path: "", ...NONE })).toEqual({
      ok: true,
      bwrap: "",
      keyring: false,
      mounts: false,
    });
  });

  it("passes on what a failing bwrap said, with a command to go on with, and keeps no bad result", async () => {
    fakeBwrap('echo "bwrap: setting up uid map: Permission denied" >&2; exit 1');
    const cacheFile = join(folder, "cache");
    const result = await probeIsolation("standard", { platform: "linux", path: folder, cacheFile, ...NONE });
    expect(result).toMatchObject({ ok: false, why: expect.stringContaining("setting up uid map: Permission denied") });
    expect(result.ok || result.hint).not.toBe("");
    expect(existsSync(cacheFile)).toBe(false);
  });

  it("refuses where the program before bwrap cannot be run, and where it finds no way out of the session keyring", async () => {
    fakeBwrap("exit 0");
    const own = join(folder, "join");
    const probe = () =>
      probeIsolation("standard", { platform: "linux", path: folder, prelude: own, keyring: true, cacheFile: join(folder, "cache") });
    expect(await probe()).toMatchObject({
      ok: false,
      why: `${own} is not there, or cannot be run`,
      hint: expect.stringContaining("noexec"),
    });
    writeFileSync(own, `#!/bin/sh\necho '${KEYRING_REFUSED}122' >&2; exit 125\n`, { mode: 0o755 });
    expect(await probe()).toMatchObject({ ok: false, hint: "sudo sysctl -w kernel.keys.maxkeys=2000" });
    expect(existsSync(join(folder, "cache"))).toBe(false);
  });

  it("leaves no file behind where it is killed", async () => {
    fakeBwrap(`echo $$ >${folder}/pid.new; mv ${folder}/pid.new ${folder}/pid; exec sleep 60`);
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const script = `import(${JSON.stringify(PROBE)}).then(({ probeIsolation }) => probeIsolation("standard", { platform: "linux", path: ${JSON.stringify(folder)} }))`;
    const prober = spawn(process.execPath, ["-e", script], { env: { PATH, TMPDIR: temporary }, stdio: "ignore" });
    while (!existsSync(join(folder, "pid"))) await sleep(5);
    prober.kill("SIGKILL");
    await once(prober, "exit");
    process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), "SIGKILL");
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("keeps a good result for that bwrap only", async () => {
    const cacheFile = join(folder, "cache");
    const count = join(folder, "count");
    fakeBwrap(`echo x >> ${count}; exit 0`);
    const probe = () => probeIsolation("standard", { platform: "linux", path: folder, cacheFile, ...NONE });
    expect((await probe()).ok).toBe(true);
    rmSync(count);
    expect((await probe()).ok).toBe(true);
    expect(existsSync(count)).toBe(false);
    fakeBwrap(`echo x >> ${count}; exit 1`);
    expect((await probe()).ok).toBe(false);
  });

  it("keeps for an hour that the faster way failed: then it is tried again", async () => {
    const cacheFile = join(folder, "cache");
    const prelude = join(folder, "prelude");
    const tries = join(folder, "tries");
    fakeBwrap("exit 0");
    // The faster way alone has mounts in its list, and what goes before bwrap is not there for anything else.
    const program = (status: number): void => writeFileSync(prelude, `#!/bin/sh\necho x >> ${tries}; exit ${status}\n`, { mode: 0o755 });
    const probe = () => probeIsolation("standard", { platform: "linux", path: folder, prelude, keyring: false, cacheFile });
    const tried = (): boolean => existsSync(tries);
    program(1);
    expect(await probe()).toMatchObject({ ok: true, mounts: false });
    expect(tried()).toBe(true);
    rmSync(tries);
    program(0);
    expect(await probe()).toMatchObject({ ok: true, mounts: false });
    expect(tried()).toBe(false);
    const longAgo = Date.now() / 1000 - 3_700;
    utimesSync(cacheFile, longAgo, longAgo);
    expect(await probe()).toMatchObject({ ok: true, mounts: true });
    expect(tried()).toBe(true);
    rmSync(tries);
    utimesSync(cacheFile, longAgo, longAgo);
    expect(await probe()).toMatchObject({ ok: true, mounts: true });
    expect(tried()).toBe(false);
  });

  it.skipIf(!hasBubblewrap)(`succeeds on this machine${missing}`, async () => {
    for (const level of ["standard", "strict"] as const)
      for (const keyring of [true, false])
        expect(await probeIsolation(level, { platform: "linux", path: PATH, prelude: PRELUDE, keyring })).toMatchObject({
          ok: true,
          keyring,
        });
  });
});
