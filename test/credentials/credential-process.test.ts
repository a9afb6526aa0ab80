// The credential_process script, run by real shells, tools and clients against a real endpoint; and the AWS config that names it.
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newToken } from "../../src/core/id.ts";
import { Secret } from "../../src/core/secret.ts";
import {
  awsConfigFile,
  credentialProcessFiles,
  credentialProcessScript,
  findTools,
  HELPER,
} from "../../src/credentials/credential-process.ts";
import { type Endpoint, type FetchInfo, openEndpoint } from "../../src/credentials/endpoint.ts";

const TOKEN = newToken();
const NOWHERE = "/nowhere/tool";
const found = findTools(undefined);
const output = {
  Version: 1,
  AccessKeyId: "ASIAEXAMPLE000000001",
  SecretAccessKey: "theSecret/Access+Key",
  SessionToken: `the'Session"Token${"t".repeat(900)}`,
  Expiration: "2031-01-02T03:04:05Z",
};

let scratch: string;
let folder: string;
let endpoint: Endpoint;
let fetches: FetchInfo[];

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), "agent-run-"));
  folder = join(scratch, "it's a session");
  mkdirSync(folder, { mode: 0o700 });
  fetches = [];
  endpoint = await openEndpoint({
    session: "sess_a8f3b21c",
    token: new Secret(TOKEN),
    credentials: async () => ({
      accessKeyId: output.AccessKeyId,
      secretAccessKey: new Secret(output.SecretAccessKey),
      sessionToken: new Secret(output.SessionToken),
      expiresAt: Date.UTC(2031, 0, 2, 3, 4, 5),
    }),
    onFetch: (info) => fetches.push(info),
  });
});
afterEach(async () => {
  await endpoint.close();
  rmSync(scratch, { recursive: true, force: true });
});

function install(tools = found, token = TOKEN): string {
  const files = credentialProcessFiles({ folder, url: endpoint.processUrl, token: new Secret(token), tools });
  for (const [name, { content, mode }] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode });
  return join(folder, HELPER);
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: string[] = [], env: Record<string, string> = {}, cwd = scratch): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { env, cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const ways: [string, typeof found, boolean][] = [
  ["curl", { curl: found.curl, python: undefined, node: NOWHERE }, found.curl !== undefined],
  ["python3", { curl: undefined, python: found.python, node: NOWHERE }, found.python !== undefined],
  ["node", { curl: undefined, python: undefined, node: found.node }, true],
  ["node, when curl and python3 are hidden", { curl: NOWHERE, python: NOWHERE, node: found.node }, true],
];
const shells = ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/zsh", "/bin/busybox"].filter(
  (shell) => spawnSync(shell, ["--help"]).error === undefined,
);

describe("the script", () => {
  for (const [what, tools, there] of ways) {
    describe.skipIf(!there)(`with ${what}${there ? "" : " (skipped: it is not installed)"}`, () => {
      it("prints what the credential_process setting wants, and nothing else", async () => {
        const ended = await run(install(tools));
        expect(ended.stderr).toBe("");
        expect(JSON.parse(ended.stdout)).toEqual(output);
        expect(ended.code).toBe(0);
        expect(fetches).toMatchObject([{ status: 200, form: "process" }]);
      });

      it("says on stderr why there are none, and fails", async () => {
        const script = install(tools);
        endpoint.refuse("the session was killed at 12:00; start a new one with agent-run");
        expect(await run(script)).toEqual({
          code: 1,
          stdout: "",
          stderr: "agent-run: the session was killed at 12:00; start a new one with agent-run\n",
        });
      });

      it("fails at once when nobody answers", async () => {
        const script = install(tools);
        await endpoint.close();
        expect(await run(script)).toEqual({
          code: 1,
          stdout: "",
          stderr: "agent-run: the credential endpoint does not answer; the session has ended\n",
        });
      });

      it("is not led astray by proxies and settings in the environment", async () => {
        const env = {
          http_proxy: "http://127.0.0.1:1",
          ALL_PROXY: "http://127.0.0.1:1",
          NODE_OPTIONS: "--nonsense",
          PYTHONPATH: "/x",
          HOME: scratch,
        };
        writeFileSync(join(scratch, ".curlrc"), 'proxy = "http://127.0.0.1:1"\n');
        expect(await run(install(tools), [], env)).toMatchObject({ code: 0, stderr: "" });
      });
    });
  }

  it.each(shells)("runs under %s", async (shell) => {
    const args = shell.endsWith("busybox") ? ["sh", install()] : [install()];
    expect(JSON.parse((await run(shell, args)).stdout)).toEqual(output);
  });

  it("holds no token, in its text or in its arguments; the file that does is private", async () => {
    const script = credentialProcessScript({ folder, url: endpoint.processUrl, tools: found });
    expect(script).not.toContain(TOKEN);
    install();
    expect(statSync(join(folder, "authorization")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, HELPER)).mode & 0o777).toBe(0o700);

    const spy = join(scratch, "curl");
    writeFileSync(spy, '#!/bin/sh\nprintf "%s " "$@" | tr -d "\\n"\nprintf "\\n200"\n');
    chmodSync(spy, 0o700);
    const ended = await run(install({ ...found, curl: spy }));
    expect(ended.stdout).toContain(endpoint.processUrl);
    expect(ended.stdout).not.toContain(TOKEN);
  });

  it("says so when no tool can be run", async () => {
    const ended = await run(install({ curl: undefined, python: undefined, node: NOWHERE }));
    expect(ended).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("neither curl nor python3 nor node") });
  });
});

describe("findTools", () => {
  it("takes programs in the usual folders before those of PATH, and never relative ones", () => {
    const tools = findTools(`.:${scratch}:relative`);
    for (const tool of [tools.curl, tools.python]) expect(tool === undefined || tool.startsWith("/")).toBe(true);
    mkdirSync(join(scratch, "python3"));
    expect(findTools(scratch).python).toBe(found.python);
    expect(tools.node).toBe(process.execPath);
  });
});

describe("the aws config file", () => {
  it("names no credentials in endpoint delivery, which clients would prefer to the endpoint", () => {
    expect(awsConfigFile({ delivery: "endpoint", region: "eu-west-1", helper: "/run/s/credential-process" })).toBe(
      "[default]\nregion = eu-west-1\n",
    );
  });

  it("names the script for every alias, in each delivery that has one", () => {
    expect(awsConfigFile({ delivery: "endpoint", region: undefined, helper: "/run/a b/h", aliases: ["prod", "two words"] })).toBe(
      '[default]\n\n[profile prod]\ncredential_process = /bin/sh "/run/a b/h"\n\n[profile "two words"]\ncredential_process = /bin/sh "/run/a b/h"\n',
    );
    expect(awsConfigFile({ delivery: "process", region: "eu-west-1", helper: "/h" })).toBe(
      '[default]\nregion = eu-west-1\ncredential_process = /bin/sh "/h"\n',
    );
    expect(awsConfigFile({ delivery: "env", region: "eu-west-1", helper: undefined })).toBe("[default]\nregion = eu-west-1\n");
  });

  it.each(['/run/a"b/h', "/run/$HOME/h", "/run/`x`/h", "/run/a #b/h", "/run/a\nb/h", "/run/a\\b/h"])("refuses the path %j", (helper) => {
    expect(() => awsConfigFile({ delivery: "process", region: undefined, helper })).toThrow(/cannot be used/);
  });

  it.each(["a]\n[default", 'a"', "", "a\nb"])("refuses the alias %j", (alias) => {
    expect(() => awsConfigFile({ delivery: "process", region: undefined, helper: "/h", aliases: [alias] })).toThrow(/cannot be the name/);
  });

  it("refuses a region that would add a line", () => {
    expect(() => awsConfigFile({ delivery: "env", region: "x\ncredential_process = /bin/evil", helper: undefined })).toThrow(
      /not an aws region/,
    );
  });
});

describe("clients that are given the config", () => {
  // A link without quotes in its name, as the runtime folder has none; spaces are kept.
  const prepare = (): Record<string, string> => {
    install();
    const plain = join(scratch, "a session");
    symlinkSync(folder, plain);
    const config = awsConfigFile({ delivery: "process", region: "eu-west-1", helper: join(plain, HELPER), aliases: ["prod"] });
    writeFileSync(join(folder, "aws-config"), config, { mode: 0o600 });
    writeFileSync(join(folder, "empty"), "");
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: scratch,
      AWS_CONFIG_FILE: join(folder, "aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "empty"),
      AWS_EC2_METADATA_DISABLED: "true",
    };
  };

  it.each(["default", "prod"])("the AWS SDK for JavaScript gets them for profile %s", async (profile) => {
    const program = `import { fromIni } from "@aws-sdk/credential-provider-ini"; console.log(JSON.stringify(await fromIni({ profile: "${profile}" })()));`;
    const ended = await run(process.execPath, ["--input-type=module", "-e", program], prepare(), join(import.meta.dirname, "../.."));
    expect(ended.stderr).toBe("");
    expect(JSON.parse(ended.stdout)).toMatchObject({ accessKeyId: output.AccessKeyId, sessionToken: output.SessionToken });
  });

  const aws = spawnSync("aws", ["--version"]).status === 0;
  it.skipIf(!aws)(
    `the AWS CLI gets them, and shows our text when the session has ended${aws ? "" : " (skipped: aws is not installed)"}`,
    async () => {
      const env = prepare();
      const list = ["configure", "list"];
      expect((await run("aws", list, env)).stdout).toContain("custom-process");
      expect((await run("aws", ["--profile", "prod", ...list], env)).stdout).toContain("custom-process");
      endpoint.refuse("the session's time was up; start a new one with agent-run");
      const ended = await run("aws", ["sts", "get-caller-identity"], env);
      expect(ended.code).not.toBe(0);
      expect(ended.stderr).toContain("agent-run: the session's time was up; start a new one with agent-run");
    },
  );
});
