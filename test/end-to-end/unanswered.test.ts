// A file system that does not answer when the agent is gone: what held access is wiped all the same, and the kernel may end the launcher.
// The moment is made long by strace, which stops the launcher as it looks at the project.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alive, has, makeWorld, until, type World } from "./world.ts";

const AGENT = "echo ran >Makefile; until [ -e leave ]; do sleep 0.05; done; exit 3";
const PATIENCE_MS = 20_000;

describe.skipIf(!has("strace"))("a project's file system that does not answer at the end (needs strace)", () => {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  interface Kept {
    readonly kind: string;
    readonly data: { readonly code?: number; readonly changed?: string[]; readonly notes?: string[] };
  }
  const records = async (): Promise<Kept[]> => {
    const [session] = JSON.parse((await world.run(["audit", "--json"])).stdout) as { session: string }[];
    return JSON.parse((await world.run(["audit", session?.session ?? "", "--json"])).stdout) as Kept[];
  };
  const kinds = async (): Promise<string[]> => (await records()).map(({ kind }) => kind);

  it("delays neither the wipe nor SIGTERM; the agent's status is there when it answers again", async () => {
    const launcher = world.start(["--isolation", "none", "sh", "-c", AGENT]);
    const { pid = 0 } = launcher;
    const closed = once(launcher, "close");
    await until(() => existsSync(join(world.project, "Makefile")), PATIENCE_MS, "the agent");
    const slow = ["-qq", "-o", "/dev/null", "-P", world.project, "-e", "trace=%file", "-e", "inject=%file:delay_enter=60s"];
    const strace = spawn("strace", [...slow, "-p", String(pid)], { stdio: "ignore" });
    const status = (): string => readFileSync(`/proc/${pid}/status`, "utf8");
    await until(() => /TracerPid:\t[1-9]/.test(status()), PATIENCE_MS, "strace");
    writeFileSync(join(world.project, "leave"), "");
    await until(async () => (await kinds()).includes("exited"), PATIENCE_MS, "the agent's end");
    // Each call is a short stop, too.
    let looked = 0;
    const stays = (): boolean => {
      looked = /State:\tt/.test(status()) ? looked + 1 : 0;
      return looked > 9;
    };
    await until(stays, PATIENCE_MS, "the launcher to look");

    const caught = BigInt(`0x${/SigCgt:\s*(\S+)/.exec(status())?.[1]}`);
    const isOurs = (name: NodeJS.Signals): boolean => (caught & (1n << BigInt(constants.signals[name] - 1))) !== 0n;
    expect({ term: isOurs("SIGTERM"), hup: isOurs("SIGHUP"), int: isOurs("SIGINT") }).toEqual({ term: false, hup: true, int: true });

    await until(async () => (await kinds()).at(-1) === "end", PATIENCE_MS, "the end of the session");
    const [exited, end] = (await records()).slice(-2);
    expect(exited).toMatchObject({ kind: "exited", data: { code: 3 } });
    expect(end?.data.notes).toEqual([expect.stringMatching(/^what the agent left was not looked at: the file system did not answer/)]);
    expect(world.sessionFolders()).toEqual([]);
    expect(alive(pid)).toBe(true);

    strace.kill("SIGKILL");
    expect(await closed).toEqual([3, null]);
  }, 90_000);
});
