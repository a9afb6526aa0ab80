// In a session every stock client is the session and nobody else, whatever the human's environment and home folder hold.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoSeed } from "../../src/localcloud/seed.ts";
import { clients, VENV } from "./clients.ts";
import { everything, type Hostile, homeOf, hostiles, openProxy, openTrap, type Place, plain, type Trap } from "./hostile.ts";
import { FIXTURES, hasBubblewrap, makeWorld, type World } from "./world.ts";

const RUNS_EACH = join(FIXTURES, "runs-each.mjs");
const ADMINISTRATOR = { name: "boss", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"] };

let world: World;
let trap: Trap;
let proxy: Trap;
beforeAll(async () => {
  world = await makeWorld({ seed: { ...demoSeed, users: [...demoSeed.users, ADMINISTRATOR] } });
  trap = await openTrap(world.cloud.keys("boss"));
  proxy = await openProxy();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await trap[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Outcome {
  readonly stderr: string;
  readonly place: Place;
  /** The agent's environment. */
  readonly env: Record<string, string>;
  readonly arn: string;
  readonly ran: Record<string, Ended>;
  /** ARN and user agent of every call that AWS was sent meanwhile. */
  readonly callers: readonly { readonly arn: string; readonly agent: string }[];
  readonly trapped: readonly string[];
  readonly proxied: readonly string[];
}

/** Makes a hostile place: its home folder, and the human's environment there. */
function settle(row: Hostile): { place: Place; env: Record<string, string> } {
  const home = mkdtempSync(join(world.home, "home-"));
  const place = { base: world.cloud.admin, boss: world.cloud.keys("boss"), home, trap: trap.url, proxy: proxy.url };
  for (const [path, content] of Object.entries(homeOf(row, place))) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content, { mode: 0o600 });
  }
  const env = Object.entries({ ...world.env, ...row.env?.(place), HOME: home }).filter((entry) => entry[1] !== undefined);
  return { place, env: Object.fromEntries(env) as Record<string, string> };
}

/** Runs shell lines in one session that is started from a hostile place. */
async function inside(row: Hostile, options: readonly string[], lines: Record<string, string>): Promise<Outcome> {
  const { place, env: human } = settle(row);
  const before = world.cloud.events().length;
  const asked = { trap: trap.asked.length, proxy: proxy.asked.length };
  const args = [...(row.named ? ["--aws-profile", "good"] : []), ...options, "node", RUNS_EACH, JSON.stringify(lines)];
  const result = await world.run(args, { env: { AWS_SECRET_ACCESS_KEY: undefined, ...human }, limitMs: 60_000 });
  if (result.code !== 0) throw new Error(`agent-run ended with ${result.code}: ${result.stderr}`);
  const { env, ran } = JSON.parse(result.stdout) as Pick<Outcome, "env" | "ran">;
  const events = world.cloud.events().slice(before);
  return {
    stderr: result.stderr,
    place,
    env,
    ran,
    arn: `arn:aws:sts::${world.cloud.account}:assumed-role/agent-demo/${env["AGENT_RUN_SESSION"]}`,
    callers: events.map(({ record }) => ({
      arn: (record["userIdentity"] as { arn: string }).arn,
      agent: String(record["userAgent"]),
    })),
    // We look ourselves whether a metadata service answers (src/isolation/metadata.ts), once, and ask it for nothing.
    trapped: trap.asked.slice(asked.trap).filter((what) => what !== "GET /latest/"),
    proxied: proxy.asked.slice(asked.proxy),
  };
}

/** The tests of one session: it is started once, by the first that looks. */
function isTheSession(row: Hostile, options: readonly string[]): void {
  let started: Promise<Outcome> | undefined;
  const outcome = (): Promise<Outcome> => {
    const there = clients.filter((client) => client.there && client.name !== row.spares);
    started ??= inside(row, options, Object.fromEntries(there.map(({ name, line }) => [name, line])));
    return started;
  };
  for (const { name, needs, there } of clients) {
    if (name === row.spares) continue;
    it.skipIf(!there)(`makes ${name} the session${there ? "" : ` (needs ${needs})`}`, async () => {
      const { ran, arn, callers } = await outcome();
      expect(ran[name]).toMatchObject({ code: 0, stderr: "" });
      if (name === "rclone") {
        expect(ran[name]?.stdout).toContain("robots.txt\n");
        expect(new Set(callers.filter(({ agent }) => agent.startsWith("rclone")).map((caller) => caller.arn))).toEqual(new Set([arn]));
      } else expect(ran[name]?.stdout).toContain(`${arn}`);
    });
  }
  it("lets nobody use, see or ask for what the human has", async () => {
    const { env, callers, trapped, place, stderr } = await outcome();
    // Where the row has a metadata service that answers, that is said when it is known in time.
    expect(stderr.replace(/^agent-run: warning: metadata in reach: [^\n]*\n/, "")).toBe("");
    expect(callers.filter(({ arn }) => arn.endsWith(":user/boss"))).toEqual([]);
    expect(trapped).toEqual([]);
    expect(existsSync(join(place.home, "asked"))).toBe(false);
    for (const { accessKeyId, secretAccessKey } of [place.base, place.boss]) {
      expect(Object.values(env).filter((value) => value.includes(accessKeyId) || value.includes(secretAccessKey))).toEqual([]);
    }
    for (const value of ["of-another", "an-old-token", place.trap]) expect(Object.values(env)).not.toContain(value);
  });
}

const byName = (name: string): Hostile => {
  const row = hostiles.find((hostile) => hostile.name === name);
  if (!row) throw new Error(`no row '${name}'`);
  return row;
};

describe("without agent-run", () => {
  it.each(clients.filter(({ name, there }) => there && name !== "rclone"))(
    "$name is the administrator in everything at once",
    async ({ line }) => {
      const { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: _, ...env } = settle(everything).env;
      const { stdout } = await promisify(execFile)("/bin/sh", ["-c", line], { env, timeout: 30_000 });
      expect(stdout).toContain(`arn:aws:iam::${world.cloud.account}:user/boss`);
    },
  );
});

describe.each(hostiles)("endpoint delivery in $name", (row) => {
  isTheSession(row, []);
});

describe.each(["endpoint", "process", "env"])("%s delivery in everything at once", (delivery) => {
  isTheSession(everything, ["--delivery", delivery]);
});

describe.each(["process", "env"])("%s delivery in an environment with the base keys alone", (delivery) => {
  isTheSession(plain, ["--delivery", delivery]);
});

describe.skipIf(!hasBubblewrap)(`isolated${hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)"}`, () => {
  describe.each(["endpoint", "process", "env"])("%s delivery in everything at once", (delivery) => {
    isTheSession(everything, ["--isolation", "standard", "--delivery", delivery]);
  });
});

describe("a profile of the human asked for by name", () => {
  const missing = /The config profile \(boss\) could not be found/;
  const asking: Record<string, { line: string; says: RegExp }> = {
    "Debian's aws": { line: `/usr/bin/aws --profile boss sts get-caller-identity --endpoint-url "$AWS_ENDPOINT_URL"`, says: missing },
    "aws-cli of PyPI": { line: `${VENV}/aws --profile boss sts get-caller-identity`, says: missing },
    "Debian's boto3": { line: `/usr/bin/python3 -c "import boto3;boto3.Session(profile_name='boss')"`, says: missing },
    "boto3 of PyPI": { line: `${VENV}/python -c "import boto3;boto3.Session(profile_name='boss')"`, says: missing },
    rclone: { line: "rclone lsf --retries 1 prod:acme-website", says: /didn't find section in config file/ },
  };
  // It takes no error from a missing profile: it looks on, and finds the session.
  const javascript = { line: `AWS_PROFILE=boss node ${join(FIXTURES, "prints-identity.mjs")}` };
  let started: Promise<Outcome> | undefined;
  const outcome = (): Promise<Outcome> => {
    started ??= inside(
      everything,
      [],
      Object.fromEntries(Object.entries({ ...asking, javascript }).map(([name, { line }]) => [name, line])),
    );
    return started;
  };
  for (const [name, { says }] of Object.entries(asking)) {
    const client = clients.find((each) => each.name === name);
    it.skipIf(!client?.there)(`is not there for ${name}, which says so${client?.there ? "" : ` (needs ${client?.needs})`}`, async () => {
      const { ran, callers } = await outcome();
      expect(ran[name]?.code).not.toBe(0);
      expect(ran[name]?.stderr).toMatch(says);
      expect(callers.filter(({ arn }) => arn.endsWith(":user/boss"))).toEqual([]);
    });
  }
  it("leaves the AWS SDK for JavaScript the session", async () => {
    const { ran, arn } = await outcome();
    expect(ran["javascript"]?.stdout).toContain(arn);
  });
});

describe("a proxy of the human", () => {
  const aws = clients.find(({ name }) => name === "Debian's aws");
  it.skipIf(!aws?.there)(
    `carries the clients' calls and never the session's credentials${aws?.there ? "" : ` (needs ${aws?.needs})`}`,
    async () => {
      const { proxied, env, ran } = await inside(byName("a proxy"), [], { who: aws?.line ?? "" });
      expect(ran["who"]?.code).toBe(0);
      expect(proxied).toEqual([`POST ${world.cloud.url}/`]);
      expect(env["HTTP_PROXY"]).toBe(proxy.url);
    },
  );
});
