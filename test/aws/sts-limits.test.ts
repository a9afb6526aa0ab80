// STS as a server that misbehaves: no XML, half an answer, none, too much; what is asked again, on which connection, and for how long.
import { type AddressInfo, createServer } from "node:net";
import { inspect } from "node:util";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it, vi } from "vitest";
import { assumeRole } from "../../src/aws/assume.ts";
import { agentFor, stsClient } from "../../src/aws/client.ts";
import { readFailure } from "../../src/aws/failure.ts";
import { callerIdentity } from "../../src/aws/identity.ts";
import { pauseBefore } from "../../src/aws/retry.ts";
import { callSts } from "../../src/aws/sts.ts";
import { KEYS, ourClient, rawServer, refusal, sdkClient, sealedKeys, send } from "./raw-server.ts";

const ARN = "arn:aws:iam::111122223333:user/ann";
const IDENTITY = `<Arn>${ARN}</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>`;
const identityIs = (result: string): string =>
  `<GetCallerIdentityResponse><GetCallerIdentityResult>${result}</GetCallerIdentityResult></GetCallerIdentityResponse>`;
const identified = identityIs(IDENTITY);
const wish = { roleArn: "arn:aws:iam::111122223333:role/team/agent", sessionName: "sess_00000001" };

describe("an answer that is none", () => {
  const html = "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Log in</title></head><body>Welcome&nbsp;back</body></html>";
  const bomb = `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${identityIs("<Arn>&b;</Arn>")}`;
  it.each([
    ["HTML", html],
    ["JSON", '{"Account":"111122223333"}'],
    ["text", "404 page not found"],
    ["bytes", "\u0000\u0001\u00ff"],
    ["white space", "  \n "],
    ["half a document", identified.slice(0, -30)],
    ["two documents", `${identified}${identified}`],
    ["text after the document", `${identified}x`],
    ["a document type", bomb],
    ["an entity of nobody's", identityIs("<Arn>&nbsp;</Arn>")],
    ["a lone ampersand", identityIs("<Arn>a & b</Arn>")],
    ["half a surrogate pair", identityIs("<Arn>&#xD83D;</Arn>")],
    ["a character that is none", identityIs("<Arn>&#0;</Arn>")],
    ["a character past the last", identityIs("<Arn>&#x110000;</Arn>")],
    ["elements that cross", identityIs("<Arn><b></Arn></b>")],
    ["an attribute without quotes", identityIs("<Arn a=1>x</Arn>")],
    ["a comment without end", `${identified}<!-- `],
    ["CDATA without end", identityIs("<Arn><![CDATA[x</Arn>")],
    ["a thousand levels", `${"<a>".repeat(1000)}${"</a>".repeat(1000)}`],
  ])("is told as not AWS's, and not asked for again: %s", async (_name, body) => {
    for (const status of [200, 302, 400, 403]) {
      await using server = await rawServer((response) => send(response, [status, body]));
      const client = await ourClient(server.url, { retries: 1 });
      const error = {
        code: "sts-unreachable",
        message: `what answers at ${server.url} is not aws`,
        hint: expect.stringContaining("HTTPS_PROXY"),
      };
      await expect(callerIdentity(client)).rejects.toMatchObject(error);
      await expect(assumeRole(client, wish)).rejects.toMatchObject(error);
      expect(server.heard).toHaveLength(2);
    }
  });

  it("is told by its status where that says more", async () => {
    for (const [status, text] of [
      [503, "answered 503"],
      [429, "is throttling"],
    ] as const) {
      await using server = await rawServer((response) => send(response, [status, html]));
      const message = `${server.url} ${text}`;
      await expect(callerIdentity(await ourClient(server.url))).rejects.toMatchObject({ code: "sts-unreachable", message });
    }
  });

  it("without end is given up at a megabyte", async () => {
    let written = 0;
    await using server = await rawServer((response) => {
      response.writeHead(200);
      const block = Buffer.alloc(65_536, "<a>");
      const more = (): void => {
        while (response.writable) {
          written += block.length;
          if (!response.write(block)) break;
        }
      };
      response.on("drain", more);
      more();
    });
    await expect(callerIdentity(await ourClient(server.url, { retries: 1 }))).rejects.toMatchObject({
      message: expect.stringContaining("is not aws"),
    });
    expect(server.heard).toHaveLength(1);
    // What it wrote beyond is in the buffers of both sides.
    expect(written).toBeLessThan(64 * 1_048_576);
  });

  it("of a megabyte is read through once, however it is made", async () => {
    const size = 1_000_000;
    for (const body of [
      `<a${" ".repeat(size)}`,
      `<a ${"b".repeat(size)}`,
      `<a${" b='c'".repeat(size / 6)}`,
      `<!--${"-".repeat(size)}`,
      "<a>".repeat(size / 3),
      "<![CDATA[".repeat(size / 9),
      `<a>${"&".repeat(size)}`,
      `<a>${"&amp".repeat(size / 4)}</a>`,
      `<a>${"<?x".repeat(size / 3)}</a>`,
      `<a>${"<!--".repeat(size / 4)}</a>`,
    ]) {
      await using server = await rawServer((response) => send(response, [200, body]));
      await expect(callerIdentity(await ourClient(server.url))).rejects.toMatchObject({ message: expect.stringContaining("is not aws") });
    }
  });
});

describe("an answer of AWS's", () => {
  it.each([
    [
      "as AWS writes it",
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <GetCallerIdentityResult>\n  ${IDENTITY}\n  </GetCallerIdentityResult>\n  <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n</GetCallerIdentityResponse>\n`,
    ],
    [
      "with a declaration, comments and instructions",
      `\ufeff<?xml version="1.0"?><!-- a --><?b c?>${identityIs(`<!-- <Arn>x</Arn> -->${IDENTITY}<?d?>`)}<!-- e -->\n`,
    ],
    [
      "with a prefix",
      identified.replace(/<(\/?)/g, "<$1sts:").replace("Response>", "Response xmlns:sts='https://sts.amazonaws.com/doc/2011-06-15/'>"),
    ],
    ["with CDATA and references", identityIs(IDENTITY.replace(ARN, "arn:aws:<![CDATA[iam::]]>111122223333&#58;user&#x2F;ann"))],
    ["with elements and attributes that nobody knows", identityIs(`<New a="1" b='2'><Arn>other</Arn></New><Empty />${IDENTITY}`)],
    ["under another content type", identified],
  ])("is read %s", async (name, body) => {
    await using server = await rawServer((response) =>
      send(response, [200, body, { "content-type": name.startsWith("under") ? "text/plain" : "text/xml" }]),
    );
    expect((await callerIdentity(await ourClient(server.url))).arn).toBe(ARN);
  });

  it("has its letters, whatever they are and wherever it was cut on its way", async () => {
    const arn = "arn:aws:iam::111122223333:user/übergröße/漢字🙂";
    const bytes = Buffer.from(identityIs(IDENTITY.replace(ARN, arn.replace("🙂", "&#x1F642;"))));
    await using server = await rawServer(async (response) => {
      response.writeHead(200);
      for (let at = 0; at < bytes.length; at += 7) {
        response.write(bytes.subarray(at, at + 7));
        await new Promise(setImmediate);
      }
      response.end();
    });
    expect((await callerIdentity(await ourClient(server.url))).arn).toBe(arn);
  });

  it.each([
    ["nothing", ""],
    ["an error with status 200", refusal("AccessDenied", "no")],
    ["no result", "<GetCallerIdentityResponse/>"],
    ["another operation's", "<GetUserResponse><GetUserResult><Arn>x</Arn></GetUserResult></GetUserResponse>"],
    ["no account", identityIs(`<Arn>${ARN}</Arn><UserId>AIDA</UserId>`)],
    ["two accounts", identityIs(`${IDENTITY}<Account>444455556666</Account>`)],
    ["well-formed HTML", "<html><body>Please log in</body></html>"],
  ])("opens no gate where it says %s", async (_name, body) => {
    await using server = await rawServer((response) => send(response, [200, body]));
    const client = await ourClient(server.url);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code: "identity" });
    await expect(assumeRole(client, wish)).rejects.toMatchObject({
      code: "assume-role",
      message: "sts:AssumeRole was answered without complete credentials",
    });
  });

  it.each(["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"])(
    "opens no session where it lacks %s, or has rubbish for it",
    async (name) => {
      const part = (tag: string, text: string): string => `<${tag}>${text}</${tag}>`;
      const whole = `${part("AccessKeyId", "ASIAEXAMPLE000000001")}${part("SecretAccessKey", "assumedSecret")}${part("SessionToken", "assumedToken")}${part("Expiration", "2031-01-01T00:00:00Z")}`;
      const others = name === "Expiration" ? ["tomorrow", "1", "2031-01-01", "1924992000", "2031-13-01T00:00:00Z"] : [];
      for (const bad of ["", part(name, ""), `<${name}/>`, ...others.map((text) => part(name, text))]) {
        const credentials = whole.replace(new RegExp(`<${name}>.*</${name}>`), bad);
        const body = `<AssumeRoleResponse><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
        await using server = await rawServer((response) => send(response, [200, body]));
        const error: unknown = await assumeRole(await ourClient(server.url), wish).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "assume-role", message: "sts:AssumeRole was answered without complete credentials" });
        expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/assumedSecret|assumedToken/);
      }
    },
  );
});

describe("what failed", () => {
  const CODES = [
    ...[
      "Throttling",
      "ThrottlingException",
      "ThrottledException",
      "RequestLimitExceeded",
      "RequestThrottled",
      "TooManyRequestsException",
      "SlowDown",
    ],
    ...[
      "LimitExceededException",
      "BandwidthLimitExceeded",
      "RequestTimeout",
      "RequestTimeoutException",
      "TimeoutError",
      "IDPCommunicationError",
    ],
    ...[
      "AccessDenied",
      "ExpiredToken",
      "ExpiredTokenException",
      "InvalidClientTokenId",
      "SignatureDoesNotMatch",
      "ValidationError",
      "RequestExpired",
    ],
    ...["RequestTimeTooSkewed", "InvalidIdentityToken", "RegionDisabledException", "ECONNRESET"],
  ];
  const STATUSES = [301, 400, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504, 505];

  it("is asked once more where the SDK asks, and nowhere else", async () => {
    const count = async (status: number, code: string): Promise<[number, number]> => {
      await using server = await rawServer((response) => send(response, [status, refusal(code, "no")]));
      await callSts(await ourClient(server.url, { retries: 1 }), "GetCallerIdentity").catch(() => {});
      const ours = server.heard.length;
      await sdkClient(server.url, 1)
        .send(new GetCallerIdentityCommand({}))
        .catch(() => {});
      return [ours, server.heard.length - ours];
    };
    const all = [...CODES.map((code) => [400, code] as const), ...STATUSES.map((status) => [status, "Teapot"] as const)];
    const counted = await Promise.all(all.map(async ([status, code]) => [status, code, ...(await count(status, code))] as const));
    for (const [status, code, ours, theirs] of counted) expect([status, code, ours]).toEqual([status, code, theirs]);
    expect(new Set(counted.map(([, , ours]) => ours))).toEqual(new Set([1, 2]));
  });

  it("and then works is not told", async () => {
    await using server = await rawServer((response, before) => send(response, before === 0 ? [503, "<html>busy"] : [200, identified]));
    expect((await callerIdentity(await ourClient(server.url, { retries: 1 }))).arn).toBe(ARN);
    expect(server.heard).toHaveLength(2);
    const [first, second] = server.heard;
    expect(second?.headers["x-amz-date"]).toMatch(/^\d{8}T\d{6}Z$/);
    expect([second?.body, second?.headers.host]).toEqual([first?.body, first?.headers.host]);
  });

  it("waits as long as the SDK's standard mode, and up to 5 s more where the service asks for it", () => {
    const answered = (status: number, retryAfterMs?: number) => ({ name: "Teapot", $metadata: { httpStatusCode: status }, retryAfterMs });
    expect([0, 0.5, 1].map((chance) => pauseBefore(answered(503), 0, chance))).toEqual([0, 25, 50]);
    expect([0, 1, 2].map((retries) => pauseBefore(answered(429), retries, 1))).toEqual([1000, 2000, 4000]);
    expect(pauseBefore(answered(503), 30, 1)).toBe(20_000);
    expect([300, 60_000].map((asked) => pauseBefore(answered(503, asked), 0, 0.5))).toEqual([300, 5025]);
    expect(pauseBefore(answered(403, 300), 0, 1)).toBeUndefined();
    expect(pauseBefore({ name: "Error", code: "ENOTFOUND" }, 0, 1)).toBe(50);
    expect(pauseBefore({ name: "Error", code: "CERT_HAS_EXPIRED" }, 0, 1)).toBeUndefined();
  });

  it.each([
    ["retry-after", "0.3"],
    ["x-amz-retry-after", "300"],
  ])("waits for what its header %s asks for", async (name, value) => {
    const times: number[] = [];
    await using server = await rawServer((response, before) => {
      times.push(performance.now());
      send(response, before === 0 ? [503, "", { [name]: value }] : [200, identified]);
    });
    await callerIdentity(await ourClient(server.url, { retries: 1 }));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(290);
  });

  it("by a connection that broke in the middle of the answer is asked for again, and told as that", async () => {
    await using server = await rawServer((response) => {
      response.writeHead(200, { "content-length": "5000" });
      response.write(identified.slice(0, 40));
      setImmediate(() => response.destroy());
    });
    await expect(callerIdentity(await ourClient(server.url, { retries: 1 }))).rejects.toMatchObject({
      code: "sts-unreachable",
      message: `cannot reach ${server.url}: the connection broke (ECONNRESET)`,
    });
    expect(server.heard).toHaveLength(2);
  });

  it.each([
    ["nothing at all", 0],
    ["half an answer", 40],
  ])("because the server says %s and no more is given up after the limit on the whole", async (_name, bytes) => {
    await using server = await rawServer((response) => {
      if (bytes === 0) return;
      response.writeHead(200, { "content-length": "5000" });
      response.write(identified.slice(0, bytes));
    });
    const begun = performance.now();
    await expect(callerIdentity(await ourClient(server.url, { retries: 1, requestTimeoutMs: 800 }))).rejects.toMatchObject({
      code: "sts-unreachable",
      message: `cannot reach ${server.url}: no answer in time`,
    });
    expect(performance.now() - begun).toBeGreaterThan(1590);
    expect(server.heard).toHaveLength(2);
  });

  it("behind a proxy that never lets it through is given up after the limit on connecting", async () => {
    let asked = "";
    const proxy = createServer((socket) => {
      socket.on("data", (part) => {
        asked += part;
      });
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, "127.0.0.1", resolve);
    });
    const env = { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const limits = { retries: 0, connectTimeoutMs: 800, requestTimeoutMs: 20_000 };
    const client = await stsClient({ region: "eu-west-1", env, ...limits }, sealedKeys(KEYS));
    const begun = performance.now();
    await expect(callerIdentity(client)).rejects.toMatchObject({
      message: "cannot reach https://sts.eu-west-1.amazonaws.com: no answer in time",
    });
    expect(performance.now() - begun).toBeGreaterThan(790);
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(asked).toMatch(/^CONNECT sts\.eu-west-1\.amazonaws\.com:443 HTTP/);
    proxy.close();
  });

  it("on connections that are dead is asked for on a new one, however many of them there were", async () => {
    let dead = false;
    const waiting: (() => void)[] = [];
    const dying = new Set<number | undefined>();
    await using server = await rawServer((response, _before, { socket }) => {
      if (dead && dying.has(socket.remotePort)) {
        socket.destroy();
        return;
      }
      dying.add(socket.remotePort);
      waiting.push(() => send(response, [200, identified]));
      if (dead || waiting.length === 5) for (const answer of waiting.splice(0)) answer();
    });
    const client = await ourClient(server.url, { retries: 1 });
    // Five at once: as many connections, which are kept.
    await Promise.all(Array.from({ length: 5 }, () => callerIdentity(client)));
    expect(dying.size).toBe(5);
    const kept = () =>
      Object.values(agentFor(new URL(server.url), {}).freeSockets)
        .flat()
        .filter((socket) => String(socket?.remotePort) === new URL(server.url).port);
    await vi.waitFor(() => expect(kept()).toHaveLength(5));
    dead = true;
    expect((await callerIdentity(client)).arn).toBe(ARN);
    expect(server.heard).toHaveLength(7);
    expect(dying.size).toBe(6);
    await vi.waitFor(() => expect(kept()).toHaveLength(1));
  });

  it("is told by Node's own name, as from the SDK", async () => {
    await using server = await rawServer((response) => response.destroy());
    const failures = async (url: string): Promise<unknown[]> => {
      const calls = [callSts(await ourClient(url), "GetCallerIdentity"), sdkClient(url).send(new GetCallerIdentityCommand({}))];
      return Promise.all(calls.map((call) => call.then(() => undefined, readFailure)));
    };
    const [reset, theirReset] = await failures(server.url);
    expect(reset).toEqual(theirReset);
    expect(reset).toMatchObject({ name: "ECONNRESET", status: undefined });
    const closed = server.url;
    await server[Symbol.asyncDispose]();
    const [refused, theirRefused] = await failures(closed);
    expect(refused).toEqual(theirRefused);
    expect(refused).toMatchObject({ name: "ECONNREFUSED" });
    const [unknown, theirUnknown] = await failures("http://no-such-host.invalid");
    expect(unknown).toEqual(theirUnknown);
  });

  it("keeps nothing of the keys that signed it", async () => {
    const secrets = new RegExp(
      [KEYS.secretAccessKey, KEYS.sessionToken ?? ""].map((text) => text.slice(0, 12).replace(/[+/]/g, "\\$&")).join("|"),
    );
    for (const answer of ["AccessDenied", "broken", "rubbish"]) {
      await using server = await rawServer((response) => {
        if (answer === "broken") response.destroy();
        else send(response, answer === "rubbish" ? [200, "<"] : [403, refusal(answer, "no")]);
      });
      const error: unknown = await callSts(await ourClient(server.url), "GetCallerIdentity").catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(secrets);
    }
  });
});
