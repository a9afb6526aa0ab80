// An agent that takes all that it can get of what it shares with us: the kill, renewals and other sessions must not go without.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, FIXTURES, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const missing = hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)";

describe("an agent that takes all the connections that it can get", () => {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  /** The whole of agent-run, daemon included, with so few descriptors, and none that this test runner was given. */
  function startWith(descriptors: number, args: readonly string[]): ChildProcess {
    const script = `for each in /proc/$$/fd/*; do each=\${each##*/}; [ "$each" -le 2 ] || eval "exec $each>&-"; done; ulimit -n ${descriptors}; exec "$@"`;
    const command = ["-c", script, "bash", process.execPath, BIN, ...args];
    return spawn("bash", command, { cwd: world.project, env: world.env, stdio: ["ignore", "pipe", "pipe"] });
  }

  it.for([
    ["none", true],
    ["strict", hasBubblewrap],
  ] as const)(
    `at %s leaves descriptors for another session, for the kill and for the daemon's own files${missing}`,
    async ([level, can], { skip }) => {
      skip(!can);
      const child = startWith(160, ["--isolation", level, "node", join(FIXTURES, "takes-all-connections.mjs")]);
      let said = "";
      child.stdout?.on("data", (text: Buffer) => (said += text));
      child.stderr?.on("data", (text: Buffer) => (said += text));
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      await until(() => said.includes("no more"), 15_000, `connections to be refused; it said ${said}`);

      // Another session of the same daemon: modules are loaded, STS is asked, files are written.
      const other = await world.run(["--isolation", "none", "node", join(FIXTURES, "prints-identity.mjs")]);
      expect(other.stdout, other.stderr).toMatch(/assumed-role\/[\w-]+\/sess_[0-9a-f]{8}/);
      const killed = await world.run(["kill", "--all"]);
      expect(killed, killed.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("killed") });
      expect(await ended).toBe(137);
      expect(world.sessionFolders()).toEqual([]);
      expect(JSON.parse((await world.run(["audit", "--verify", "--json"])).stdout)).toMatchObject({ errors: 0 });
    },
  );
});
