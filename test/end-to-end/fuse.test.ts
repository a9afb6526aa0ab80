// A real file system that does not answer (a stopped FUSE, as one of a lost network is): signals end a launch that it holds up, and an agent's end is not held up.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, has, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const PATIENCE_MS = 20_000;

const whyNot = [
  ...(has("bindfs") ? ((await mountsHere()) ? [] : ["a machine that lets FUSE mount"]) : ["bindfs"]),
  ...(hasBubblewrap ? [] : ["bubblewrap"]),
];
const skipped = whyNot.length === 0 ? "" : ` (skipped: needs ${whyNot.join(" and ")})`;

describe.skipIf(skipped !== "")(`a file system that does not answer${skipped}`, () => {
  let world: World;
  let mounted: Mounted | undefined;
  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(async () => {
    await mounted?.[Symbol.asyncDispose]();
    mounted = undefined;
    await world[Symbol.asyncDispose]();
  });

  const waits = (pid: number): boolean => /fuse|request_wait/.test(readFileSync(`/proc/${pid}/wchan`, "utf8"));

  it.each([
    ["the project", "SIGINT", "project"],
    ["the project", "SIGTERM", "project"],
    ["a folder of home", "SIGINT", ".cache"],
  ] as const)(
    "in %s lets %s end a launch",
    async (_where, name, path) => {
      mounted = await mount(join(world.home, path));
      // Stopped by the shell that becomes the launcher, so that one stands in the folder when it stops.
      const stop = 'kill -STOP "$0"; exec "$@"';
      const words = [stop, String(mounted?.fuse.pid), process.execPath, BIN, "--isolation", "standard", "true"];
      const launcher = spawn("sh", ["-c", ...words], { cwd: world.project, env: world.env, stdio: "ignore" });
      const closed = once(launcher, "close");
      await until(() => waits(launcher.pid ?? 0), PATIENCE_MS, "the launcher to be held up");
      launcher.kill(name);
      expect(await closed).toEqual([null, name]);
    },
    60_000,
  );

  it("in the project delays neither the wipe at the end nor SIGTERM", async () => {
    mounted = await mount(world.project);
    const launcher = world.start(["--isolation", "standard", "sh", "-c", "echo up; read _"]);
    const closed = once(launcher, "close");
    await once(launcher.stdout ?? launcher, "data");
    mounted?.fuse.kill("SIGSTOP");
    launcher.stdin?.end("\n");
    await until(() => world.sessionFolders().length === 0, PATIENCE_MS, "the session's files to go");
    await until(() => waits(launcher.pid ?? 0), PATIENCE_MS, "the launcher to be held up");
    launcher.kill("SIGTERM");
    expect(await closed).toEqual([null, "SIGTERM"]);
  }, 60_000);
});

interface Mounted extends AsyncDisposable {
  readonly fuse: ChildProcess;
}

/** Makes `folder` a file system of its own, which is asked each time. Undefined where FUSE can not mount. */
async function mount(folder: string): Promise<Mounted | undefined> {
  const source = mkdtempSync(join(tmpdir(), "ar-fuse-"));
  mkdirSync(folder, { recursive: true });
  const { dev } = statSync(folder);
  const fuse = spawn("bindfs", ["-f", "--no-allow-other", "-o", "attr_timeout=0,entry_timeout=0", source, folder], { stdio: "ignore" });
  const ended = once(fuse, "exit").then(() => rmSync(source, { recursive: true }));
  const hasEnded = (): boolean => fuse.exitCode !== null || fuse.signalCode !== null;
  await until(() => hasEnded() || statSync(folder).dev !== dev, PATIENCE_MS, "the file system to be mounted");
  if (hasEnded()) return undefined;
  return {
    fuse,
    async [Symbol.asyncDispose]() {
      for (const name of ["SIGCONT", "SIGTERM"] as const) fuse.kill(name);
      await ended;
    },
  };
}

async function mountsHere(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "ar-fuse-"));
  const mounted = await mount(folder);
  await mounted?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  return mounted !== undefined;
}
