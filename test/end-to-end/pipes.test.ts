// The whole path on pipes: what reaches the agent, what it gives back, and what is left afterwards.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alive, FIXTURES, hasBubblewrap, makeWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const IDENTITY = join(FIXTURES, "prints-identity.mjs");

describe("agent-run on pipes", () => {
  /** What the record of a session's end says was made or changed and runs later; nothing is printed of it on pipes. */
  async function changedIn(args: readonly string[]): Promise<{ changed: unknown; stderr: string }> {
    const { stdout, stderr, code } = await world.run(args);
    expect(code, stderr).toBe(0);
    const records = JSON.parse((await world.run(["audit", stdout.trim(), "--json"])).stdout) as {
      kind: string;
      data: { changed?: string[] };
    }[];
    return { changed: records.find(({ kind }) => kind === "end")?.data.changed, stderr };
  }

  it("records what the agent made or changed in the project that runs later, and nothing where it made none", async () => {
    const script =
      "echo evil > .envrc; mkdir -p sub/.vscode; echo '{}' > sub/.vscode/tasks.json; echo x > plain.txt; echo $AGENT_RUN_SESSION";
    expect(await changedIn(["sh", "-c", script])).toEqual({ changed: [".envrc", "sub/.vscode/tasks.json"], stderr: "" });
    expect(await changedIn(["sh", "-c", "echo x > plain.txt; echo $AGENT_RUN_SESSION"])).toEqual({ changed: undefined, stderr: "" });
  });

  it.skipIf(!hasBubblewrap)(
    "records what of the agent's own state counts later (needs bubblewrap, apt-get install bubblewrap)",
    async () => {
      const tools = join(world.home, "tools");
      mkdirSync(join(world.home, ".claude"), { recursive: true });
      mkdirSync(tools, { recursive: true });
      writeFileSync(join(world.home, ".claude.json"), JSON.stringify({ numStartups: 1, mcpServers: { mine: { command: "mine" } } }));
      const write = (script: string): void =>
        writeFileSync(join(tools, "claude"), `#!/bin/sh\n${script}\necho $AGENT_RUN_SESSION\n`, { mode: 0o755 });
      const args = ["--isolation", "standard", join(tools, "claude")];
      write(`echo '{"numStartups":2,"mcpServers":{"mine":{"command":"mine"}}}' > ~/.claude.json; echo x > ~/.claude/history.jsonl`);
      expect(await changedIn(args)).toEqual({ changed: undefined, stderr: "" });
      write(
        `echo '{"mcpServers":{"evil":{"command":"evil"}},"projects":{"/":{"hasTrustDialogAccepted":true}}}' > ~/.claude.json; echo x > ~/.claude/CLAUDE.md; echo x > .envrc`,
      );
      expect(await changedIn(args)).toEqual({
        changed: ["~/.claude.json: mcpServers.evil", "~/.claude.json: projects./.hasTrustDialogAccepted", "~/.claude/CLAUDE.md", ".envrc"],
        stderr: "",
      });
    },
  );

  it("gives the agent a session of the role, under the session's name", async () => {
    const { stdout, stderr, code } = await world.run(["node", IDENTITY]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      Arn: expect.stringMatching(/^arn:aws:sts::123456789012:assumed-role\/agent-demo\/sess_[0-9a-f]{8}$/),
    });
  });

  it("tags the session, names the developer, and cuts it down by the session policy", async () => {
    await world.run(["--task", "look around", "--project", "shop", "--tag", "ticket=OPS-1", "node", IDENTITY]);
    const assumed = world.cloud
      .events()
      .filter((event) => event.name === "AssumeRole")
      .at(-1);
    const parameters = assumed?.record["requestParameters"] as { principalTags: object; transitiveTagKeys: string[]; policy: string };
    const tags = parameters.principalTags;
    expect(tags).toMatchObject({
      "agent-actor": "node",
      "agent-session": expect.stringMatching(/^sess_/),
      project: "shop",
      task: "look around",
      ticket: "OPS-1",
    });
    expect(parameters.transitiveTagKeys.toSorted()).toEqual(Object.keys(tags).toSorted());
    expect(parameters.policy).toContain("Deny");
  });

  it("passes stdin, stdout and stderr byte for byte", async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256));
    const child = world.start(["cat"]);
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stdin?.end(bytes);
    await new Promise((resolve) => child.once("close", resolve));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    const { stdout, stderr } = await world.run(["sh", "-c", "printf out; printf err >&2"]);
    expect({ stdout, stderr }).toEqual({ stdout: "out", stderr: "err" });
  });

  it.each([
    ["sh", ["-c", "exit 0"], 0],
    ["sh", ["-c", "exit 3"], 3],
    ["sh", ["-c", "kill -TERM $$"], 143],
    ["sh", ["-c", "kill -KILL $$"], 137],
    ["no-such-agent", [], 127],
  ])("%s %j ends with %i", async (agent, args, code) => {
    expect((await world.run([agent, ...args])).code).toBe(code);
  });

  it("gives 126 for a file that cannot be executed, and 2 for wrong usage", async () => {
    const file = join(world.project, "notes.txt");
    writeFileSync(file, "hello");
    chmodSync(file, 0o644);
    expect((await world.run([file])).code).toBe(126);
    const wrong = await world.run(["--delivery", "pigeon", "true"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^agent-run: error: --delivery: 'pigeon' is none of endpoint, process, env\nagent-run: hint: /);
  });

  it("leaves no file, no port and no open session", async () => {
    const { stdout } = await world.run(["sh", "-c", "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    expect(world.sessionFolders()).toEqual([]);
    await expect(fetch(stdout.trim())).rejects.toThrow();
    expect(JSON.parse((await world.run(["ps", "--json"])).stdout)).toEqual([]);
  });

  it("ends what the agent left running in the background", async () => {
    const mark = join(world.project, "alive");
    mkdirSync(world.project, { recursive: true });
    const { code, stdout } = await world.run([
      "sh",
      "-c",
      `(setsid sh -c 'echo $$; while :; do date +%s%N > ${mark}; sleep 0.05; done' & sleep 0.2); exit 4`,
    ]);
    expect(code).toBe(4);
    const pid = Number(stdout.trim().split("\n")[0]);
    expect(alive(pid)).toBe(false);
  });

  it("shows the timeline of a session in the audit, and finds its records whole", async () => {
    await world.run(["node", IDENTITY]);
    const sessions = JSON.parse((await world.run(["audit", "--json"])).stdout) as { session: string; state: string }[];
    const last = sessions.at(-1);
    const records = JSON.parse((await world.run(["audit", last?.session ?? "", "--json"])).stdout) as { kind: string }[];
    expect(records.map(({ kind }) => kind)).toEqual(["start", "identity", "spawned", "fetch", "exited", "end"]);
    const verified = await world.run(["audit", "--verify"]);
    expect(verified.stdout).toMatch(/all as they were written/);
    expect(verified.code).toBe(0);
  });

  it("records the first refusals of a session and counts the rest, as anybody on the machine can cause them", async () => {
    const asks =
      "for (let i = 0; i < 100; i += 1) await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { Authorization: 'guess' } })";
    const { code } = await world.run(["node", "--input-type=module", "-e", asks]);
    expect(code).toBe(0);
    const last = (JSON.parse((await world.run(["audit", "--json"])).stdout) as { session: string; end: { refused: number } }[]).at(-1);
    const records = JSON.parse((await world.run(["audit", last?.session ?? "", "--json"])).stdout) as { kind: string }[];
    // The first twenty, then the 32nd and the 64th.
    expect(records.filter(({ kind }) => kind === "fetch")).toHaveLength(22);
    expect(last?.end.refused).toBe(100);
  });
});
