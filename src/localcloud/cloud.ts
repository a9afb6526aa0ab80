// Starts the local cloud: STS, IAM, S3, EC2 and CloudTrail of one account on one loopback port. For `agent-run demo`, rehearsal and tests; no real session imports it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { Account } from "./account.ts";
import type { Cloud, Service } from "./call.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { ec2Service } from "./ec2.ts";
import { iam } from "./iam/iam.ts";
import { serveRequest } from "./pipeline.ts";
import { s3Service } from "./s3/s3.ts";
import { ObjectStore } from "./s3/store.ts";
import { DEMO_ROLE, demoSeed, plant, type Seed } from "./seed.ts";
import { sts } from "./sts/sts.ts";
import { type Settings, Switches } from "./switches.ts";
import { Trail, type TrailEntry } from "./trail.ts";

export interface LocalCloudOptions {
  readonly seed?: Seed;
  /** Test switches that hold from the start. */
  readonly settings?: Settings;
  readonly clock?: Clock;
}

export interface AccessKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A running local cloud. Disposing closes the port and every connection. */
export interface LocalCloud extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`: for every service. */
  readonly url: string;
  readonly port: number;
  readonly account: string;
  readonly region: string;
  /** Keys of the seed's first user. */
  readonly admin: AccessKeyPair;
  readonly switches: Switches;
  /** Keys of a user of the seed, or of the account's root user (`root`, made on the first asking). */
  keys(user: string): AccessKeyPair;
  /** ARN of a role by name; the demo's role when no name is given. */
  roleArn(name?: string): string;
  /** How often an operation was asked for: `sts:AssumeRole`. */
  calls(operation: string): number;
  /** Every call that was authenticated, oldest first: object-level ones too. */
  events(): readonly TrailEntry[];
  /** Every secret key and session token that exists or existed: what must not be found anywhere. */
  issuedSecrets(): string[];
}

/** Headers of one request; AWS takes 8 to 16 KiB. */
const LARGEST_HEAD = 32 * 1024;

/**
 * Starts the local cloud on a port of the kernel's choice on 127.0.0.1.
 * @throws AgentRunError `local-cloud` when it cannot listen, `policy` when the seed has a malformed policy
 */
export async function startLocalCloud(options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const seed = options.seed ?? demoSeed;
  const clock = options.clock ?? systemClock;
  const switches = new Switches();
  switches.apply(options.settings ?? {});
  const account = new Account(seed.account, clock, () => switches.propagationMs);
  const store = new ObjectStore();
  const instances = plant(seed, account, store);
  const cloud: Cloud = { account, region: seed.region, clock, switches, trail: new Trail() };
  const services = new Map<string, Service>([sts, iam, s3Service(store), ec2Service(instances), cloudtrail].map((one) => [one.name, one]));
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    // Clients correct their own clock by it.
    response.setHeader("Date", new Date(clock.now()).toUTCString());
    serveRequest(cloud, services, request, response).catch(() => request.socket.destroy());
  };
  const server = createServer({ maxHeaderSize: LARGEST_HEAD, requestTimeout: 120_000, keepAliveTimeout: 60_000 }, serve);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    serve(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new AgentRunError("local-cloud", `the local cloud cannot listen on 127.0.0.1: ${messageOf(error)}`, {
          hint: "check that the loopback interface is up: ip addr show lo",
          cause: error,
        }),
      ),
    );
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const keys = (user: string): AccessKeyPair => keysOf(account, user);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    account: seed.account,
    region: seed.region,
    admin: keys(seed.users[0]?.name ?? "root"),
    switches,
    keys,
    roleArn: (name = DEMO_ROLE) => account.arn(`role/${name}`),
    calls: (operation) => switches.calls(operation),
    events: () => cloud.trail.entries,
    issuedSecrets: () => [...account.keys.values()].flatMap((key) => [key.secret, ...(key.token === undefined ? [] : [key.token])]),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function keysOf(account: Account, user: string): AccessKeyPair {
  const holder = account.users.get(user);
  if (!holder && user !== "root") {
    throw new AgentRunError("local-cloud", `the local cloud has no user '${user}'`, { hint: "give it one in the seed" });
  }
  const known = [...account.keys.values()].find((key) => key.holder === holder && !key.session);
  const { accessKeyId, secret } = known ?? account.issue(holder);
  return { accessKeyId, secretAccessKey: secret };
}
