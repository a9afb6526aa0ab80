// `agent-run exec`: scripts, CI and MCP servers. Nothing of ours between the program and whoever started it, and a role of its own for each tool.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { demoSeed, type Seed, type SeedRole, trusts } from "../../src/localcloud/seed.ts";
import { openOuter } from "../terminal/outer.ts";
import { type McpClient, type McpServer, startMcp } from "./mcp-client.ts";
import { BIN, FIXTURES, hasBubblewrap, makeWorld, ROOT, until, type World } from "./world.ts";

const SERVER = ["node", join(FIXTURES, "mcp-server.mjs")];

const [demoRole] = demoSeed.roles as [SeedRole];
/** The demo's account with a role for each tool. */
const seed: Seed = { ...demoSeed, roles: [demoRole, { ...demoRole, name: "agent-mail" }, { ...demoRole, name: "agent-notes" }] };
const OTHER_ACCOUNT = "210987654321";
const GEMINI = join(ROOT, ".cache", "oracle-agents", "node_modules", ".bin", "gemini");

let world: World;
beforeEach(async () => {
  world = await makeWorld({ seed });
  for (const name of ["mail", "notes"]) addProfile(name, world.cloud.roleArn(`agent-${name}`));
});
afterEach(() => world[Symbol.asyncDispose]());

function addProfile(name: string, role: string, more = "", isolation = "none"): void {
  const folder = join(world.own, "config", "profiles", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "profile.toml"), `extends = "demo"\nrole = "${role}"\n${more}isolation.level = "${isolation}"\n`);
}

/** The entry of `mcpServers` that the docs show, for another server. */
function documented(tool: string, profile: string, program: readonly string[] = SERVER): McpServer {
  const docs = readFileSync(join(ROOT, "docs", "tools.md"), "utf8");
  const [, json = ""] = /```json\n(.*?)```/s.exec(docs) ?? [];
  const { mcpServers } = JSON.parse(json) as { mcpServers: Record<string, McpServer> };
  const { command, args } = mcpServers["send-email"] ?? { command: "", args: [] };
  expect([command, ...args].join(" ")).toMatch(/^agent-run exec --actor mcp:send-email -p send-email -- npx /);
  const own = args.slice(0, args.indexOf("--") + 1).map((word) => word.replace("mcp:send-email", tool).replace("send-email", profile));
  return { command: BIN, args: [...own, ...program] };
}

const clientEnv = (): Record<string, string> => world.env;

async function whoami(client: McpClient): Promise<{ arn: string; stdin: string; stdout: string }> {
  const { content, structuredContent } = (await client.request("tools/call", { name: "whoami" })) as {
    content: [{ text: string }];
    structuredContent: { stdin: string; stdout: string };
  };
  return { arn: content[0].text, ...structuredContent };
}

describe("an MCP server through agent-run exec", () => {
  it("answers its client as it would bare, as a session of its own role, on the very pipes of the client", async () => {
    await using client = await startMcp(documented("mcp:mail", "mail"), clientEnv(), world.project);
    expect(await client.request("tools/list")).toMatchObject({ tools: [{ name: "whoami" }] });
    const { arn, stdin, stdout } = await whoami(client);
    expect(arn).toMatch(/^arn:aws:sts::123456789012:assumed-role\/agent-mail\/sess_[0-9a-f]{8}$/);
    // Nobody passes bytes on, so that none is changed and none waits.
    if (process.platform === "linux") {
      const own = (number: number): string => readlinkSync(`/proc/${client.pid}/fd/${number}`);
      expect({ stdin, stdout }).toEqual({ stdin: own(0), stdout: own(1) });
    }
    const sessions = JSON.parse((await world.run(["ps", "--json"])).stdout) as object[];
    expect(sessions).toMatchObject([{ actor: "mcp:mail", profile: "mail", role: "agent-mail" }]);
    const tags = world.cloud.events().findLast(({ name }) => name === "AssumeRole")?.record["requestParameters"];
    expect(tags).toMatchObject({ principalTags: { "agent-actor": "mcp:mail" } });
    expect(await client.close()).toBe(0);
    expect(client.written.stderr).toBe("");
    expect(client.written.stdout.split("\n").filter(Boolean)).toHaveLength(3);
    expect(world.sessionFolders()).toEqual([]);
  });

  it.skipIf(!hasBubblewrap)("does the same in a sandbox (needs bubblewrap)", async () => {
    addProfile("sealed", world.cloud.roleArn("agent-notes"), "", "standard");
    await using client = await startMcp(documented("mcp:sealed", "sealed"), clientEnv(), world.project);
    expect((await whoami(client)).arn).toContain(":assumed-role/agent-notes/sess_");
    const [view] = JSON.parse((await world.run(["ps", "--json"])).stdout) as [{ isolation: string }];
    expect(view.isolation).toBe("standard");
    expect(await client.close()).toBe(0);
    expect(client.written.stderr).toBe("");
  });

  it("is ended with its client, without a word on stdout", async () => {
    await using client = await startMcp(documented("mcp:mail", "mail"), clientEnv(), world.project);
    process.kill(client.pid, "SIGTERM");
    expect(await client.exited).toBe(143);
    expect(client.written.stdout.split("\n").filter(Boolean)).toHaveLength(1);
    await until(() => world.sessionFolders().length === 0, 5000, "the session's end");
  });

  it.skipIf(!existsSync(GEMINI))("is one that the Gemini CLI connects to (needs npm run oracle:agents)", async () => {
    const { command, args } = documented("mcp:mail", "mail");
    const settings = join(world.home, ".gemini");
    mkdirSync(settings);
    writeFileSync(join(settings, "settings.json"), JSON.stringify({ mcpServers: { mail: { command, args, env: clientEnv() } } }));
    writeFileSync(join(settings, "trustedFolders.json"), JSON.stringify({ [world.project]: "TRUST_FOLDER" }));
    const list = spawn(GEMINI, ["mcp", "list"], { cwd: world.project, env: { ...world.env, PATH: world.env["PATH"] ?? "" } });
    let shown = "";
    for (const stream of [list.stdout, list.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (shown += text));
    await new Promise((resolve) => list.once("close", resolve));
    expect(shown).toMatch(/mail: .*Connected/);
    expect(world.cloud.calls("sts:AssumeRole")).toBeGreaterThan(0);
  });
});

describe("a tool's role", () => {
  it("is its own: another tool is refused it before anything is assumed, also when the first has left", async () => {
    await using mail = await startMcp(documented("mcp:mail", "mail"), clientEnv(), world.project);
    const before = world.cloud.calls("sts:AssumeRole");
    const notes = ["exec", "--actor", "mcp:notes", "-p", "mail"];
    const refused = await world.run([...notes, "--", "true"]);
    expect(refused).toMatchObject({ code: 125, stdout: "" });
    expect(refused.stderr).toMatch(/'mcp:notes' would share the role \S+:role\/agent-mail with 'mcp:mail', which used it on \d{4}-/);
    expect(refused.stderr).toContain("--share-role");
    expect(await mail.close()).toBe(0);
    expect((await world.run([...notes, "--dry-run", "--", "true"])).code).toBe(125);
    expect((await world.run([...notes, "--", "true"])).code).toBe(125);
    expect(world.cloud.calls("sts:AssumeRole")).toBe(before);
    // Its own, and that of who is no tool, are no trouble.
    expect((await world.run(["exec", "--actor", "mcp:mail", "-p", "mail", "--", "true"])).code).toBe(0);
    expect((await world.run(["exec", "--actor", "mcp:notes", "-p", "notes", "--", "true"])).code).toBe(0);
    expect((await world.run(["exec", "-p", "mail", "--", "true"])).code).toBe(0);
  });

  it("is shared where the human says so, for one run or in config.toml, and never by the repository", async () => {
    const as = (tool: string, profile: string, ...more: string[]) =>
      world.run(["exec", "--actor", tool, "-p", profile, ...more, "--", "true"]);
    expect((await as("mcp:mail", "mail")).code).toBe(0);
    expect((await as("mcp:notes", "mail", "--share-role")).code).toBe(0);
    expect((await as("mcp:notes", "mail")).code).toBe(125);
    addProfile("both", world.cloud.roleArn("agent-mail"), "share_role = true\n");
    expect((await as("mcp:notes", "both")).code).toBe(0);
    writeFileSync(join(world.project, ".agent-run.toml"), 'profile = "mail"\nshare_role = true\n');
    const trusted = await world.run(["trust", "--yes"]);
    expect(trusted.code).not.toBe(0);
    expect(trusted.stderr).toContain("share_role");
  });

  it("is given to one of two that start at the same time", async () => {
    const codes = await Promise.all(
      ["mcp:a", "mcp:b"].map(async (tool) => (await world.run(["exec", "--actor", tool, "-p", "mail", "--", "true"])).code),
    );
    expect(codes.toSorted()).toEqual([0, 125]);
  });

  it("is refused where nobody can tell who has it", async () => {
    expect((await world.run(["exec", "--actor", "mcp:mail", "-p", "mail", "--", "true"])).code).toBe(0);
    writeFileSync(join(world.own, "state", "tools.json"), "{");
    const refused = await world.run(["exec", "--actor", "mcp:mail", "-p", "mail", "--", "true"]);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("tools.json");
  });
});

describe("agent-run exec", () => {
  it("leaves a terminal to the program: no bar, no key of ours, no line at the end", async () => {
    const script = 'printf "<"; stty -a </dev/fd/0 | grep -o "[-]*icanon"; read -r line; printf "%s>" "$line"; exit 7';
    const { env } = world;
    await using outer = openOuter(BIN, ["exec", "--", "sh", "-c", script], { env });
    await outer.until("the prompt", (screen) => screen.rows().join("").includes("<icanon"));
    outer.type("a\x0bb\r");
    expect(await outer.exited).toEqual({ code: 7 });
    const received = outer.received();
    expect(received).toContain("a\x0bb>");
    expect(received).not.toContain("\x1b[");
    expect(received).not.toContain("sess_");
    expect(received).not.toContain("agent-run");
  });

  it("passes Ctrl-C on, once, and leaves the end to the program", async () => {
    const script = "trap 'echo got; exit 5' INT; echo ready; while :; do sleep 0.1; done";
    await using outer = openOuter(BIN, ["exec", "--", "sh", "-c", script], { env: world.env });
    await outer.until("the program", (screen) => screen.rows().join("").includes("ready"));
    outer.type("\x03");
    expect(await outer.exited).toEqual({ code: 5 });
    expect(outer.received().match(/got/g)).toHaveLength(1);
  });

  it.each(hasBubblewrap ? ["none", "standard"] : ["none"])("tells the program the terminal's new size, at %s", async (level) => {
    const script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done";
    const args = ["exec", "--isolation", level, "--", "sh", "-c", script];
    await using outer = openOuter(BIN, args, { env: world.env, cols: 80, rows: 24 });
    await outer.until("the program", (screen) => screen.rows().join("").includes("ready"));
    outer.resize(61, 17);
    expect(await outer.exited).toEqual({ code: 0 });
    expect(outer.received()).toContain("17 61");
  });

  it("says what is wrong on stderr alone, and asks nothing", async () => {
    const failed = await world.run(["exec", "-p", "nowhere", "--", "true"]);
    expect(failed).toMatchObject({ code: 125, stdout: "" });
    expect(failed.stderr).toContain("agent-run: error: ");
    expect((await world.run(["exec"])).code).toBe(2);
    expect((await world.run(["exec", "--actor", "a b", "--", "true"])).code).toBe(2);
    expect((await world.run(["exec", "--", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
    expect((await world.run(["exec", "--", "no-such-program"])).code).toBe(127);
  });

  it("opens no session from inside one that is isolated, and says what to do", async () => {
    const refused = await world.run(["exec", "--", "true"], {
      env: { AGENT_RUN: "1", AGENT_RUN_SESSION: "sess_00000001", AGENT_RUN_HOME: undefined, XDG_RUNTIME_DIR: join(world.own, "none") },
    });
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("this is inside the session sess_00000001");
    expect(refused.stderr).toContain("for a client that runs outside of agent-run");
  });
});

describe("several at once", () => {
  it("agents, tools and scripts run side by side, in two accounts, each as itself; the end of one is not the end of another", async () => {
    await using other = await startLocalCloud({ seed: elsewhere() });
    mkdirSync(join(world.home, ".aws"));
    writeFileSync(
      join(world.home, ".aws", "credentials"),
      `[other]\naws_access_key_id = ${other.admin.accessKeyId}\naws_secret_access_key = ${other.admin.secretAccessKey}\n`,
    );
    addProfile("other", other.roleArn(), `aws_profile = "other"\nendpoint_url = "${other.url}"\naccounts = ["${OTHER_ACCOUNT}"]\n`);
    const agent = (...options: string[]) => world.start([...options, "node", join(FIXTURES, "mcp-server.mjs")]);
    const children = [agent(), agent("-p", "notes"), agent("-p", "other"), agent("exec", "-p", "other", "--")];
    const ends = children.map((child) => new Promise<number | null>((resolve) => child.once("close", resolve)));
    await using tool = await startMcp(documented("mcp:mail", "mail"), clientEnv(), world.project);
    const running = async (): Promise<SessionRow[]> => JSON.parse((await world.run(["ps", "--json"])).stdout);
    await until(async () => (await running()).filter(({ state }) => state === "active").length === 5, 15_000, "all five");
    const rows = await running();
    expect(rows.map(({ account, role }) => `${account} ${role}`).toSorted()).toEqual([
      "123456789012 agent-demo",
      "123456789012 agent-mail",
      "123456789012 agent-notes",
      `${OTHER_ACCOUNT} agent-demo`,
      `${OTHER_ACCOUNT} agent-demo`,
    ]);
    expect(new Set(rows.map(({ session }) => session)).size).toBe(5);
    const [gone] = rows.filter(({ account }) => account === OTHER_ACCOUNT);
    await world.run(["kill", gone?.session ?? ""]);
    expect((await running()).map(({ session }) => session).toSorted()).toEqual(
      rows.flatMap(({ session }) => (session === gone?.session ? [] : [session])).toSorted(),
    );
    expect((await whoami(tool)).arn).toContain(":assumed-role/agent-mail/");
    for (const child of children) child.stdin?.end();
    expect((await Promise.all(ends)).toSorted()).toEqual([0, 0, 0, 137]);
    expect((await world.run(["audit", "--verify"])).code).toBe(0);
  });
});

interface SessionRow {
  readonly session: string;
  readonly account: string;
  readonly role: string;
  readonly state: string;
}

/** The demo's account under another number. */
function elsewhere(): Seed {
  return { ...demoSeed, account: OTHER_ACCOUNT, roles: [{ ...demoRole, trust: trusts(`arn:aws:iam::${OTHER_ACCOUNT}:user/dev`) }] };
}
