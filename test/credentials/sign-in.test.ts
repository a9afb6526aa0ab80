// Signing in at a stand-in for IAM Identity Center with the SDK's own clients: browser and device, what others send to the redirect, renewal and its end.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signInByBrowser } from "../../src/credentials/sso/browser.ts";
import { signInByDevice } from "../../src/credentials/sso/device.ts";
import { Oidc } from "../../src/credentials/sso/oidc.ts";
import { createOwnSessions, type OwnSessions } from "../../src/credentials/sso/own-sessions.ts";
import { listRoles, signOut } from "../../src/credentials/sso/portal.ts";
import { readSignIn, requireStartUrl, type SsoPlace, type SsoSession, sessionText } from "../../src/credentials/sso/session.ts";
import { openSessionStore } from "../../src/credentials/sso/session-store.ts";
import { human } from "./human.ts";
import { type IdentityCenter, identityCenter } from "./identity-center.ts";
import { type Bus, hasKeyring, type KeyringPlace, keyringNeeds, keyringPlace } from "./keyring-world.ts";
import { manualClock } from "./manual-clock.ts";

const MINUTE = 60_000;

let center: IdentityCenter;
let place: SsoPlace;
let oidc: Oidc;
beforeEach(async () => {
  center = await identityCenter();
  place = { startUrl: center.startUrl, region: "eu-central-1" };
  oidc = new Oidc(place, center.env, Date.now);
});
afterEach(async () => {
  await center[Symbol.asyncDispose]();
});

describe("the browser", () => {
  it("signs in with PKCE, a state and a redirect to loopback", async () => {
    let shown = "";
    let status: Promise<number> | undefined;
    const session = await signInByBrowser(oidc, (url) => {
      shown = url;
      status = center.browse(url);
    });
    expect(await status).toBe(200);
    expect(new URL(shown).searchParams.get("redirect_uri")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/oauth\/callback$/);
    expect(center.tokens).toContain(session.accessToken.reveal());
    expect(session.renewal?.refreshToken.reveal()).toMatch(/^refresh-/);
    expect(inspect(session, { depth: 9 })).not.toMatch(/access-|refresh-|client-[0-9a-f]{8}/);
    expect(center.seen).toEqual(["POST /client/register", "GET /authorize", "POST /token"]);
    // Nobody listens any more.
    await expect(fetch(new URL(shown).searchParams.get("redirect_uri") ?? "")).rejects.toThrow();
  });

  it("is told nothing by others, who cannot end it either: a wrong state, no state, another path, host or method", async () => {
    const statuses: number[] = [];
    const session = await signInByBrowser(oidc, (shown) => {
      const redirect = new URL(new URL(shown).searchParams.get("redirect_uri") ?? "");
      const state = new URL(shown).searchParams.get("state") ?? "";
      const at = (path: string): string => `${redirect.origin}${path}`;
      void (async () => {
        for (const [url, options] of [
          [at("/oauth/callback?code=stolen&state=wrong"), {}],
          [at("/oauth/callback?code=stolen"), {}],
          [at(`/oauth/callback?error=access_denied&state=${state.slice(1)}x`), {}],
          [at(`/other?code=stolen&state=${state}`), {}],
          [at(`/oauth/callback?code=stolen&state=${state}`), { method: "POST" }],
          [at(`/oauth/callback?code=stolen&state=${state}`).replace("127.0.0.1", "localhost"), {}],
        ] as const) {
          const reply = await fetch(url, options);
          expect(await reply.text()).not.toContain("stolen");
          statuses.push(reply.status);
        }
        await center.browse(shown);
      })();
    });
    expect(statuses).toEqual([400, 400, 400, 400, 400, 400]);
    expect(center.tokens).toContain(session.accessToken.reveal());
  });

  it("may ask for more than it was sent to, on a connection of before too, while and after the sign-in ends", async () => {
    const early: Socket[] = [];
    await signInByBrowser(oidc, (shown) => {
      const { port, host } = new URL(new URL(shown).searchParams.get("redirect_uri") ?? "");
      const opened = connect(Number(port), "127.0.0.1", async () => {
        // What is no address, then the answer itself; this connection has asked for nothing so far.
        const other = connect(Number(port), "127.0.0.1", () => other.end(`GET // HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
        expect(await text(other)).toContain(" 400 ");
        await center.browse(shown);
      });
      early.push(opened);
    });
    const [opened] = early;
    opened?.write("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    expect(opened && (await text(opened))).toContain(" 400 ");
  });

  it("that refuses, brings a code that is none, or does not come back ends it", async () => {
    center.answer = "refuse";
    await expect(signInByBrowser(oidc, (url) => void center.browse(url))).rejects.toMatchObject({
      code: "base-credentials",
      message: "the sign-in was refused in the browser",
    });
    const forged = signInByBrowser(oidc, (shown) => {
      const { searchParams } = new URL(shown);
      void fetch(`${searchParams.get("redirect_uri")}?code=forged&state=${searchParams.get("state")}`);
    });
    await expect(forged).rejects.toMatchObject({ code: "base-credentials", message: expect.stringContaining("does not take the code") });
    await expect(signInByBrowser(oidc, () => undefined, 50)).rejects.toMatchObject({
      code: "base-credentials",
      message: "the browser did not come back in time",
    });
  });

  it("of two who sign in at the same time brings each back to its own", async () => {
    const urls: string[] = [];
    const both = [1, 2].map(() => signInByBrowser(oidc, (url) => void urls.push(url)));
    await expect.poll(() => urls.length).toBe(2);
    for (const url of urls.reverse()) await center.browse(url);
    const [one, other] = await Promise.all(both);
    expect(one?.accessToken.reveal()).not.toBe(other?.accessToken.reveal());
  });
});

describe("a device code", () => {
  it("is shown and waited for", async () => {
    center.answer = undefined;
    const shown: string[] = [];
    const signedIn = signInByDevice(
      oidc,
      ({ url, userCode }) => {
        shown.push(userCode, url);
        setTimeout(() => {
          center.answer = "confirm";
        }, 100);
      },
      Date.now,
    );
    const session = await signedIn;
    expect(shown).toEqual(["ABCD-EFGH", `${center.url}/device?user_code=ABCD-EFGH`]);
    expect(center.tokens).toContain(session.accessToken.reveal());
    expect(center.seen.filter((request) => request === "POST /token").length).toBeGreaterThan(1);
  });

  it("is asked for five seconds later each time that this is wanted (RFC 8628, 3.5)", async () => {
    center.answer = "confirm";
    center.slowDown = 1;
    const asked = (): number => center.seen.filter((request) => request === "POST /token").length;
    const before = asked();
    const signedIn = signInByDevice(oidc, () => undefined, Date.now);
    await expect.poll(asked).toBe(before + 1);
    const slowed = performance.now();
    await signedIn;
    expect(performance.now() - slowed).toBeGreaterThan(4900);
    expect(asked()).toBe(before + 2);
  });

  it("that is refused, over or given up ends it", async () => {
    center.answer = "refuse";
    await expect(signInByDevice(oidc, () => undefined, Date.now)).rejects.toMatchObject({
      message: "the sign-in was refused in the browser",
    });
    center.answer = undefined;
    let now = Date.now();
    await expect(
      signInByDevice(
        oidc,
        () => (now += 601_000),
        () => now,
      ),
    ).rejects.toMatchObject({ message: "the code was not confirmed in time" });
    const given = new AbortController();
    await expect(signInByDevice(oidc, () => given.abort(), Date.now, given.signal)).rejects.toMatchObject({
      code: "usage",
      exitStatus: 130,
    });
  });

  it("at a start url that is not known there is told", async () => {
    const lost = new Oidc({ ...place, startUrl: "https://other.awsapps.com/start" }, center.env, Date.now);
    await expect(signInByDevice(lost, () => undefined, Date.now)).rejects.toMatchObject({
      code: "base-credentials",
      message: expect.stringContaining("refuses the sign-in"),
    });
    await center[Symbol.asyncDispose]();
    await expect(signInByDevice(oidc, () => undefined, Date.now)).rejects.toMatchObject({ code: "sts-unreachable" });
  });
});

describe("a sign-in", () => {
  it("opens accounts and roles, and none any more once it is signed out", async () => {
    const session = await signInByDevice(oidc, () => undefined, Date.now);
    expect(await listRoles(session, center.env)).toEqual([
      { account: "123456789012", accountName: "acme dev", role: "Developer" },
      { account: "123456789012", accountName: "acme dev", role: "ReadOnly" },
      { account: "210987654321", accountName: "acme prod\x1b[31m", role: "ReadOnly" },
    ]);
    await signOut(session, center.env);
    await expect(listRoles(session, center.env)).rejects.toMatchObject({ code: "base-credentials" });
  });

  it("is the same after it was written down and read", async () => {
    const session = await signInByDevice(oidc, () => undefined, Date.now);
    const read = readSignIn(sessionText(session).reveal());
    expect(read).toEqual(session);
    expect(read?.renewal?.refreshToken.reveal()).toBe(session.renewal?.refreshToken.reveal());
    for (const text of ["", "null", "{}", "[]", '{"version":1}', sessionText(session).reveal().slice(1)])
      expect(readSignIn(text)).toBeUndefined();
  });

  it.each(["javascript:alert(1)", "http://acme.example/start", "acme", "https://user:pass@acme.example/start", "file:///etc/passwd"])(
    "is not begun at %s",
    (url) => {
      expect(() => requireStartUrl(url, "--start-url")).toThrow(/is not a start url/);
    },
  );
});

describe.skipIf(!hasKeyring)(`a sign-in in the keyring${hasKeyring ? "" : ` (needs ${keyringNeeds})`}`, () => {
  let keyring: KeyringPlace;
  let bus: Bus;
  let state: string;
  let env: Record<string, string>;
  let clock: ReturnType<typeof manualClock>;
  let own: OwnSessions;
  beforeAll(async () => {
    keyring = keyringPlace();
    bus = await keyring.unlocked();
  });
  afterAll(async () => {
    await keyring?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "ar-state-"));
    env = { ...bus.env, ...center.env };
    clock = manualClock(Date.now());
    own = createOwnSessions(clock);
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const signedIn = async (): Promise<SsoSession> => {
    const session = await signInByDevice(new Oidc(place, env, () => clock.now()), () => undefined, Date.now);
    await openSessionStore(env, state).write(session);
    return session;
  };
  const found = () => own.find(place, env, state);

  it("is found by a new process, which asks the keyring only where a note says so, and the note holds no secret", async () => {
    expect(await found()).toBeUndefined();
    const session = await signedIn();
    expect((await found())?.accessToken.reveal()).toBe(session.accessToken.reveal());
    const files = readdirSync(join(state, "sso"));
    expect(files).toHaveLength(1);
    const note = readFileSync(join(state, "sso", files[0] ?? ""), "utf8");
    expect(JSON.parse(note)).toEqual(place);
    for (const secret of center.secrets()) expect(note).not.toContain(secret);
    expect(openSessionStore(env, state).places()).toEqual([place]);
    expect(await openSessionStore(env, state).remove(place.startUrl)).toBe(true);
    expect(openSessionStore(env, state).places()).toEqual([]);
  });

  it("is renewed once for many, shortly before its end, and what is new is written back", async () => {
    const first = await signedIn();
    await found();
    await clock.advance(56 * MINUTE);
    const many = await Promise.all(Array.from({ length: 20 }, found));
    const tokens = new Set(many.map((session) => session?.accessToken.reveal()));
    expect(tokens.size).toBe(1);
    expect(tokens).not.toContain(first.accessToken.reveal());
    expect(center.seen.filter((request) => request === "POST /token")).toHaveLength(2);
    const stored = await openSessionStore(env, state).read(place.startUrl);
    expect([...tokens]).toEqual([stored?.accessToken.reveal()]);
    // And the next time from there, in another process.
    await clock.advance(56 * MINUTE);
    expect(await createOwnSessions(clock).find(place, env, state)).toBeDefined();
    expect(center.refreshTokens.size).toBe(1);
  });

  it("is not brought back by a renewal that was under way when it was signed out, and a later one is found in its place", async () => {
    await signedIn();
    await found();
    await clock.advance(56 * MINUTE);
    const store = openSessionStore(env, state);
    const renewing = found();
    own.drop(place.startUrl);
    expect(await store.remove(place.startUrl)).toBe(true);
    expect(await renewing).toBeUndefined();
    expect([await store.read(place.startUrl), own.onlyHere(), await found()]).toEqual([undefined, [], undefined]);
    await signedIn();
    await found();
    await clock.advance(56 * MINUTE);
    const again = found();
    own.drop(place.startUrl);
    const later = await signedIn();
    await again;
    expect((await store.read(place.startUrl))?.accessToken.reveal()).toBe(later.accessToken.reveal());
    expect((await found())?.accessToken.reveal()).toBe(later.accessToken.reveal());
  });

  it("that another process has renewed meanwhile is read again", async () => {
    await signedIn();
    await found();
    await clock.advance(56 * MINUTE);
    const other = await createOwnSessions(clock).find(place, env, state);
    // Our refresh token has been used up by the other.
    await clock.advance(5 * MINUTE);
    expect((await found())?.accessToken.reveal()).toBe(other?.accessToken.reveal());
  });

  it("lives on while its renewal fails, and is over with its token when it was revoked", async () => {
    await signedIn();
    await found();
    center.refreshTokens.clear();
    await clock.advance(57 * MINUTE);
    expect(await found()).toBeDefined();
    await clock.advance(4 * MINUTE);
    expect(await found()).toBeUndefined();
  });

  it("is over when the registration is, without asking", async () => {
    center.registrationSeconds = 60;
    await signedIn();
    await found();
    await clock.advance(61 * MINUTE);
    const before = center.seen.length;
    expect(await found()).toBeUndefined();
    expect(center.seen).toHaveLength(before);
  });

  it("is an error where the keyring cannot be read, or holds garbage for it", async () => {
    await signedIn();
    const broken = { ...env, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
    await expect(own.find(place, broken, state)).rejects.toMatchObject({ code: "keyring" });
    const { openKeyring } = await import("../../src/credentials/stored/keyring.ts");
    const { Secret } = await import("../../src/core/secret.ts");
    await openKeyring(env, 20_000).set(`sso ${place.startUrl}`, new Secret("garbage of somebody"));
    await expect(found()).rejects.toMatchObject({ code: "base-credentials", message: expect.not.stringContaining("somebody") });
  });

  it("is taken by an AWS profile with SSO before the login of the AWS CLI, whose file is neither needed nor written", async () => {
    using ann = human(
      {
        ".aws/config": `[profile dev]\nsso_start_url = ${center.startUrl}\nsso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = Developer\n`,
      },
      { ...center.env, DBUS_SESSION_BUS_ADDRESS: bus.env["DBUS_SESSION_BUS_ADDRESS"] ?? "" },
    );
    const before = ann.files();
    const hint = "agent-run login --aws-profile dev, or aws sso login --profile dev";
    expect(await ann.fail({ awsProfile: "dev", state })).toMatchObject({ code: "base-credentials", hint });
    const session = await signedIn();
    const base = await ann.find({ awsProfile: "dev", state });
    expect(base).toMatchObject({ source: "AWS profile 'dev' (SSO)", chained: true });
    const direct = await ann.find({ credentials: `sso:123456789012 Developer eu-central-1 ${center.startUrl}`, state });
    expect(direct).toMatchObject({ source: "SSO role Developer in 123456789012, signed in by agent-run" });
    expect(ann.files()).toEqual(before);
    // Ended at Identity Center: it is told, with the way back.
    center.tokens.delete(session.accessToken.reveal());
    center.refreshTokens.clear();
    expect(await ann.fail({ awsProfile: "dev", state, region: "eu-west-1" })).toMatchObject({ code: "base-credentials", hint });
  });
});
