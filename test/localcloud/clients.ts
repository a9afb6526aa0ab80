// The stock clients for the local cloud's tests, unmodified: AWS SDK clients by service, a raw HTTP request, and programs in a clean environment.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { request as httpRequest, type RequestOptions } from "node:http";
import { join } from "node:path";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, type AssumeRoleCommandInput, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll } from "vitest";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../../src/localcloud/cloud.ts";

// The SDK reads these two files of whoever runs the tests.
process.env["AWS_CONFIG_FILE"] = "/dev/null";
process.env["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null";
process.env["AWS_EC2_METADATA_DISABLED"] = "true";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A local cloud that all tests of a file share; it goes with the last of them. */
export async function sharedCloud(options?: LocalCloudOptions): Promise<LocalCloud> {
  const cloud = await startLocalCloud(options);
  afterAll(() => cloud[Symbol.asyncDispose]());
  return cloud;
}

/** What SDK clients need to reach a local cloud (or another emulator) with these keys; one attempt, so that errors are seen at once. */
export function settings(cloud: { readonly url: string }, keys: Keys) {
  return { endpoint: cloud.url, region: "us-east-1", credentials: keys, maxAttempts: 1 };
}

export const sts = (cloud: LocalCloud, keys: Keys = cloud.admin): STSClient => new STSClient(settings(cloud, keys));
export const iam = (cloud: LocalCloud, keys: Keys = cloud.admin): IAMClient => new IAMClient(settings(cloud, keys));
export const s3 = (cloud: LocalCloud, keys: Keys = cloud.admin): S3Client => new S3Client(settings(cloud, keys));
export const ec2 = (cloud: LocalCloud, keys: Keys = cloud.admin): EC2Client => new EC2Client(settings(cloud, keys));
export const cloudtrail = (cloud: LocalCloud, keys: Keys = cloud.admin): CloudTrailClient => new CloudTrailClient(settings(cloud, keys));

/** Temporary keys of the developer, in the form of GetRoleCredentials of IAM Identity Center. */
export async function roleCredentialsOf(cloud: LocalCloud) {
  const { Credentials: given } = await sts(cloud).send(new GetSessionTokenCommand({}));
  if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) throw new Error("no credentials");
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretAccessKey,
    sessionToken: given.SessionToken,
    expiration: given.Expiration.getTime(),
  };
}

/** Assumes the demo role as the developer, or what `input` says with what `from` says. */
export async function assume(cloud: LocalCloud, input: Partial<AssumeRoleCommandInput> = {}, from: Keys = cloud.admin): Promise<Keys> {
  const command = new AssumeRoleCommand({ RoleArn: cloud.roleArn(), RoleSessionName: "sess_0a1b2c3d", ...input });
  const { Credentials: found } = await sts(cloud, from).send(command);
  if (!found?.AccessKeyId || !found.SecretAccessKey || !found.SessionToken) throw new Error("no credentials in the answer");
  return { accessKeyId: found.AccessKeyId, secretAccessKey: found.SecretAccessKey, sessionToken: found.SessionToken };
}

/** Code as on the wire (the SDK renames some), status and text of the error that a call must end with. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number | undefined; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, Code, $metadata } = error as Error & { Code?: string; $metadata?: { httpStatusCode?: number } };
    return { code: Code ?? name, status: $metadata?.httpStatusCode, message };
  }
  throw new Error("the call was allowed");
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** One request as it is, whatever client or signature made its parts. */
export function raw(
  cloud: { readonly port: number },
  method: string,
  path: string,
  headers: Record<string, string | string[]>,
  body: string | Uint8Array = "",
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { host: "127.0.0.1", port: cloud.port, method, path, headers, agent: false };
    const request = httpRequest(options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString("utf8") }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The parts of a request that a signer works on. */
export interface Parts {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body?: unknown;
}

/** Catches what a client would send, signed, and sends nothing. */
export async function signed(client: { middlewareStack: unknown; send: unknown }, command: unknown): Promise<Parts> {
  type Stack = { add(middleware: () => (args: { request: Parts }) => Promise<never>, options: object): void; remove(name: string): void };
  let caught: Parts | undefined;
  const stack = client.middlewareStack as Stack;
  const stop = new Error("caught");
  const middleware = () => async (args: { request: Parts }) => {
    caught = args.request;
    throw stop;
  };
  stack.add(middleware, { step: "finalizeRequest", priority: "low", name: "catch" });
  try {
    await (client.send as (command: unknown) => Promise<unknown>).call(client, command);
  } catch (error) {
    if (error !== stop) throw error;
  } finally {
    stack.remove("catch");
  }
  if (!caught) throw new Error("nothing was signed");
  return caught;
}

/** The path and query of a request's parts. */
export function target({ path, query }: Parts): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

/** The `<Code>` of an XML error. */
export const codeOf = (answer: RawAnswer): string | undefined => /<Code>([^<]*)<\/Code>/.exec(answer.body)?.[1];

const venv = join(import.meta.dirname, "../../.venv/bin");

/** Debian's AWS CLI, the one whose python is the system's; where another `aws` is first on PATH that one is not meant. */
export const programs = {
  aws: "/usr/bin/aws",
  rclone: "/usr/bin/rclone",
  newAws: join(venv, "aws"),
  python: join(venv, "python"),
  moto: join(venv, "moto_server"),
} as const;

/** Whether it can run here: a script of the virtual environment also needs its interpreter, which another user may not be able to reach. */
export const has = (program: keyof typeof programs): boolean =>
  existsSync(programs[program]) && (!programs[program].startsWith(venv) || existsSync(programs.python));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with nothing of our own environment but PATH, and no AWS files. */
export function run(
  file: string,
  args: readonly string[],
  keys: Keys,
  more: { env?: Record<string, string>; input?: string; cwd?: string } = {},
): Promise<Ran> {
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: "/nonexistent",
    LC_ALL: "C.UTF-8",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken !== undefined && { AWS_SESSION_TOKEN: keys.sessionToken }),
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_PAGER: "",
    ...more.env,
  };
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, cwd: more.cwd, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === "number" ? error.code : 255) : 0, stdout, stderr });
    });
    child.stdin?.end(more.input ?? "");
  });
}
