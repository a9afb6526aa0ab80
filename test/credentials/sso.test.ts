// SSO profiles against a pretend portal: the cached login, its renewal in memory, its end; and that the human's files stay as they are.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type Human, human, keyId } from "./human.ts";

const MINUTE = 60_000;
const CONFIG = `
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Developer
region = eu-west-1

[profile old]
sso_start_url = https://old.awsapps.com/start
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Developer

[profile chained]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = half

[profile half]
sso_session = corp
sso_account_id = 111122223333

[profile lost]
sso_session = nowhere
sso_account_id = 111122223333
sso_role_name = Developer
`;

interface Portal {
  readonly url: string;
  readonly seen: { path: string; bearer: string | undefined; body: string }[];
  /** Access tokens that are accepted. */
  readonly accepted: Set<string>;
  /** What CreateToken answers; 400 when absent. */
  renewal: { accessToken: string; expiresIn: number; refreshToken?: string } | undefined;
  status: number | undefined;
  close(): void;
}

async function portal(): Promise<Portal> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const bearer = request.headers["x-amz-sso_bearer_token"] as string | undefined;
    made.seen.push({ path: request.url ?? "", bearer, body });
    const reply = (status: number, value: unknown): void => void response.writeHead(status).end(JSON.stringify(value));
    if (made.status !== undefined) return reply(made.status, { message: "no" });
    if (request.url === "/token") return made.renewal ? reply(200, made.renewal) : reply(400, { error: "invalid_grant" });
    if (!made.accepted.has(bearer ?? "")) return reply(401, { message: "Session token not found or invalid" });
    return reply(200, {
      roleCredentials: {
        accessKeyId: keyId("sso"),
        secretAccessKey: "ssoSecret",
        sessionToken: "ssoToken",
        expiration: Date.now() + 8 * 60 * MINUTE,
      },
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const made: Portal = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    accepted: new Set(["login-token"]),
    renewal: undefined,
    status: undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return made;
}

const cacheFile = (key: string): string => `.aws/sso/cache/${createHash("sha1").update(key).digest("hex")}.json`;
const login = (leftMs: number, more: Record<string, string> = {}): string =>
  JSON.stringify({ accessToken: "login-token", expiresAt: new Date(Date.now() + leftMs).toISOString(), region: "eu-central-1", ...more });
const renewable = { clientId: "client", clientSecret: "clientSecret", refreshToken: "refresh-1" };

async function withPortal(files: Record<string, string>, run: (ann: Human, sso: Portal) => Promise<void>): Promise<void> {
  const sso = await portal();
  using ann = human({ ".aws/config": CONFIG, ...files }, { AWS_ENDPOINT_URL_SSO: sso.url, AWS_ENDPOINT_URL_SSO_OIDC: sso.url });
  const before = ann.files();
  try {
    await run(ann, sso);
    // The sources only read: a login belongs to the CLI that made it.
    for (const [path, text] of Object.entries(before)) if (!path.includes("/sso/cache/")) expect(ann.files()[path]).toBe(text);
    expect(Object.keys(ann.files()).sort()).toEqual(Object.keys({ ...before, ...ann.files() }).sort());
  } finally {
    sso.close();
  }
}

describe("a valid login", () => {
  it("gives the role's credentials, in the old form and the new", async () => {
    const files = { [cacheFile("corp")]: login(60 * MINUTE), [cacheFile("https://old.awsapps.com/start")]: login(60 * MINUTE) };
    await withPortal(files, async (ann, sso) => {
      const base = await ann.find({ awsProfile: "dev" });
      expect(base).toMatchObject({ source: "AWS profile 'dev' (SSO)", chained: true, region: "eu-west-1" });
      expect(base.credentials.accessKeyId).toBe(keyId("sso"));
      expect(sso.seen[0]).toMatchObject({
        path: "/federation/credentials?account_id=111122223333&role_name=Developer",
        bearer: "login-token",
      });
      expect((await ann.find({ awsProfile: "old" })).source).toBe("AWS profile 'old' (SSO)");
      expect(inspect(base, { depth: 9 })).not.toMatch(/ssoSecret|ssoToken|login-token/);
    });
  });

  it("in the date form of old CLIs is read too", async () => {
    const text = login(60 * MINUTE).replace(/\.\d+Z/, "UTC");
    await withPortal({ [cacheFile("corp")]: text }, async (ann) => {
      expect((await ann.find({ awsProfile: "dev" })).chained).toBe(true);
    });
  });

  it("leaves nothing to ask at a second launch", async () => {
    await withPortal({ [cacheFile("corp")]: login(60 * MINUTE) }, async (ann, sso) => {
      await ann.find({ awsProfile: "dev" });
      await ann.find({ awsProfile: "dev" });
      expect(sso.seen).toHaveLength(1);
    });
  });
});

describe("an old login", () => {
  it("is renewed in memory, and the CLI's file stays as it is", async () => {
    const text = login(-MINUTE, renewable);
    await withPortal({ [cacheFile("corp")]: text }, async (ann, sso) => {
      sso.renewal = { accessToken: "renewed-1", expiresIn: 3600, refreshToken: "refresh-2" };
      sso.accepted.add("renewed-1");
      await ann.find({ awsProfile: "dev" });
      expect(sso.seen.map(({ path, bearer }) => [path.split("?")[0], bearer])).toEqual([
        ["/token", undefined],
        ["/federation/credentials", "renewed-1"],
      ]);
      expect(JSON.parse(sso.seen[0]?.body ?? "")).toEqual({
        clientId: "client",
        clientSecret: "clientSecret",
        refreshToken: "refresh-1",
        grantType: "refresh_token",
      });
      expect(Object.values(ann.files())).toContain(text);

      // The next renewal goes on from the one before, not from the file.
      await ann.clock.advance(8 * 60 * MINUTE);
      sso.renewal = { accessToken: "renewed-2", expiresIn: 3600 };
      sso.accepted.add("renewed-2");
      await ann.find({ awsProfile: "dev" }).catch(() => undefined);
      expect(JSON.parse(sso.seen[2]?.body ?? "")).toMatchObject({ refreshToken: "refresh-2" });
    });
  });

  it("that is not over yet is used when the renewal fails", async () => {
    await withPortal({ [cacheFile("corp")]: login(2 * MINUTE, renewable) }, async (ann) => {
      expect((await ann.find({ awsProfile: "dev" })).chained).toBe(true);
    });
  });

  it("renewed by a new login elsewhere counts at once", async () => {
    await withPortal({ [cacheFile("corp")]: login(-MINUTE) }, async (ann) => {
      expect((await ann.fail({ awsProfile: "dev" })).code).toBe("base-credentials");
      ann.write(cacheFile("corp"), login(60 * MINUTE));
      expect((await ann.find({ awsProfile: "dev" })).chained).toBe(true);
    });
  });

  it.each([
    ["never made", {}, "is not logged in"],
    ["garbage", { [cacheFile("corp")]: "{" }, "is not logged in"],
    ["over and not renewable", { [cacheFile("corp")]: login(-MINUTE) }, "has expired"],
    ["over, and the renewal is refused", { [cacheFile("corp")]: login(-MINUTE, renewable) }, "has expired"],
    ["signed out on the server", { [cacheFile("corp")]: login(60 * MINUTE).replace("login-token", "revoked") }, "has expired"],
  ])("that is %s says how to log in", async (_what, files, text) => {
    await withPortal(files as Record<string, string>, async (ann) => {
      const error = await ann.fail({ awsProfile: "dev" });
      expect(error).toMatchObject({ code: "base-credentials", hint: "agent-run login --aws-profile dev, or aws sso login --profile dev" });
      expect(error.message).toBe(`the SSO session of aws profile 'dev' ${text}`);
    });
  });
});

describe("what else goes wrong", () => {
  it("a role that was not assigned is named", async () => {
    await withPortal({ [cacheFile("corp")]: login(60 * MINUTE) }, async (ann, sso) => {
      sso.status = 403;
      expect((await ann.fail({ awsProfile: "dev" })).message).toBe("SSO gives you no role 'Developer' in account 111122223333");
    });
  });

  it("a portal that is down, or not there, is told as unreachable", async () => {
    await withPortal({ [cacheFile("corp")]: login(60 * MINUTE) }, async (ann, sso) => {
      sso.status = 503;
      expect((await ann.fail({ awsProfile: "dev" })).code).toBe("sts-unreachable");
      sso.close();
      expect(await ann.fail({ awsProfile: "dev" })).toMatchObject({ code: "sts-unreachable", message: expect.stringContaining(sso.url) });
    });
  });

  it.each([
    ["half", "sso_role_name is missing"],
    ["lost", "there is no [sso-session nowhere]"],
    ["chained", "sso_role_name is missing"],
  ])("the incomplete profile %s says what is missing", async (profile, text) => {
    await withPortal({ [cacheFile("corp")]: login(60 * MINUTE) }, async (ann) => {
      expect((await ann.fail({ awsProfile: profile })).message).toContain(text);
    });
  });

  it("a region that is none is never made part of a host name", async () => {
    await withPortal({ [cacheFile("corp")]: login(60 * MINUTE) }, async (ann) => {
      const config = ann.write(".aws/config", CONFIG.replace("eu-central-1", "x.evil.example/"));
      const { AWS_ENDPOINT_URL_SSO: _, ...env } = ann.env;
      expect((await ann.fail({ awsProfile: "dev", env })).code).toBe("config");
      ann.write(config.slice(ann.home.length + 1), CONFIG);
    });
  });
});
