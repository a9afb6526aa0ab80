// `agent-run audit` on real sessions: the timeline, the records as they are written, also by another daemon, and the report.
import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openOuter } from "../terminal/outer.ts";
import { BIN, FIXTURES, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const ASKS = join(FIXTURES, "prints-identity.mjs");

async function recorded(): Promise<string[]> {
  return (JSON.parse((await world.run(["audit", "--json"])).stdout || "[]") as { session: string }[]).map(({ session }) => session);
}

function outputOf(child: ChildProcess): { text: string; closed: Promise<number | null> } {
  const output = { text: "", closed: new Promise<number | null>((resolve) => child.once("close", resolve)) };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.text += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.text += text));
  return output;
}

/** What differs between two runs, by what it is. */
function golden(text: string): string {
  return text
    .replace(/sess_[0-9a-f]{8}/g, "SESSION")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "INSTANT")
    .replace(/ASIA[A-Z0-9]{16}/g, "KEYS")
    .replace(/\b[0-9a-f]{64}\b/g, "HASH")
    .replace(/as process \d+/g, "as process PID")
    .replace(/after \d[\d.]* \w+/g, "after SPAN")
    .replace(/, \d+ characters/g, ", SIZE characters")
    .replaceAll(world.project, "PROJECT");
}

describe("agent-run audit", () => {
  it("tells a session as a timeline of sentences", async () => {
    await world.run(["node", ASKS]);
    const [session = ""] = await recorded();
    const { stdout } = await world.run(["audit", session]);
    const lines = golden(stdout)
      .split("\n")
      .filter(Boolean)
      .map((line) => line.replace(/^\d\d:\d\d:\d\d {2}\+[\d.hms ]+? {2,}/, "TIME "));
    expect(lines).toEqual([
      expect.stringMatching(/^TIME start {11}\S+ starts node under profile demo in PROJECT: endpoint delivery, isolation none$/),
      "TIME identity        you are arn:aws:iam::123456789012:user/dev; the agent is arn:aws:sts::123456789012:assumed-role/agent-demo/SESSION",
      "TIME spawned         the agent runs as process PID, isolation none",
      "TIME fetch           fetches keys KEYS",
      "TIME exited          the agent left with status 0",
      "TIME end             the end: exited; 1 fetch, 0 refused, 0 refreshes",
    ]);
  });

  it("follows one session to its end, across the death of its daemon, and checks the chain on the way", async () => {
    const agent = outputOf(world.start(["sh", "-c", "read -r line"]));
    await until(async () => (await recorded()).length === 1, 10_000, "the session");
    const [session = ""] = await recorded();
    const following = outputOf(world.start(["audit", session, "--follow"]));
    const json = outputOf(world.start(["audit", session, "--follow", "--json"]));
    await until(() => following.text.includes("spawned"), 10_000, "the first records");
    const pid = await world.daemonPid();
    process.kill(pid ?? 0, "SIGKILL");
    await until(() => following.text.includes("another daemon takes the session over"), 10_000, "the next daemon");
    await world.run(["kill", session]);
    expect(await agent.closed).toBe(137);
    expect(await following.closed).toBe(0);
    expect(await json.closed).toBe(0);
    expect(following.text).toMatch(/killed by command\n.*the end: killed/s);
    const records = JSON.parse((await world.run(["audit", session, "--json"])).stdout) as { sequence: number }[];
    expect(
      json.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(records);
    expect(following.text).not.toContain("does not follow");
  });

  it("follows all sessions from now on, each line with its session, until nobody reads", async () => {
    await world.run(["true"]);
    const [before = ""] = await recorded();
    const child = world.start(["audit", "--follow"]);
    const following = outputOf(child);
    // It has looked at what is there once it prints of what is new.
    await until(
      async () => {
        await world.run(["true"]);
        return following.text.includes("the end: exited");
      },
      15_000,
      "a session of now",
    );
    expect(following.text).not.toContain(before);
    const [, , ...lines] = following.text.trim().split("\n").reverse();
    for (const line of lines) expect(line).toMatch(/^sess_[0-9a-f]{8} {2}\d\d:\d\d:\d\d {2}/);
    child.stdout?.destroy();
    await world.run(["true"]);
    expect(await following.closed).toBe(0);
  });

  it("warns of a record that was changed while it follows, and exits with 1", async () => {
    await world.run(["node", ASKS]);
    const [session = ""] = await recorded();
    const file = join(world.own, "state", "audit", `${session}.ndjson`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"user/dev', '"user/eve').replace("user/dev", "user/eve"));
    const { code, stderr, stdout } = await world.run(["audit", session, "--follow"]);
    expect(code).toBe(1);
    expect(stderr).toContain("a line is not a record");
    expect(stdout).toContain("the end: exited");
  });

  it("reports a session in Markdown, in which nothing that others named is markup", async () => {
    const hostile = "|<b>x</b> [y](http://e.vil) `z` *w*";
    await world.run(["--task", hostile, "--project", "shop_1", "node", ASKS]);
    const [session = ""] = await recorded();
    const { stdout, code } = await world.run(["audit", session, "--report"]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/(?<!\\)<b>|(?<!\\)\]\(http/);
    const rows = Object.fromEntries(
      golden(stdout.replaceAll("\\", ""))
        .split("## ")[0]
        ?.split("\n")
        .flatMap((line) => {
          const [, name, text] = /^\| ([^|]*?) \| (.*) \|$/.exec(line) ?? [];
          return name === undefined || text === undefined ? [] : [[name, text]];
        }) ?? [],
    );
    expect(rows).toMatchObject({
      agent: "node",
      "base identity": "arn:aws:iam::123456789012:user/dev (environment variables)",
      identity: "arn:aws:sts::123456789012:assumed-role/agent-demo/SESSION",
      role: "arn:aws:iam::123456789012:role/agent-demo",
      profile: "demo",
      "session policy": "SHA-256 HASH, SIZE characters",
      project: "shop_1",
      "delivery, isolation": "endpoint, none",
      began: "INSTANT",
      ended: expect.stringMatching(/^INSTANT, after SPAN/),
      "credential fetches": "1, and 0 refused",
      refreshes: "0",
      keys: "KEYS",
      "keys valid until": "INSTANT",
    });
    expect(stdout.match(/^## .*$/gm)).toEqual([
      "## What the human should know",
      "## Approvals and extensions",
      "## Console",
      "## The end",
      "## Revocation",
      "## Verification",
      "## Timeline",
    ]);
    expect(stdout).toMatch(/## Verification\n\n6 records, all as they were written; 0 warnings\.\n/);
    for (const secret of world.cloud.issuedSecrets()) expect(stdout).not.toContain(secret);
  });

  it("reports a kill with its revocation, and errors where the records were changed", async () => {
    const agent = outputOf(world.start(["sh", "-c", `node ${ASKS}; exec sleep 60`]));
    await until(() => agent.text.includes("assumed-role"), 15_000, "the agent's keys");
    const [session = ""] = await recorded();
    await world.run(["kill", session]);
    await agent.closed;
    const { stdout } = await world.run(["audit", session, "--report"]);
    const part = (title: string): string => stdout.split(`## ${title}\n\n`)[1]?.split("\n\n")[0]?.replaceAll("\\", "") ?? "";
    expect(part("The end")).toMatch(/killed by command\n.*the agent was ended by SIG\w+\n.*the end: killed; 1 fetch,/s);
    expect(part("Revocation")).toMatch(/its keys are denied on arn:aws:iam::123456789012:role\/agent-demo, policy agent-run-revoke-sess_/);
    expect(part("Revocation")).toContain("the deny was seen to hold");
    const file = join(world.own, "state", "audit", `${session}.ndjson`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"cause":"killed"', '"cause":"exited"'));
    expect((await world.run(["audit", session, "--report"])).stdout).toMatch(/\*\*\d errors\*\*: what stands here cannot be relied on/);
  });

  it("reports who gave a session more time, and who did not", async () => {
    await using outer = openOuter(BIN, ["--on-expiry", "stop", "--ttl", "10m", "cat"], { cols: 100, env: world.env });
    await outer.until("the bar", (screen) => screen.rows().at(-1)?.includes("left") ?? false);
    const [session = ""] = await recorded();
    for (const [key, code] of [
      ["y", 0],
      ["n", 1],
    ] as const) {
      const asking = world.run(["extend", session, "15m"]);
      await outer.until("the question", (screen) => screen.rows().join("").includes("More time?"));
      // A key that was typed before the question could be read is no answer to it.
      await new Promise((resolve) => setTimeout(resolve, 700));
      outer.type(key);
      expect((await asking).code).toBe(code);
    }
    outer.type("\u0004");
    expect(await outer.exited).toEqual({ code: 0 });
    const { stdout } = await world.run(["audit", session, "--report"]);
    const part = golden(stdout.split("## Approvals and extensions\n\n")[1]?.split("\n\n")[0] ?? "");
    expect(part.split("\n")).toEqual([
      "- INSTANT: the human gives 15 minutes more",
      "- INSTANT: the limit is INSTANT now",
      "- INSTANT: the human gives no more time (extend)",
    ]);
  });

  it("refuses what does not go together", async () => {
    for (const args of [["--report"], ["--follow", "--verify"], ["sess_00000001", "--report", "--json"]]) {
      expect((await world.run(["audit", ...args])).code, args.join(" ")).toBe(2);
    }
    expect((await world.run(["audit", "sess_00000001", "--follow"])).code).toBe(1);
  });
});
