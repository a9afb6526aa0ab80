// The order of the sources, what each finds, and each failure with its mend.
import { chmodSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { codeFromProcess } from "../../src/credentials/sources/external-process.ts";
import { assumedResult, queryServer } from "../aws/query-server.ts";
import { ENV_KEYS, human, inAnHour, keyId, keyPair, processOutput } from "./human.ts";

describe("the order", () => {
  const files = {
    ".aws/config": "[default]\nregion = eu-central-1\n[profile dev]\nregion = eu-west-3\n[profile other]\n",
    ".aws/credentials": `[default]\n${keyPair(keyId("default"))}[dev]\n${keyPair(keyId("dev"))}[other]\n${keyPair(keyId("other"))}`,
  };

  it.each([
    ["the profile that was asked for, before all else", { awsProfile: "dev" }, { ...ENV_KEYS, AWS_PROFILE: "other" }, keyId("dev")],
    ["keys in the environment, before AWS_PROFILE", {}, { ...ENV_KEYS, AWS_PROFILE: "other" }, keyId("env")],
    ["AWS_PROFILE, before web identity and container", {}, webAndContainer({ AWS_PROFILE: "other" }), keyId("other")],
    ["AWS_DEFAULT_PROFILE, which botocore knows", {}, { AWS_DEFAULT_PROFILE: "other" }, keyId("other")],
    ["the default profile", {}, {}, keyId("default")],
    [
      "the default profile when AWS_PROFILE is empty",
      {},
      { AWS_PROFILE: "", AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
      keyId("default"),
    ],
  ])("%s", async (_what, request, env, expected) => {
    using ann = human(files, env);
    expect((await ann.find(request)).credentials.accessKeyId).toBe(expected);
  });

  it("web identity comes before a container, a container before the default profile", async () => {
    await using sts = await queryServer(() => assumedResult(inAnHour(), "ASIAWEBIDENTITY00000"));
    const container = await metadata(() => ({ AccessKeyId: keyId("container"), SecretAccessKey: "s", Token: "t", Expiration: inAnHour() }));
    using ann = human(files);
    Object.assign(ann.env, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/creds`, AWS_CONTAINER_AUTHORIZATION_TOKEN: "tok" });
    expect((await ann.find()).source).toContain("container");
    ann.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = ann.write("token", "jwt\n");
    ann.env["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/ci";
    const base = await ann.find({ endpointUrl: sts.url });
    expect(base).toMatchObject({ source: "environment variables (web identity, role ci)", chained: true });
    expect(sts.requests[0]?.headers.authorization).toBeUndefined();
    expect(sts.requests[0]?.form.get("WebIdentityToken")).toBe("jwt");
    container.close();
  });

  it("says when keys in the environment win over AWS_PROFILE", async () => {
    using ann = human(files, { ...ENV_KEYS, AWS_PROFILE: "dev" });
    expect((await ann.find()).source).toBe("environment variables, which win over AWS_PROFILE=dev");
  });

  it("takes the region from the request, the environment, then the profile", async () => {
    using ann = human(files);
    expect((await ann.find({ awsProfile: "dev" })).region).toBe("eu-west-3");
    expect((await ann.find()).region).toBe("eu-central-1");
    expect((await ann.find({ awsProfile: "other" })).region).toBeUndefined();
    ann.env["AWS_DEFAULT_REGION"] = "us-west-1";
    expect((await ann.find({ awsProfile: "dev" })).region).toBe("us-west-1");
    ann.env["AWS_REGION"] = "us-west-2";
    expect((await ann.find({ awsProfile: "dev" })).region).toBe("us-west-2");
    expect((await ann.find({ awsProfile: "dev", region: "ap-south-1" })).region).toBe("ap-south-1");
  });

  it("reads the files where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say", async () => {
    using ann = human(
      { ...files, "elsewhere/c": `[dev]\n${keyPair(keyId("elsewhere"))}` },
      { AWS_SHARED_CREDENTIALS_FILE: "~/elsewhere/c" },
    );
    expect((await ann.find({ awsProfile: "dev" })).credentials.accessKeyId).toBe(keyId("elsewhere"));
  });

  it("never looks at this process's own environment", async () => {
    const before = { ...process.env };
    Object.assign(process.env, { ...ENV_KEYS, AWS_PROFILE: "dev", HOME: "/nonexistent", AWS_REGION: "us-gov-west-1" });
    try {
      using ann = human(files);
      const base = await ann.find();
      expect(base.credentials.accessKeyId).toBe(keyId("default"));
      expect(base.region).toBe("eu-central-1");
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });
});

describe("a profile", () => {
  it("with a role is assumed from its source, with external id, session name and MFA", async () => {
    await using sts = await queryServer(() => assumedResult(inAnHour(), "ASIAOFTHEROLE0000000"));
    using ann = human({
      ".aws/config": `[profile admin]\nrole_arn = arn:aws:iam::111122223333:role/x/admin\nsource_profile = me\nexternal_id = e-1\nmfa_serial = arn:aws:iam::111122223333:mfa/ann\nrole_session_name = ann\nduration_seconds = 1800\nregion = eu-west-1\n`,
      ".aws/credentials": `[me]\n${keyPair(keyId("me"))}`,
    });
    const asked: string[] = [];
    const base = await ann.find({
      awsProfile: "admin",
      endpointUrl: sts.url,
      mfa: async (serial) => {
        asked.push(serial);
        return " 123456\n";
      },
    });
    expect(base).toMatchObject({ chained: true, source: "AWS profile 'admin' (role admin, from AWS profile 'me' (static keys))" });
    expect(base.credentials.accessKeyId).toBe("ASIAOFTHEROLE0000000");
    expect(asked).toEqual(["arn:aws:iam::111122223333:mfa/ann"]);
    expect(sts.requests[0]?.accessKeyId).toBe(keyId("me"));
    expect(Object.fromEntries(sts.requests[0]?.form ?? [])).toMatchObject({
      ExternalId: "e-1",
      TokenCode: "123456",
      RoleSessionName: "ann",
      DurationSeconds: "1800",
    });
    expect(sts.requests[0]?.headers.authorization).toContain("/eu-west-1/sts/");
  });

  it("with an mfa_process asks that, in the human's environment, and nobody else", async () => {
    await using sts = await queryServer(() => assumedResult(inAnHour(), "ASIAADMIN00000000000"));
    const config = (command: string): string =>
      `[profile admin]\nrole_arn = arn:aws:iam::111122223333:role/admin\nsource_profile = me\nmfa_serial = arn:aws:iam::111122223333:mfa/ann\nmfa_process = ${command}\n`;
    using ann = human({ ".aws/credentials": `[me]\n${keyPair(keyId("me"))}` }, { AWS_CODE: "135790" });
    ann.write(".aws/config", config('echo "$AWS_CODE"; pwd > "$HOME/where"'));
    await ann.find({ awsProfile: "admin", endpointUrl: sts.url });
    expect(sts.requests.at(-1)?.form.get("TokenCode")).toBe("135790");
    expect(ann.files()[`${ann.home}/where`]?.trim()).toBe(ann.home);
    for (const [command, error] of [
      ["echo not 135790 a code", { code: "mfa", message: "the mfa_process of aws profile 'admin' did not print six digits" }],
      ["echo 1234567", { code: "mfa" }],
      [
        "echo no device >&2; exit 3",
        { code: "base-credentials", message: "the mfa_process of aws profile 'admin' failed with exit status 3: no device" },
      ],
    ] as const) {
      ann.write(".aws/config", config(command));
      expect(await ann.fail({ awsProfile: "admin", endpointUrl: sts.url })).toMatchObject(error);
    }
    const late = codeFromProcess("sleep 30", "mfa_process", ann.env, 100);
    await expect(late).rejects.toMatchObject({ code: "base-credentials", message: "mfa_process gave nothing within 0.1 s" });
  });

  it("that is its own source gives its own keys to assume with", async () => {
    await using sts = await queryServer(() => assumedResult(inAnHour()));
    using ann = human({
      ".aws/credentials": `[me]\n${keyPair(keyId("me"))}role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = me\n`,
    });
    expect((await ann.find({ awsProfile: "me", endpointUrl: sts.url })).chained).toBe(true);
    expect(sts.requests[0]?.accessKeyId).toBe(keyId("me"));
  });

  it("may start from the environment by credential_source", async () => {
    await using sts = await queryServer(() => assumedResult(inAnHour()));
    using ann = human(
      { ".aws/config": "[profile r]\nrole_arn = arn:aws:iam::111122223333:role/r\ncredential_source = Environment\n" },
      ENV_KEYS,
    );
    await ann.find({ awsProfile: "r", endpointUrl: sts.url });
    expect(sts.requests[0]?.accessKeyId).toBe(keyId("env"));
  });

  it("leading in a circle is refused with the circle", async () => {
    using ann = human({
      ".aws/config":
        "[profile a]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = b\n[profile b]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = a\n",
    });
    const error = await ann.fail({ awsProfile: "a" });
    expect(error.code).toBe("base-credentials");
    expect(error.message).toContain("a → b → a");
  });

  it("with a credential_process runs it as the human would: environment, home, quotes", async () => {
    using ann = human({
      "bin/tool": `#!/bin/sh\n[ "$MARK" = seen ] && [ "$PWD" = "$HOME" ] && [ "$1" = "two words" ] && ${processOutput(keyId("process"))}\n`,
    });
    chmodSync(`${ann.home}/bin/tool`, 0o755);
    ann.env["MARK"] = "seen";
    ann.write(".aws/config", `[profile p]\ncredential_process = ${ann.home}/bin/tool "two words"\n`);
    expect(await ann.find({ awsProfile: "p" })).toMatchObject({ source: "AWS profile 'p' (credential_process)" });
  });

  it.each([
    ["exit 3", /failed with exit status 3$/],
    ["echo fine >&2; echo 'vault: locked' >&2; exit 1", /failed with exit status 1: vault: locked$/],
    ["echo hello", /did not print JSON with "Version": 1/],
    [`printf '{"Version":2}'`, /"Version": 1/],
    [`printf '{"Version":1,"AccessKeyId":"${keyId("p")}"}'`, /gave no SecretAccessKey/],
    [processOutput(keyId("p"), ',"Expiration":"2020-01-01T00:00:00Z"'), /expired at 2020-01-01/],
    [processOutput(keyId("p"), ',"Expiration":"soon"'), /no date/],
    ["no-such-program-anywhere", /exit status 127/],
    ["kill -9 $$", /SIGKILL|137/],
    ["head -c 100000 /dev/zero", /failed|did not print/],
  ])("whose credential_process is %j fails with the reason, and no secret", async (command, text) => {
    using ann = human({ ".aws/config": `[profile p]\ncredential_process = sh -c '${command.replaceAll("'", "'\\''")}'\n` });
    const error = await ann.fail({ awsProfile: "p" });
    expect(error.code).toBe("base-credentials");
    expect(error.message).toMatch(text);
    expect(error.message.length).toBeLessThan(400);
    expect(inspect(error)).not.toContain("processSecret");
  });

  it("of aws login is read from the CLI's cache, until it has expired", async () => {
    const session = "arn:aws:iam::111122223333:user/ann";
    const file = ".aws/login/cache/ad0243a32d0e9a3b0ae2ec2fa0c3d1bd8a2b4c2d.json";
    using ann = human({ ".aws/config": `[profile l]\nlogin_session = ${session}\n` });
    expect((await ann.fail({ awsProfile: "l" })).hint).toBe("aws login --profile l");
    const { createHash } = await import("node:crypto");
    const path = file.replace(/[0-9a-f]{40}/, createHash("sha256").update(session).digest("hex"));
    ann.write(
      path,
      JSON.stringify({ accessToken: { accessKeyId: keyId("login"), secretAccessKey: "s", sessionToken: "t", expiresAt: inAnHour() } }),
    );
    expect((await ann.find({ awsProfile: "l" })).credentials.accessKeyId).toBe(keyId("login"));
    await ann.clock.advance(3_700_000);
    expect((await ann.fail({ awsProfile: "l" })).hint).toBe("aws login --profile l");
  });
});

describe("a failure", () => {
  it("to find anything lists the ways; with profiles there, names them", async () => {
    using empty = human();
    expect(await empty.fail()).toMatchObject({ code: "no-credentials", hint: expect.stringContaining("aws configure sso") });
    using ann = human({
      ".aws/config": `[default]\nregion = eu-west-1\n[profile dev]\n${keyPair(keyId("dev"))}[profile plain]\nregion = x\n`,
    });
    expect(await ann.fail()).toMatchObject({ code: "no-credentials", hint: "choose one of your aws profiles with --aws-profile: dev" });
  });

  const role = "role_arn = arn:aws:iam::111122223333:role/r\n";
  it.each([
    [
      "a section's line that is none",
      "[default]\nregion = x\n[profile dev\n",
      "dev",
      /config:3 begins with \[ and is no section/,
      /line 3 of/,
    ],
    [
      "a section's line that is none, of another profile",
      `[profile dev]\n${keyPair(keyId("d"))}[profile x\n`,
      "dev",
      /config:4 /,
      /line 4 of/,
    ],
    [
      "a line that is no setting",
      "[profile dev]\naws_secret_access_key sekret\n",
      undefined,
      /config:2 is neither a section nor/,
      /<name> = <value>|line 2/,
    ],
    ["a setting before the first section", "region = eu-west-1\n[default]\n", undefined, /config:1 stands in no section/, /line 1 of/],
    [
      "a section as the other file has it",
      `[dev]\n${role}`,
      "dev",
      /there is no aws profile 'dev'/,
      /config:1 has \[dev\], which in this file is written \[profile dev\]$/,
    ],
    ["the same where nothing is named", `[dev]\n${role}`, undefined, /found no aws credentials/, /config:1 has \[dev\]/],
    [
      "a source_profile that is not there",
      `\n[profile a]\n${role}source_profile = gone\n`,
      "a",
      /^source_profile of aws profile 'a' \(\S+config:2\): there is no aws profile 'gone'/,
      /the profiles are a$/,
    ],
    [
      "profiles that lead to one another",
      `[profile a]\n${role}source_profile = b\n[profile b]\n${role}source_profile = a\n`,
      "a",
      /circle: a → b → a$/,
      /source_profile of aws profile 'b' \(\S+config:4\)/,
    ],
    [
      "a profile that is its own source",
      `[profile a]\n${role}source_profile = a\n`,
      "a",
      /^aws profile 'a' \(\S+config:1\) is its own source_profile, and holds no access keys$/,
      /aws_access_key_id/,
    ],
    [
      "a credential_source that AWS does not know",
      `[profile a]\n${role}credential_source = Ec2Instance\n`,
      "a",
      /^credential_source = 'Ec2Instance' of aws profile 'a' \(\S+config:1\) is none/,
      /Environment, EcsContainer, Ec2InstanceMetadata/,
    ],
    [
      "a credential_source that gives nothing",
      `[profile a]\n${role}credential_source = Environment\n`,
      "a",
      /gives no credentials$/,
      /^export AWS_ACCESS_KEY_ID/,
    ],
    [
      "a role without a source",
      `[profile a]\n${role}`,
      "a",
      /^aws profile 'a' \(\S+config:1\) names no credentials$/,
      /role_arn needs a source_profile/,
    ],
    ["a source without a role", "[profile a]\nsource_profile = b\n", "a", /names no credentials$/, /source_profile needs a role_arn/],
    [
      "half an sso-session",
      "[sso-session corp]\nsso_region = eu-west-1\n[profile a]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n",
      "a",
      /^aws profile 'a' \(\S+config:3\) is not complete for SSO: sso_start_url is missing in \[sso-session corp\]$/,
      /aws configure sso --profile a/,
    ],
    [
      "an sso-session that is not there",
      "[profile a]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n",
      "a",
      /there is no \[sso-session corp\], which its sso_session names$/,
      /config, or aws configure sso/,
    ],
  ])("for %s names the place and the mend, and quotes no line", async (_what, config, awsProfile, message, hint) => {
    using ann = human({ ".aws/config": config });
    const error = await ann.fail({ awsProfile });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(inspect(error)).not.toContain("sekret");
    // What needs no profile goes on.
    Object.assign(ann.env, ENV_KEYS);
    expect((await ann.find()).credentials.accessKeyId).toBe(keyId("env"));
  });

  it("for a profile that is not there suggests the nearest", async () => {
    using ann = human({ ".aws/credentials": `[staging]\n${keyPair(keyId("s"))}[prod]\n${keyPair(keyId("p"))}` });
    const error = await ann.fail({ awsProfile: "stagign" });
    expect(error).toMatchObject({ code: "base-credentials", hint: "did you mean 'staging'?" });
    expect(error.message).toContain(ann.home);
    ann.env["AWS_PROFILE"] = "zzzzzzzzz";
    expect(await ann.fail()).toMatchObject({ message: expect.stringMatching(/^AWS_PROFILE: /), hint: "the profiles are staging, prod" });
  });

  it("for a profile that is asked for inside a session says where it would be found", async () => {
    using ann = human({ "run/sess_a8f3b21c/aws-config": "[default]\nregion = eu-west-1\n" });
    ann.env["AWS_CONFIG_FILE"] = `${ann.home}/run/sess_a8f3b21c/aws-config`;
    expect(await ann.fail({ awsProfile: "dev" })).toMatchObject({
      code: "base-credentials",
      hint: "a session has no AWS profiles of yours: run it in another terminal",
    });
  });

  it.each([
    [{ AWS_ACCESS_KEY_ID: keyId("x") }, "AWS_SECRET_ACCESS_KEY is not set"],
    [{ AWS_SECRET_ACCESS_KEY: "partialSecret" }, "AWS_ACCESS_KEY_ID is not set"],
  ])("for a part of a key says which part, never its value", async (env, text) => {
    using ann = human({}, env as Record<string, string>);
    const error = await ann.fail();
    expect(error.code).toBe("base-credentials");
    expect(error.message).toContain(text);
    expect(inspect(error)).not.toContain("partialSecret");
  });

  it("for a file that cannot be read names it", async () => {
    using ann = human({ ".aws/config/oops": "" });
    expect(await ann.fail()).toMatchObject({ code: "base-credentials", message: expect.stringContaining(`${ann.home}/.aws/config`) });
  });

  it("for a file that cannot even be looked at names it, with what mends it", async () => {
    using ann = human({ ".aws/credentials": "" });
    symlinkSync("config", `${ann.home}/.aws/config`);
    const { code, message, hint } = await ann.fail();
    expect({ code, message, hint }).toEqual({
      code: "base-credentials",
      message: expect.stringMatching(/^cannot read .*\.aws\/config: ELOOP/),
      hint: expect.stringContaining("make it readable"),
    });
  });

  it("for a container address that is neither https nor local sends nothing there", async () => {
    using ann = human({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://evil.example/creds", AWS_CONTAINER_AUTHORIZATION_TOKEN: "tok" });
    expect(await ann.fail()).toMatchObject({ code: "base-credentials", message: expect.stringContaining("neither https nor") });
  });

  it("of the container passes its sentence on", async () => {
    const container = await metadata(() => ({ code: "SessionEnded", message: "agent-run: the session has ended" }), 410);
    using ann = human({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/creds` });
    expect((await ann.fail()).message).toContain("410: 'agent-run: the session has ended'");
    container.close();
  });

  it("of instance metadata that never answers costs a second or so", async () => {
    const silent = await metadata(() => undefined);
    using ann = human({}, { AWS_EC2_METADATA_SERVICE_ENDPOINT: silent.url, AWS_EC2_METADATA_DISABLED: "false" });
    const began = performance.now();
    expect((await ann.fail()).code).toBe("no-credentials");
    expect(performance.now() - began).toBeLessThan(2500);
    silent.close();
  });
});

describe("instance metadata", () => {
  it("is asked by version 2 only, when nothing else is there", async () => {
    const seen: string[] = [];
    const imds = await metadata((path, method, headers) => {
      seen.push(`${method} ${path}`);
      if (path === "/latest/api/token") return method === "PUT" ? "imds-token" : undefined;
      if (headers["x-aws-ec2-metadata-token"] !== "imds-token") return "no";
      if (path.endsWith("/security-credentials/")) return "web-role";
      return { Code: "Success", AccessKeyId: "ASIAINSTANCE00000000", SecretAccessKey: "s", Token: "t", Expiration: inAnHour() };
    });
    using ann = human({}, { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url, AWS_EC2_METADATA_DISABLED: "false" });
    expect(await ann.find()).toMatchObject({ source: "instance role web-role", chained: true });
    expect(seen[0]).toBe("PUT /latest/api/token");
    imds.close();
  });
});

function webAndContainer(env: Record<string, string>): Record<string, string> {
  return {
    AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent",
    AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/ci",
    AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:9/x",
    ...env,
  };
}

type Answer = (path: string, method: string, headers: Record<string, unknown>) => unknown;

/** A metadata service on loopback; `undefined` is no answer at all. */
async function metadata(answer: Answer, status = 200): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const given = answer(request.url ?? "", request.method ?? "", request.headers);
    if (given === undefined) return;
    response.writeHead(status).end(typeof given === "string" ? given : JSON.stringify(given));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
