// `agent-run ps --watch` in a terminal: sessions come and go, a key ends one after a question, the window changes, and the terminal is left as it was.
import { type ChildProcess, spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Outer, openOuter } from "../terminal/outer.ts";
import { BIN, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const WAITS_MS = 15_000;

interface Running {
  readonly child: ChildProcess;
  readonly closed: Promise<number | null>;
}

function agent(actor: string): Running {
  const child = world.start(["exec", "--actor", actor, "--", "cat"]);
  return { child, closed: new Promise((resolve) => child.once("close", resolve)) };
}

const shown = (outer: Outer): string => outer.screen.rows().join("\n");
const seen = (outer: Outer, what: string | RegExp): Promise<void> =>
  outer.until(String(what), () => (typeof what === "string" ? shown(outer).includes(what) : what.test(shown(outer))), WAITS_MS);

/** In a shell, so that what is left of the terminal can be looked at. */
function openShell(size: { cols?: number; rows?: number } = {}): Outer {
  const script = `printf 'before\\n'; stty -g; "$0" ps --watch; echo "status $?"; stty -g; printf finished; read -r line`;
  return openOuter("sh", ["-c", script, BIN], { ...size, env: world.env });
}

describe("agent-run ps --watch", () => {
  it("shows sessions as they come, ends the chosen one after a question, and leaves the terminal as it was", async () => {
    await using outer = openShell({ cols: 140 });
    await seen(outer, "no session runs");
    expect(shown(outer)).toContain("↑ ↓ choose   x end it   q leave");
    const first = agent("first");
    await seen(outer, /sess_\w+ +first +demo +agent-demo@123456789012 +project .* active/);
    const second = agent("second");
    await seen(outer, /second .* active/);
    outer.type("\u001b[B");
    outer.type("x");
    await seen(outer, /end sess_\w+ \(second\)\? y yes {3}n no/);
    outer.type("n");
    await seen(outer, "q leave");
    outer.type("x");
    await seen(outer, "(second)? y yes");
    outer.type("y");
    expect(await second.closed).toBe(137);
    await seen(outer, /sess_\w+ killed: local access cut after/);
    await outer.until("one session", () => !/second/.test(shown(outer)), WAITS_MS);
    expect(shown(outer)).toMatch(/first .* active/);
    outer.type("q");
    await seen(outer, "finished");
    const rows = outer.screen.rows().map((row) => row.trimEnd());
    expect(rows.slice(0, 5)).toEqual(["before", rows[1], "status 0", rows[1], "finished"]);
    expect(outer.screen.terminal.buffer.active.type).toBe("normal");
    first.child.stdin?.end();
    expect(await first.closed).toBe(0);
  });

  it("fits into a window that changes, and cuts what does not", async () => {
    const agents = Array.from({ length: 5 }, (_, index) => agent(`agent-${index}`));
    await until(async () => JSON.parse((await world.run(["ps", "--json"])).stdout).length === 5, WAITS_MS, "five sessions");
    const order = (JSON.parse((await world.run(["ps", "--json"])).stdout) as { actor: string }[]).map(({ actor }) => actor);
    const [first = "", last = ""] = [order.at(0), order.at(-1)];
    await using outer = openShell({ cols: 120, rows: 20 });
    for (let index = 0; index < 5; index += 1) await seen(outer, `agent-${index}`);
    outer.resize(40, 7);
    await outer.until(
      "three rows",
      () => (shown(outer).match(/^sess_/gm) ?? []).length === 3 && /^.*q leave/m.test(shown(outer)),
      WAITS_MS,
    );
    for (let step = 0; step < 4; step += 1) outer.type("j");
    await outer.until("the last three", () => !shown(outer).includes(first) && shown(outer).includes(last), WAITS_MS);
    outer.resize(120, 20);
    await seen(outer, first);
    outer.type("\u0003");
    await seen(outer, "finished");
    expect(shown(outer)).toMatch(/before\n(\S+) *\nstatus 0 *\n\1 *\nfinished/);
    for (const { child } of agents) child.stdin?.end();
    await Promise.all(agents.map(({ closed }) => closed));
  });

  it("is refused without a terminal, and loads Ink nowhere else", async () => {
    const refused = await world.run(["ps", "--watch"]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("--watch needs a terminal");
    const loads = (args: string[]): boolean => {
      const { stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: "utf8", env: { ...world.env, NODE_DEBUG: "esm" } });
      return /chunks\/ps-watch/.test(stderr);
    };
    expect(loads(["ps"])).toBe(false);
  });
});
