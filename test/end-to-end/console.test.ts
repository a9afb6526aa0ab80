// `agent-run console` against a stand-in for AWS's sign-in that asks the local cloud whether the keys are good: who may open it, what is said and recorded, and
// where the address appears.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openOuter } from "../terminal/outer.ts";
import { BIN, has, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

interface Signin extends AsyncDisposable {
  readonly url: string;
  /** Identities whose keys it was given. */
  readonly asked: string[];
}

/** Gives a token for keys that STS knows, and refuses others, as AWS does. */
async function startSignin(tls?: { key: string; cert: string }): Promise<Signin> {
  const asked: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    const { sessionId, sessionKey, sessionToken } = JSON.parse(query.get("Session") ?? "{}") as Record<string, string>;
    try {
      const credentials = { accessKeyId: sessionId ?? "", secretAccessKey: sessionKey ?? "", sessionToken: sessionToken ?? "" };
      const sts = new STSClient({ endpoint: world.cloud.url, region: world.cloud.region, credentials });
      asked.push((await sts.send(new GetCallerIdentityCommand({}))).Arn ?? "");
      if (query.get("Action") !== "getSigninToken" || query.has("SessionDuration")) throw new Error("not what is asked for");
      response.end(JSON.stringify({ SigninToken: "a-token/+&=" }));
    } catch {
      response.writeHead(400).end("Bad Request");
    }
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https://localhost" : "http://127.0.0.1"}:${port}/federation`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function setProfile(more: string): void {
  writeFileSync(
    join(world.own, "config", "config.toml"),
    `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\n${more}`,
  );
}

/** A session that runs while `use` does. */
async function during(use: (session: string) => Promise<void>): Promise<void> {
  const agent = world.start(["exec", "--", "cat"]);
  const closed = new Promise((resolve) => agent.once("close", resolve));
  let first: { session: string; state: string } | undefined;
  const isActive = async (): Promise<boolean> => {
    [first] = JSON.parse((await world.run(["ps", "--json"])).stdout);
    return first?.state === "active";
  };
  await until(isActive, 15_000, "the session");
  await use(first?.session ?? "");
  agent.stdin?.end();
  await closed;
}

/** In a terminal that is wide enough for the address. */
async function inTerminal(args: string[], env: Record<string, string> = {}): Promise<{ code: number | undefined; text: string }> {
  await using outer = openOuter(BIN, ["console", ...args], { cols: 400, env: { ...world.env, ...env } });
  const exit = await outer.exited;
  return { code: "code" in exit ? exit.code : undefined, text: outer.screen.rows().join("\n") };
}

const records = async (session: string): Promise<{ kind: string; data: Record<string, unknown> }[]> =>
  JSON.parse((await world.run(["audit", session, "--json"])).stdout);

describe("agent-run console", () => {
  it("prints an address that signs in as the session, says what it escapes, and records it without the address", async () => {
    await using signin = await startSignin();
    setProfile(`console = true\nsignin_url = "${signin.url}"\n`);
    await during(async (session) => {
      const { code, text } = await inTerminal(["--print"]);
      expect(code).toBe(0);
      expect(signin.asked).toEqual([`arn:aws:sts::123456789012:assumed-role/agent-demo/${session}`]);
      expect(text).toMatch(/warning: whoever has this address acts as \S+\/sess_\w+ until .*: no bar shows it, Ctrl-K does not end it/);
      const url = new URL(/^http\S+/m.exec(text)?.[0] ?? "");
      expect(Object.fromEntries(url.searchParams)).toEqual({
        Action: "login",
        Issuer: "agent-run",
        Destination: "https://console.aws.amazon.com/?region=us-east-1",
        SigninToken: "a-token/+&=",
      });
      expect((await records(session)).filter(({ kind }) => kind === "console")).toMatchObject([
        { data: { keysExpireAt: expect.any(String) } },
      ]);
      const file = join(world.own, "state", "audit", `${session}.ndjson`);
      expect(readFileSync(file, "utf8")).not.toContain("a-token");
      const [view] = JSON.parse((await world.run(["ps", "--json"])).stdout) as [{ caveats: string[] }];
      expect(view.caveats).toContain("console opened: a browser may act as this session too");
      // Nothing was fetched by the agent, and yet somebody holds the keys: a kill denies them.
      const [killed] = JSON.parse((await world.run(["kill", session, "--json"])).stdout) as [
        { revocations: { state: string }[]; keysExpireAt?: number },
      ];
      expect(killed).toMatchObject({ revocations: [{ state: "confirmed" }], keysExpireAt: expect.any(Number) });
      for (const secret of world.cloud.issuedSecrets()) expect(text).not.toContain(secret);
    });
  });

  it("opens a browser with an address of its own that leads on once, so that no list of processes shows the other", async () => {
    await using signin = await startSignin();
    setProfile(`console = true\nsignin_url = "${signin.url}"\n`);
    const bin = join(world.home, "bin");
    mkdirSync(bin);
    const [log, once, twice] = ["opened", "once", "twice"].map((name) => join(world.home, name)) as [string, string, string];
    const fetches = `curl -s -o /dev/null -w '%{http_code} %{redirect_url}'`;
    writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\necho "$@" >'${log}'\n${fetches} "$1x" >'${twice}'\n${fetches} "$1" >'${once}'\n`, {
      mode: 0o755,
    });
    await during(async (session) => {
      const { code, text } = await inTerminal([session], { PATH: [bin, world.env["PATH"]].join(delimiter) });
      expect({ code, shown: /a-token|Signin/.test(text) }).toEqual({ code: 0, shown: false });
      await until(() => readFileSync(once, "utf8") !== "", 5000, "the browser");
      expect(readFileSync(log, "utf8")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\n$/);
      expect(readFileSync(once, "utf8")).toMatch(/^302 http.*SigninToken=a-token/);
      expect(readFileSync(twice, "utf8")).toBe("404 ");
    });
  });

  it.skipIf(!has("openssl"))(
    "speaks TLS with whoever the human's authorities vouch for, and with nobody else (needs openssl)",
    async () => {
      const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(world.home, name)) as [string, string];
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      execFileSync(
        "openssl",
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, ...subject],
        {
          stdio: "ignore",
        },
      );
      await using signin = await startSignin({ key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") });
      setProfile(`console = true\nsignin_url = "${signin.url}"\n`);
      await during(async () => {
        const { code, text } = await inTerminal(["--print"]);
        expect(code).toBe(125);
        expect(text).toMatch(/the sign-in endpoint localhost:\d+ does not answer: \w*(SELF_SIGNED|CERT)\w*/);
      });
      expect(signin.asked).toEqual([]);
      world.env["AWS_CA_BUNDLE"] = cert;
      await during(async () => expect((await inTerminal(["--print"])).code).toBe(0));
      expect(signin.asked).toHaveLength(1);
    },
  );

  it("does nothing without the profile's leave, from a pipe, from inside a session, or for a place that is not AWS", async () => {
    await using signin = await startSignin();
    const shut = async (args: string[], env: Record<string, string>, words: RegExp): Promise<void> => {
      const { code, text } = await inTerminal(args, env);
      expect(code).not.toBe(0);
      expect(text).toMatch(words);
      expect(text).not.toContain("SigninToken");
    };
    setProfile(`signin_url = "${signin.url}"\n`);
    await during(async (session) => {
      await shut(["--print"], {}, /profile 'demo' does not open the console/);
      await shut([session, "--print"], { AGENT_RUN: "1" }, /not opened from inside a session/);
      const piped = await world.run(["console", "--print"]);
      expect(piped).toMatchObject({ code: 2, stdout: "" });
      await shut(["sess_00000001", "--print"], {}, /no session 'sess_00000001' runs here/);
    });
    setProfile("console = true\n");
    await during(async () => await shut(["--print"], {}, /its keys are not for AWS's own sign-in/));
    await shut(["--print"], {}, /no session runs/);
    expect(signin.asked).toEqual([]);
    setProfile('console = true\nsignin_url = "http://127.0.0.1:80@elsewhere.example/federation"\n');
    expect((await world.run(["true"])).stderr).toContain("must be https, or http on this machine");
    writeFileSync(join(world.project, ".agent-run.toml"), "console = true\n");
    expect((await world.run(["trust", "--yes"])).stderr).toContain("console");
  });

  it("is refused to the agent of a session, which reaches neither command nor daemon's leave", async () => {
    await using signin = await startSignin();
    setProfile(`console = true\nsignin_url = "${signin.url}"\n`);
    const inside = await world.run([process.execPath, BIN, "console", "--print"]);
    expect(inside).toMatchObject({ stdout: "" });
    expect(inside.code).toBe(125);
    expect(inside.stderr).toMatch(/inside (a|the) session/);
    expect(signin.asked).toEqual([]);
  });

  it("says that nobody answers, with nothing of the keys in it", async () => {
    await using signin = await startSignin();
    setProfile(`console = true\nsignin_url = "${signin.url}?Action=getSigninToken"\n`);
    await during(async (session) => {
      const gone = signin.url;
      await signin[Symbol.asyncDispose]();
      const { code, text } = await inTerminal([session, "--print"]);
      expect(code).toBe(125);
      expect(text).toMatch(new RegExp(`the sign-in endpoint ${new URL(gone).host} does not answer: ECONNREFUSED`));
      for (const secret of world.cloud.issuedSecrets()) expect(text).not.toContain(secret);
      expect(await records(session)).not.toContainEqual(expect.objectContaining({ kind: "console" }));
    });
  });
});
