// Clients send to where they were told to, whatever this process's environment and ~/.aws say; and the way out by proxies and certificates.
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as forward, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  cloudTrailClient,
  domainSuffix,
  ec2Client,
  endpointOf,
  iamClient,
  s3Client,
  stsClient,
  stsEndpoint,
} from "../../src/aws/client.ts";
import { networkFailure } from "../../src/aws/failure.ts";
import { callerIdentity } from "../../src/aws/identity.ts";
import { Secret } from "../../src/core/secret.ts";
import { has } from "../end-to-end/world.ts";
import { CALLER, identityResult, queryServer } from "./query-server.ts";

const root = join(import.meta.dirname, "../..");
const keys = { accessKeyId: "AKIAEXAMPLE000000001", secretAccessKey: new Secret("s"), sessionToken: undefined, expiresAt: undefined };

describe("endpoints", () => {
  it.each([
    ["eu-west-1", "https://sts.eu-west-1.amazonaws.com", "https://iam.amazonaws.com", "us-east-1"],
    ["us-east-1", "https://sts.us-east-1.amazonaws.com", "https://iam.amazonaws.com", "us-east-1"],
    ["cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["us-gov-east-1", "https://sts.us-gov-east-1.amazonaws.com", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"],
    ["us-isof-east-1", "https://sts.us-isof-east-1.csp.hci.ic.gov", "https://iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"],
  ])("of %s are %s and %s", async (region, sts, iam, iamRegion) => {
    expect(stsEndpoint({ region })).toBe(sts);
    expect(await endpointOf(await stsClient({ region }, keys))).toBe(sts);
    const client = await iamClient({ region }, keys);
    expect(await endpointOf(client)).toBe(iam);
    expect(await client.config.region()).toBe(iamRegion);
    expect(sts.endsWith(domainSuffix(region))).toBe(true);
  });

  it.each([
    [
      "us-east-2",
      "https://sts-fips.us-east-2.amazonaws.com",
      "https://iam-fips.amazonaws.com",
      "https://cloudtrail-fips.us-east-2.amazonaws.com",
    ],
    [
      "us-gov-west-1",
      "https://sts.us-gov-west-1.amazonaws.com",
      "https://iam.us-gov.amazonaws.com",
      "https://cloudtrail.us-gov-west-1.amazonaws.com",
    ],
  ])(
    "of %s are FIPS ones where the human's AWS_USE_FIPS_ENDPOINT says so, but not for what stands in for AWS",
    async (region, ...hosts) => {
      const connection = { region, env: { AWS_USE_FIPS_ENDPOINT: "true" } };
      const trail = await (await cloudTrailClient(connection, keys)).config.endpoint?.();
      const own = [await stsClient(connection, keys), await iamClient(connection, keys)].map(endpointOf);
      expect([...(await Promise.all(own)), `https://${trail?.hostname}`]).toEqual(hosts);
      const [ec2, s3] = [await ec2Client(connection, keys), await s3Client(connection, keys)];
      expect([await ec2.config.useFipsEndpoint(), await s3.config.useFipsEndpoint()]).toEqual([true, true]);
      const plain = await stsClient({ region, env: { AWS_USE_FIPS_ENDPOINT: "false" } }, keys);
      expect(await endpointOf(plain)).toBe(`https://sts.${region}.amazonaws.com`);
      const local = await stsClient({ ...connection, endpointUrl: "http://127.0.0.1:4566" }, keys);
      expect(await endpointOf(local)).toBe("http://127.0.0.1:4566");
    },
  );

  it("that have no FIPS variant are told as such, not as a misspelt region", () => {
    const failure = networkFailure({ name: "ENOTFOUND", text: "", status: undefined }, "https://sts-fips.eu-west-1.amazonaws.com");
    expect(failure?.hint).toContain("AWS_USE_FIPS_ENDPOINT");
  });

  it("are the one that was given, whatever the environment and ~/.aws/config of this process say", async () => {
    await using right = await queryServer(() => identityResult(CALLER));
    await using wrong = await queryServer(() => identityResult("arn:aws:iam::999999999999:user/wrong", "999999999999"));
    const home = mkdtempSync(join(tmpdir(), "agent-run-"));
    mkdirSync(join(home, ".aws"));
    const evil = `endpoint_url = ${wrong.url}\nregion = us-gov-west-1\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\nsdk_ua_app_id = wrong\nmax_attempts = 9\n`;
    writeFileSync(join(home, ".aws/config"), `[default]\n${evil}`);
    writeFileSync(join(home, ".aws/credentials"), "[default]\naws_access_key_id = AKIAWRONG00000000000\naws_secret_access_key = x\n");
    const program = `
      import { stsClient } from "${root}/src/aws/client.ts";
      import { callerIdentity } from "${root}/src/aws/identity.ts";
      import { Secret } from "${root}/src/core/secret.ts";
      const keys = { accessKeyId: "AKIAEXAMPLE000000001", secretAccessKey: new Secret("s") };
      const client = await stsClient({ region: "eu-west-1", endpointUrl: "${right.url}" }, keys);
      console.log((await callerIdentity(client)).arn);`;
    const env = {
      HOME: home,
      AWS_ENDPOINT_URL: wrong.url,
      AWS_ENDPOINT_URL_STS: wrong.url,
      AWS_REGION: "us-gov-west-1",
      AWS_USE_FIPS_ENDPOINT: "true",
      AWS_ACCESS_KEY_ID: "AKIAWRONG00000000000",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_SESSION_TOKEN: "x",
      AWS_SDK_UA_APP_ID: "wrong",
      AWS_PROFILE: "default",
    };
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, ["--input-type=module", "-e", program], { env, cwd: root }, (error, stdout, stderr) =>
        error ? reject(new Error(stderr)) : resolve(stdout.trim()),
      );
    });
    rmSync(home, { recursive: true });
    expect(output).toBe(CALLER);
    expect(wrong.requests).toHaveLength(0);
    expect(right.requests[0]?.accessKeyId).toBe("AKIAEXAMPLE000000001");
    expect(right.requests[0]?.headers["x-amz-security-token"]).toBeUndefined();
    expect(right.requests[0]?.headers.authorization).toContain("/eu-west-1/sts/");
    expect(right.requests[0]?.headers["user-agent"]).not.toContain("wrong");
  });
});

describe("the way out", () => {
  it("goes through the human's proxy, but not for what NO_PROXY names, nor for this machine", async () => {
    await using server = await queryServer(() => identityResult(CALLER));
    const proxy = await forwarder(server.url);
    const env = { HTTP_PROXY: proxy.url };
    const away = { region: "eu-west-1", endpointUrl: "http://sts.example.invalid:80", retries: 0, env };
    expect((await callerIdentity(await stsClient(away, keys))).arn).toBe(CALLER);
    expect(proxy.hosts).toEqual(["sts.example.invalid:80"]);
    const short = await stsClient({ ...away, env: { HTTP_PROXY: proxy.url.replace("http://", "") } }, keys);
    expect((await callerIdentity(short)).arn).toBe(CALLER);
    expect(proxy.hosts).toHaveLength(2);
    const nowhere = await stsClient({ ...away, env: { HTTP_PROXY: "http://proxy.corp.invalid:3128" } }, keys);
    await expect(callerIdentity(nowhere)).rejects.toMatchObject({
      code: "sts-unreachable",
      message: expect.stringContaining("the name of the proxy proxy.corp.invalid does not resolve"),
      hint: expect.stringContaining("HTTPS_PROXY"),
    });
    const excepted = await stsClient({ ...away, env: { ...env, NO_PROXY: ".example.invalid" } }, keys);
    await expect(callerIdentity(excepted)).rejects.toMatchObject({ code: "sts-unreachable" });
    const local = await stsClient({ ...away, endpointUrl: server.url }, keys);
    expect((await callerIdentity(local)).arn).toBe(CALLER);
    expect(proxy.hosts).toHaveLength(2);
    proxy.close();
  });

  it.each([
    ["socks5://me:secret@127.0.0.1:1080", "socks5://127.0.0.1:1080"],
    ["http://[bad", "which is no address"],
  ])("through a proxy that is none of HTTP, %s, is refused; not where it is for others, nor for this machine", async (given, shown) => {
    const connection = { region: "eu-west-1", env: { HTTPS_PROXY: given } };
    for (const made of [() => stsClient(connection, keys), () => iamClient(connection, keys)]) {
      const refused = await Promise.resolve(made()).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused).toMatchObject({
        code: "config",
        message: expect.stringContaining(`HTTPS_PROXY, ${shown}, is no HTTP proxy`),
        hint: expect.stringContaining("NO_PROXY"),
      });
      expect(JSON.stringify(refused)).not.toContain("secret");
    }
    if (given.startsWith("http:")) return;
    for (const NO_PROXY of ["*", "amazonaws.com", ".amazonaws.com", "x.example, *.amazonaws.com:443"])
      await stsClient({ ...connection, env: { ...connection.env, NO_PROXY } }, keys);
    for (const host of ["127.0.0.1", "localhost", "[::1]"]) await stsClient({ ...connection, endpointUrl: `https://${host}:4566` }, keys);
    await stsClient({ ...connection, endpointUrl: "http://emulator.example" }, keys);
  });

  it("with an AWS_CA_BUNDLE that holds no certificate is refused, naming it", async () => {
    const connection = { region: "eu-west-1", env: { AWS_CA_BUNDLE: join(import.meta.dirname, "../pinned-seed.ts") } };
    await expect(stsClient(connection, keys)).rejects.toMatchObject({
      code: "config",
      message: expect.stringMatching(/^AWS_CA_BUNDLE '.*pinned-seed\.ts' holds no certificate$/),
    });
    // An emulator is spoken to without any.
    await stsClient({ ...connection, endpointUrl: "http://127.0.0.1:4566" }, keys);
    // Node's own may well be empty.
    await stsClient({ ...connection, env: { NODE_EXTRA_CA_CERTS: "/dev/null" } }, keys);
  });

  it("with a certificate bundle that cannot be read is refused, naming it", async () => {
    const connection = { region: "eu-west-1", env: { AWS_CA_BUNDLE: "/nonexistent/ca.pem" } };
    await expect(stsClient(connection, keys)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("/nonexistent/ca.pem"),
    });
  });

  it.skipIf(!has("openssl"))("is by the certificates that a bundle has now, not by those it had (needs openssl)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-run-"));
    const [old, renewed] = [certificate(folder, "old"), certificate(folder, "renewed")];
    const bundle = join(folder, "bundle.pem");
    await using server = await queryServer(() => identityResult(CALLER), renewed);
    const connection = { region: "eu-west-1", endpointUrl: server.url, retries: 0, env: { AWS_CA_BUNDLE: bundle } };
    const arn = async (): Promise<string> => (await callerIdentity(await stsClient(connection, keys))).arn;
    writeFileSync(bundle, old.cert);
    await expect(arn()).rejects.toMatchObject({ code: "sts-unreachable", hint: expect.stringContaining("AWS_CA_BUNDLE") });
    // As long as before, written in the same place and by a file put there.
    writeFileSync(bundle, renewed.cert);
    expect(await arn()).toBe(CALLER);
    copyFileSync(join(folder, "old.pem"), join(folder, "next.pem"));
    renameSync(join(folder, "next.pem"), bundle);
    await expect(arn()).rejects.toMatchObject({ code: "sts-unreachable" });
    rmSync(bundle);
    await expect(arn()).rejects.toMatchObject({ code: "config", message: expect.stringContaining(bundle) });
    rmSync(folder, { recursive: true });
  });

  it("to a server whose certificate nobody vouches for is refused, with the mend", async () => {
    // A plain server where TLS is expected: what a captive portal looks like.
    await using server = await queryServer(() => identityResult(CALLER));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url.replace("http:", "https:"), retries: 0 }, keys);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code: "sts-unreachable", hint: expect.any(String) });
  });
});

/** One of its own for localhost, in `<name>.pem`. */
function certificate(folder: string, name: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", ["req", ...kind, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** A forward proxy that notes whom it was asked for, in either way of asking, and always goes to `target`. */
async function forwarder(target: string): Promise<{ url: string; hosts: string[]; close: () => void }> {
  const hosts: string[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "");
    hosts.push(`${url.hostname}:${url.port || 80}`);
    const { method = "GET", headers } = request;
    const upstream = forward(new URL(url.pathname, target), { method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    request.pipe(upstream);
  });
  server.on("connect", (request, socket) => {
    hosts.push(request.url ?? "");
    const upstream = connect(Number(new URL(target).port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hosts,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
