// Every secret that a world issued is looked for everywhere, over whole lives of sessions: it is only where its delivery mode puts it, and gone at the end.
import type { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { descendants, signal } from "../../src/core/process-tree.ts";
import { ARMING_MS } from "../../src/terminal/overlay.ts";
import { sts } from "../localcloud/clients.ts";
import { contentOf, leaksInFiles, leaksInProcesses, secretsIn } from "./leaks.ts";
import { alive, BIN, FIXTURES, hasBubblewrap, makeWorld, type Result, type RunOptions, until, type World } from "./world.ts";

const CALLS = join(FIXTURES, "calls-aws-until-ended.mjs");
const CTRL_K = "\x0b";
const BASE = "environment of the launcher: base secret";
/** Seconds that session credentials last here: renewed after about half of them. */
const SHORT = 6;

let world: World;
let root: string;
/** Tokens of endpoints, from where the agents have them. */
const tokens = new Set<string>();
/** All that any command of this test printed, and all that a terminal showed. */
const said: string[] = [];

beforeAll(async () => {
  world = await makeWorld();
  root = dirname(world.home);
  // What a library would leave in the temp folder is to be found too.
  world.env["TMPDIR"] = join(root, "tmp");
  mkdirSync(world.env["TMPDIR"]);
});
beforeEach(() => {
  said.length = 0;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function secrets(): Map<string, string> {
  const base = world.cloud.admin.secretAccessKey;
  const issued = world.cloud.issuedSecrets().map((text) => [text, text.length > 100 ? "session token" : "session secret"] as const);
  return new Map([...issued, [base, "base secret"], ...[...tokens].map((token) => [token, "endpoint token"] as const)]);
}

async function run(args: readonly string[], options?: RunOptions): Promise<Result> {
  const result = await world.run(args, options);
  said.push(result.stdout, result.stderr);
  return result;
}

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly session: string;
  readonly ended: Promise<number | null>;
  rounds(): number;
}

/** Starts an agent that calls AWS, and waits until it has. */
async function launch(options: readonly string[]): Promise<Running> {
  const child = world.start([...options, "node", CALLS]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      said.push(text);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const rounds = (): number => output.match(/round \d+\n/g)?.length ?? 0;
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  try {
    await until(() => rounds() > 0, 15_000, "the agent's first call");
  } catch (error) {
    await end();
    throw new Error(`the agent could not call aws; it said: ${output}`, { cause: error });
  }
  learnTokens(child.pid ?? 0);
  return {
    child,
    ended,
    rounds,
    session: world.sessionFolders()[0]?.split("/").at(-1) ?? "",
    [Symbol.asyncDispose]: end,
  };
}

/** Reads the endpoint's token from the agent's environment, or from the file of its credential_process. */
function learnTokens(launcher: number): void {
  for (const { pid } of descendants(launcher)) {
    const found = /AWS_CONTAINER_AUTHORIZATION_TOKEN=([^\0]+)/.exec(`${contentOf(`/proc/${pid}/environ`) ?? ""}`)?.[1];
    if (found) tokens.add(found);
  }
  for (const folder of world.sessionFolders()) {
    const header = join(folder, "authorization");
    if (existsSync(header)) tokens.add(readFileSync(header, "utf8").replace("Authorization: ", ""));
  }
}

/** Everywhere where a secret is now, in a session's words. */
function leaks(launcher?: number, session = ""): string[] {
  const agent = new Set(launcher ? descendants(launcher).map(({ pid }) => pid) : []);
  const known = secrets();
  const who = (pid: number): string | undefined => (pid === launcher ? "the launcher" : agent.has(pid) ? "the agent" : undefined);
  const printed = secretsIn(said.join(""), known).map((kind) => `printed: ${kind}`);
  return [...leaksInProcesses(known, who), ...leaksInFiles(root, known), ...printed].map((leak) =>
    session === "" ? leak : leak.replaceAll(session, "<session>"),
  );
}

const EXPECTED = {
  endpoint: ["environment of the agent: endpoint token", BASE],
  process: [BASE, "file own/run/<session>/authorization: endpoint token"],
  env: ["environment of the agent: session secret", "environment of the agent: session token", BASE],
} as const;

describe("the search", () => {
  it("finds a secret in files, arguments, environments and output, whole, cut and in other writings", async () => {
    const secret = world.cloud.admin.secretAccessKey;
    const known = new Map([[secret, "base secret"]]);
    const folder = join(root, ".planted");
    mkdirSync(folder);
    const written = [secret, secret.slice(0, 25), Buffer.from(secret).toString("base64"), encodeURIComponent(secret)];
    for (const [index, text] of written.entries()) writeFileSync(join(folder, `.${index}`), `x=${text};`);
    expect(leaksInFiles(root, known)).toEqual(written.map((_, index) => `file .planted/.${index}: base secret`));
    rmSync(folder, { recursive: true });
    const child = world.start(["sleep", secret], {
      env: { AGENT_RUN_HOME: join(root, "nowhere"), AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
    });
    expect(leaksInProcesses(known, (pid) => (pid === child.pid ? "it" : undefined))).toEqual([
      "arguments of it: base secret",
      "environment of it: base secret",
    ]);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    await world.run(["daemon", "stop"], { env: { AGENT_RUN_HOME: join(root, "nowhere") } });
    rmSync(join(root, "nowhere"), { recursive: true, force: true });
  });
});

describe.each(["none", "standard"] as const)("isolation %s", (isolation) => {
  const missing = isolation === "standard" && !hasBubblewrap;
  it.skipIf(missing).each(["endpoint", "process", "env"] as const)(
    `%s delivery puts secrets where it says, and nowhere else${missing ? " (needs bwrap, apt-get install bubblewrap)" : ""}`,
    async (delivery) => {
      await using agent = await launch(["--delivery", delivery, "--isolation", isolation]);
      const { child, session, ended } = agent;
      expect(leaks(child.pid, session)).toEqual(EXPECTED[delivery]);
      await run(["kill", session]);
      expect(await ended).toBe(137);
      expect(leaks()).toEqual([]);
      expect(world.sessionFolders()).toEqual([]);
    },
  );
});

describe("a session's life", () => {
  it("prints and leaves no secret over fetches, refusals, refreshes, failed refreshes, a new daemon and a kill", async () => {
    world.cloud.switches.apply({ credentialSeconds: SHORT });
    await using agent = await launch(["--task", "look around"]);
    const { child, session, ended, rounds } = agent;
    const kinds = async (): Promise<string[]> =>
      (JSON.parse((await run(["audit", session, "--json"])).stdout) as { kind: string }[]).map(({ kind }) => kind);
    await until(async () => (await kinds()).includes("refresh"), 15_000, "a refresh");
    const [token = ""] = world.cloud
      .issuedSecrets()
      .filter((text) => text.length > 100)
      .slice(-1);
    using _ = world.cloud.switches.fault({
      operation: "sts:AssumeRole",
      error: { code: "SignatureDoesNotMatch", status: 403, message: canonical(token) },
    });
    await until(async () => (await kinds()).includes("refresh-failed"), 15_000, "a refresh that fails");
    expect(await kinds()).toContain("fetch");
    for (const args of LOOKS) await run(args.map((word) => word.replace("<session>", session)));
    expect(leaks(child.pid, session)).toEqual(EXPECTED.endpoint);

    world.cloud.switches.clear();
    signal((await world.daemonPid()) ?? 0, "SIGKILL");
    const before = rounds();
    await until(() => rounds() > before + 2, 15_000, "calls through the next daemon");
    expect(leaks(child.pid, session)).toEqual(EXPECTED.endpoint);
    expect((await run(["kill", "--all", "--json"])).stdout).toContain(session);
    expect(await ended).toBe(137);
    world.cloud.switches.apply({ credentialSeconds: null });
    expect(leaks()).toEqual([]);
  });

  it("shows none in a terminal, with the bar and the overlay", async () => {
    const pty = spawn(process.execPath, [BIN, "node", CALLS], { cols: 100, rows: 24, cwd: world.project, env: world.env });
    let shown = "";
    pty.onData((text) => {
      shown += text;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    try {
      await until(() => /round 2\b/.test(shown), 15_000, "the agent's second call");
      learnTokens(pty.pid);
      const session = world.sessionFolders()[0]?.split("/").at(-1) ?? "";
      expect(leaks(pty.pid, session)).toEqual(EXPECTED.endpoint);
      pty.write(CTRL_K);
      await until(() => shown.includes("End node?"), 5000, "the question");
      await new Promise((resolve) => setTimeout(resolve, ARMING_MS + 100));
      pty.write(CTRL_K);
      expect(await ended).toBe(137);
      expect(shown).toContain(session);
    } finally {
      signal(pty.pid, "SIGKILL");
      await ended;
    }
    said.push(shown);
    expect(leaks()).toEqual([]);
  });

  it("is wiped when its launcher is killed", async () => {
    await using agent = await launch(["--delivery", "process"]);
    const { child, session, ended } = agent;
    child.kill("SIGKILL");
    await ended;
    await until(async () => (await run(["ps", "--json"])).stdout.trim() === "[]", 10_000, `the end of ${session}`);
    await until(() => world.sessionFolders().length === 0, 5000, "its folder to go");
    expect(leaks()).toEqual([]);
  });
});

/** Every command that shows something, and the help. */
const LOOKS: readonly (readonly string[])[] = [
  ["ps"],
  ["ps", "--json"],
  ["audit"],
  ["audit", "<session>"],
  ["audit", "<session>", "--json"],
  ["audit", "<session>", "--report"],
  ["audit", "--verify"],
  ["env"],
  ["env", "--json"],
  ["env", "--explain"],
  ["env", "--delivery", "env", "--json"],
  ["daemon", "status"],
  ["daemon", "status", "--json"],
  ["daemon", "logs"],
  ["--dry-run", "--delivery", "env", "true"],
  ["--dry-run", "--delivery", "process", "true"],
  ["--help"],
  ["run", "--help"],
];

/** STS quotes what it made the signature of when that is not the caller's: the caller's session token is in it. */
const canonical = (token: string): string =>
  "The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been\n" +
  `'POST\n/\n\nhost:sts.us-east-1.amazonaws.com\nx-amz-date:20261122T100000Z\nx-amz-security-token:${token}\n\nhost;x-amz-date'`;

describe("a start that fails", () => {
  const FAULTS = [
    ["SignatureDoesNotMatch", 403],
    ["AccessDenied", 403],
    ["ValidationError", 400],
    ["ExpiredToken", 403],
    ["SomethingNew", 400],
    ["InternalFailure", 500],
  ] as const;
  it.each(FAULTS)("prints no secret when aws quotes the base's in %s", async (code, status) => {
    const { Credentials: chained } = await sts(world.cloud).send(new GetSessionTokenCommand({}));
    const env = {
      AWS_ACCESS_KEY_ID: chained?.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: chained?.SecretAccessKey,
      AWS_SESSION_TOKEN: chained?.SessionToken,
    };
    const message = `${canonical(chained?.SessionToken ?? "")} ${chained?.SecretAccessKey}`;
    for (const operation of ["sts:AssumeRole", "sts:GetCallerIdentity"]) {
      using _ = world.cloud.switches.fault({ operation, error: { code, status, message } });
      const { code: exit, stderr } = await run(["true"], { env });
      expect(exit).toBe(125);
      expect(stderr).toMatch(/^agent-run: error: /);
    }
    await run(["daemon", "logs"]);
    expect(leaks()).toEqual([]);
  });

  it("prints no secret for a role that does not trust, a wrong secret key, and a part of a key", async () => {
    const { accessKeyId, secretAccessKey } = world.cloud.admin;
    expect((await run(["--role", "arn:aws:iam::123456789012:role/nobody", "true"])).code).toBe(125);
    expect((await run(["true"], { env: { AWS_SECRET_ACCESS_KEY: `${secretAccessKey.slice(0, -1)}_` } })).code).toBe(125);
    expect((await run(["true"], { env: { AWS_ACCESS_KEY_ID: secretAccessKey, AWS_SECRET_ACCESS_KEY: accessKeyId } })).code).toBe(125);
    expect((await run(["true"], { env: { AWS_ACCESS_KEY_ID: undefined } })).code).toBe(125);
    expect(leaks()).toEqual([]);
  });

  it.each([
    ["says them on stderr and fails", (keys: string) => `echo 'trouble with ${keys}' >&2\nexit 1\n`],
    ["prints no JSON", (keys: string) => `echo '${keys}'\n`],
    ["prints JSON that is cut", (keys: string) => `echo '{"Version":1,"SecretAccessKey":"${keys}"'\n`],
    ["prints the wrong version", (keys: string) => `echo '{"Version":2,"SecretAccessKey":"${keys}"}'\n`],
  ])("prints no secret when the human's credential_process %s", async (_what, script) => {
    const home = join(world.home, "of-a-process");
    mkdirSync(join(home, ".aws"), { recursive: true });
    const { secretAccessKey } = world.cloud.admin;
    writeFileSync(join(home, "give-keys"), `#!/bin/sh\n${script(secretAccessKey)}`);
    chmodSync(join(home, "give-keys"), 0o700);
    writeFileSync(join(home, ".aws", "config"), `[profile p]\ncredential_process = ${join(home, "give-keys")}\n`);
    expect((await run(["--aws-profile", "p", "true"], { env: { HOME: home } })).code).toBe(125);
    rmSync(home, { recursive: true });
    expect(leaks()).toEqual([]);
  });
});

describe("a config.toml that holds a key by mistake", () => {
  it.each([
    ["as a line that is no TOML", (secret: string) => `aws_secret_access_key = ${secret}\n`],
    ["as an unknown setting", (secret: string) => `aws_secret_access_key = "${secret}"\n`],
    ["as the value of another setting", (secret: string) => `[profiles.demo]\nrole = "${secret}!"\n`],
  ])("is refused without quoting it: %s", async (_what, text) => {
    const own = join(root, "mistaken");
    mkdirSync(join(own, "config"), { recursive: true });
    writeFileSync(join(own, "config", "config.toml"), text(world.cloud.admin.secretAccessKey));
    const { code, stderr } = await run(["true"], { env: { AGENT_RUN_HOME: own } });
    expect(code).toBe(125);
    expect(stderr).toMatch(/config\.toml:\d+:\d+: /);
    await run(["daemon", "logs"], { env: { AGENT_RUN_HOME: own } });
    await run(["daemon", "stop"], { env: { AGENT_RUN_HOME: own } });
    rmSync(join(own, "config"), { recursive: true });
    expect(leaks()).toEqual([]);
  });
});

describe("the daemon", () => {
  it("leaves no core file, and no debugger can be opened in it", async () => {
    await run(["daemon", "start"]);
    const pid = (await world.daemonPid()) ?? 0;
    expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/^Max core file size +0 +0 /m);
    signal(pid, "SIGUSR1");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(alive(pid)).toBe(true);
    expect((await run(["daemon", "logs"])).stdout).not.toContain("Debugger");
    expect(listensOf(pid)).toEqual([]);
  });

  it("has none of the human's keys in its environment", async () => {
    const text = readFileSync(`/proc/${(await world.daemonPid()) ?? 0}/environ`, "utf8");
    expect(text.split("\0").filter((entry) => /^AWS_|secret|token/i.test(entry))).toEqual([]);
  });
});

/** Local addresses (in the kernel's hex) on which this process takes TCP connections: proc(5), /proc/net/tcp, state 0A. */
function listensOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const own = new Set(readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`)));
  return ["tcp", "tcp6"]
    .flatMap((file) => (existsSync(`/proc/net/${file}`) ? readFileSync(`/proc/net/${file}`, "utf8").split("\n").slice(1) : []))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && own.has(`socket:[${fields[9]}]`))
    .map((fields) => fields[1] ?? "");
}
