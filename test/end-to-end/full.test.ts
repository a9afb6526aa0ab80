// An agent that leaves no room on the file system that our own folders lie on, by inodes or by bytes: its session ends all the same, nothing of it stays, and what
// could not be written is said.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/core/id.ts";
import { allProcesses } from "../../src/core/process-tree.ts";
import { carriesMark } from "../../src/core/session-mark.ts";
import { gone, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const isRoot = process.getuid?.() === 0;
const FILLS = {
  inodes: "i=0; while true >more/$i; do i=$((i+1)); done 2>/dev/null",
  bytes: "cat /dev/zero >more/all 2>/dev/null; i=0; while echo more-more-more >more/$i; do i=$((i+1)); done 2>/dev/null",
} as const;
/** Holds the room that it took, and says where it is served. */
const agent = (fill: string, then: string): string[] => [
  "sh",
  "-c",
  `mkdir more; echo "$AGENT_RUN_SESSION $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN"; ${fill}; echo full; ${then}`,
];

describe.skipIf(!isRoot || !hasBubblewrap)("a file system that an agent fills (needs root, to mount one, and bubblewrap)", () => {
  let world: World;
  let small = "";
  beforeEach(async () => {
    small = mkdtempSync(join(tmpdir(), "small-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "nr_inodes=600,size=24m,mode=700", "none", small]);
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = small;
    world = await makeWorld();
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  afterEach(async () => {
    rmSync(join(world.project, "more"), { recursive: true, force: true });
    await world[Symbol.asyncDispose]();
    execFileSync("umount", ["-l", small]);
    rmSync(small, { recursive: true });
  });

  it("keeps commands from writing, which say so and leave nothing half made", async () => {
    writeFileSync(join(world.project, ".agent-run.toml"), 'ttl = "5m"\n');
    expect((await world.run(["trust", "--list"])).code).toBe(0);
    mkdirSync(join(world.own, "state"), { recursive: true, mode: 0o700 });
    expect(() => writeFileSync(join(small, "all"), Buffer.alloc(32 << 20))).toThrow(/ENOSPC/);
    for (const [args, what] of [
      [["trust", "--yes"], "trust"],
      [["profiles", "new", "mine"], "mine"],
    ] as const) {
      const { code, stderr } = await world.run(args);
      expect({ code, stderr }).toEqual({
        code: 125,
        stderr: expect.stringMatching(/^agent-run: error: cannot .*ENOSPC.*\nagent-run: hint: make room on its disk: df -h .*\n$/),
      });
      expect(readdirSync(world.own, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(what))).toEqual([]);
    }
  });

  it.each([
    ["inodes", "is killed"],
    ["inodes", "loses launcher and daemon"],
    ["bytes", "loses launcher and daemon"],
  ] as const)(
    "takes all %s and %s: nothing is served, no process and no file is left",
    async (what, end) => {
      const launcher = world.start(["--isolation", "standard", ...agent(FILLS[what], "while :; do sleep 0.05; done")]);
      let said = "";
      let complained = "";
      launcher.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
      launcher.stderr?.setEncoding("utf8").on("data", (text: string) => (complained += text));
      const ended = new Promise<number | null>((resolve) => launcher.once("exit", resolve));
      await until(() => said.includes("full\n"), 30_000, "all to be full");
      const [session = "", uri = "", token = ""] = said.split("\n")[0]?.split(" ") ?? [];
      expect(() => writeFileSync(join(world.own, "one-more"), "more".repeat(10_000))).toThrow(/ENOSPC/);
      const daemon = (await world.daemonPid()) ?? 0;
      expect(daemon).toBeGreaterThan(1);
      if (end === "is killed") {
        const { stdout } = await world.run(["kill", "--all"]);
        expect(await ended).toBe(137);
        // What cannot be remembered is told to whoever ended it, and where it ran.
        for (const text of [stdout, complained]) expect(text).toContain("the state folder does not remember that it was ended: ENOSPC");
      } else {
        process.kill(daemon, "SIGKILL");
        launcher.kill("SIGKILL");
        await ended;
        await gone(daemon);
      }
      await until(() => allProcesses().every(({ pid }) => !carriesMark(pid, session as SessionId)), 10_000, "the processes to go");
      await until(() => world.sessionFolders().length === 0, 10_000, "the session's folder to go");
      await until(async () => (await served(uri, token)) !== 200, 5000, "nothing to be served");

      // As soon as there is room the record gets its end.
      rmSync(join(world.project, "more"), { recursive: true });
      rmSync(join(world.own, "one-more"), { force: true });
      await until(async () => (await world.run(["audit", "--json"])).stdout.includes('"cause"'), 25_000, "the audit to have an end");
      expect(await world.run(["audit", "--verify"])).toMatchObject({ code: 0 });
      expect((await world.run(["--isolation", "standard", "true"])).code).toBe(0);
    },
    120_000,
  );
});

async function served(uri: string, token: string): Promise<number> {
  try {
    return (await fetch(uri, { headers: { authorization: token }, signal: AbortSignal.timeout(1000) })).status;
  } catch {
    return 0;
  }
}
