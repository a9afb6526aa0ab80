// AWS clients: one place for region, endpoint, time limits, retries and the connections that launches share. Called by credentials and session.
import { readFileSync, statSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import type { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SSOClient } from "@aws-sdk/client-sso";
import type { SSOOIDCClient } from "@aws-sdk/client-sso-oidc";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import type { AwsCredentials } from "./credentials.ts";
import { NEVER_PROXIED, proxyUrl, proxyVariable, requireHttpProxy } from "./proxy.ts";
import type { StsClient } from "./sts.ts";

export interface Connection {
  readonly region: string;
  /** Replaces AWS's own endpoint of every service: the local cloud, moto, LocalStack. */
  readonly endpointUrl?: string | undefined;
  /** The human's environment; only HTTP(S)_PROXY, NO_PROXY, AWS_USE_FIPS_ENDPOINT and the variables of `AUTHORITIES` are read from it. */
  readonly env?: Environment | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  /** Tries after the first. */
  readonly retries?: number | undefined;
}

export const CONNECT_TIMEOUT_MS = 3000;
/** With the one retry, which a connection that died while the machine slept needs, a service that never answers is given up after 11 s. */
export const REQUEST_TIMEOUT_MS = 5500;
const RETRIES = 1;
/** Longer than the pause between two launches of a busy developer, shorter than what proxies and NATs usually keep. */
const IDLE_CONNECTION_MS = 60_000;

const USER_AGENT = "agent-run";

/** Each names a PEM file of authorities that the human's network needs, beside the usual ones. */
const AUTHORITIES = ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];

interface Partition {
  readonly regions: RegExp;
  readonly suffix: string;
  readonly iamHost: string;
  readonly iamRegion: string;
}

/** AWS General Reference, "Service endpoints", and botocore's partitions.json for those that it leaves out: STS is regional; IAM has one endpoint and one signing region a partition. */
const partitions: readonly Partition[] = [
  { regions: /^cn-/, suffix: "amazonaws.com.cn", iamHost: "iam.cn-north-1.amazonaws.com.cn", iamRegion: "cn-north-1" },
  { regions: /^us-gov-/, suffix: "amazonaws.com", iamHost: "iam.us-gov.amazonaws.com", iamRegion: "us-gov-west-1" },
  { regions: /^eusc-/, suffix: "amazonaws.eu", iamHost: "iam.eusc-de-east-1.amazonaws.eu", iamRegion: "eusc-de-east-1" },
  { regions: /^us-iso-/, suffix: "c2s.ic.gov", iamHost: "iam.us-iso-east-1.c2s.ic.gov", iamRegion: "us-iso-east-1" },
  { regions: /^us-isob-/, suffix: "sc2s.sgov.gov", iamHost: "iam.us-isob-east-1.sc2s.sgov.gov", iamRegion: "us-isob-east-1" },
  { regions: /^us-isof-/, suffix: "csp.hci.ic.gov", iamHost: "iam.us-isof-south-1.csp.hci.ic.gov", iamRegion: "us-isof-south-1" },
  { regions: /^eu-isoe-/, suffix: "cloud.adc-e.uk", iamHost: "iam.eu-isoe-west-1.cloud.adc-e.uk", iamRegion: "eu-isoe-west-1" },
];
const commercial: Partition = { regions: /^/, suffix: "amazonaws.com", iamHost: "iam.amazonaws.com", iamRegion: "us-east-1" };

const partitionOf = (region: string): Partition => partitions.find((partition) => partition.regions.test(region)) ?? commercial;

/** The domain that a region's services are under: `amazonaws.com`, `amazonaws.com.cn`. */
export const domainSuffix = (region: string): string => partitionOf(region).suffix;

/** Where STS is called: the regional endpoint, such as `https://sts.eu-west-1.amazonaws.com`, unless the connection names another. */
export const stsEndpoint = (connection: Connection): string => regionalEndpoint("sts", connection);

function regionalEndpoint(service: string, connection: Connection): string {
  const { region, endpointUrl } = connection;
  return endpointUrl ?? `https://${named(service, connection)}.${region}.${partitionOf(region).suffix}`;
}

/** As AWS's own tools read it; what stands in for AWS has no such endpoints. */
const wantsFips = ({ endpointUrl, env }: Connection): boolean =>
  endpointUrl === undefined && env?.["AWS_USE_FIPS_ENDPOINT"]?.toLowerCase() === "true";

/** GovCloud's endpoints are FIPS ones under their usual names (botocore's endpoints.json). */
const named = (service: string, connection: Connection): string =>
  wantsFips(connection) && !connection.region.startsWith("us-gov-") ? `${service}-fips` : service;

/**
 * Throws AgentRunError `config` unless the text can be a region: it becomes part of a host name that is sent credentials' signatures.
 * @param where the flag, setting or variable that it came from
 */
export function requireRegion(region: string, where: string): string {
  if (/^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/.test(region)) return region;
  throw new AgentRunError("config", `${where}: '${region}' is not an aws region`, { hint: "pass --region with a name such as eu-west-1" });
}

/**
 * What calls STS; without credentials it can only make the unsigned calls.
 * @throws AgentRunError `config` for a region, an endpoint or certificates that are none
 */
export async function stsClient(connection: Connection, credentials?: AwsCredentials): Promise<StsClient> {
  const region = requireRegion(connection.region, "region");
  requireAddress(connection.endpointUrl, ENDPOINT_SETTINGS);
  const url = new URL(stsEndpoint(connection));
  requireHttpProxy(url, connection.env ?? {});
  return { region, url, agent: agentFor(url, connection.env ?? {}), credentials, ...limits(connection) };
}

const limits = ({ connectTimeoutMs, requestTimeoutMs, retries }: Connection) => ({
  connectTimeoutMs: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  requestTimeoutMs: requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  retries: retries ?? RETRIES,
});

const ENDPOINT_SETTINGS = "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS or endpoint_url";

/** @param where the variables and the setting that it can have come from */
function requireAddress(url: string | undefined, where: string): void {
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? "")) return;
  throw new AgentRunError("config", `'${url}' is not the address of an aws endpoint`, {
    hint: `unset ${where}, or make it one such as http://127.0.0.1:4566`,
  });
}

/**
 * An IAM client, signed for the region where the partition keeps IAM. Loads the SDK at the first call of the process. Never call `destroy()` on it: the
 * connections belong to all clients.
 */
export async function iamClient(connection: Connection, credentials: AwsCredentials): Promise<IAMClient> {
  const { IAMClient } = await import("@aws-sdk/client-iam");
  const { iamHost, iamRegion } = partitionOf(requireRegion(connection.region, "region"));
  return new IAMClient({
    ...settings(connection, credentials),
    region: iamRegion,
    endpoint: connection.endpointUrl ?? `https://${iamHost.replace(/^iam/, named("iam", connection))}`,
  });
}

/** A CloudTrail client of the connection's region. The same rules as `iamClient`. */
export async function cloudTrailClient(connection: Connection, credentials: AwsCredentials): Promise<CloudTrailClient> {
  const { CloudTrailClient } = await import("@aws-sdk/client-cloudtrail");
  const region = requireRegion(connection.region, "region");
  const endpoint = regionalEndpoint("cloudtrail", connection);
  return new CloudTrailClient({ ...settings(connection, credentials), region, endpoint });
}

/** The address of one of IAM Identity Center's services, or where the human's own AWS_ENDPOINT_URL_… points it. */
export function ssoEndpoint(service: "oidc" | "portal.sso", region: string, env: Environment): string {
  const told = env[service === "oidc" ? "AWS_ENDPOINT_URL_SSO_OIDC" : "AWS_ENDPOINT_URL_SSO"];
  requireAddress(told || undefined, "AWS_ENDPOINT_URL_SSO_OIDC or AWS_ENDPOINT_URL_SSO");
  return told || `https://${service}.${requireRegion(region, "sso_region")}.${domainSuffix(region)}`;
}

/** Clients of IAM Identity Center, whose calls are unsigned. Loaded for a sign-in and a renewal only. */
export async function ssoOidcClient(region: string, env: Environment): Promise<SSOOIDCClient> {
  const { SSOOIDCClient } = await import("@aws-sdk/client-sso-oidc");
  const endpointUrl = ssoEndpoint("oidc", region, env);
  return new SSOOIDCClient({ ...settings({ region, env, endpointUrl }, undefined), region, endpoint: endpointUrl });
}

export async function ssoClient(region: string, env: Environment): Promise<SSOClient> {
  const { SSOClient } = await import("@aws-sdk/client-sso");
  const endpointUrl = ssoEndpoint("portal.sso", region, env);
  return new SSOClient({ ...settings({ region, env, endpointUrl }, undefined), region, endpoint: endpointUrl });
}

/** Clients of the two services that have a call to see by whether a deny holds. The same rules as `iamClient`. */
export async function ec2Client(connection: Connection, credentials: AwsCredentials): Promise<EC2Client> {
  const { EC2Client } = await import("@aws-sdk/client-ec2");
  return new EC2Client({ ...settings(connection, credentials), ...placeOf(connection) });
}

export async function s3Client(connection: Connection, credentials: AwsCredentials): Promise<S3Client> {
  const { S3Client } = await import("@aws-sdk/client-s3");
  return new S3Client({
    ...settings(connection, credentials),
    ...placeOf(connection),
    forcePathStyle: connection.endpointUrl !== undefined,
  });
}

function placeOf(connection: Connection) {
  const { region, endpointUrl } = connection;
  return {
    region: requireRegion(region, "region"),
    useFipsEndpoint: wantsFips(connection),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
  };
}

/** Where a client sends its calls, for a message. */
export async function endpointOf(client: StsClient | IAMClient): Promise<string> {
  if ("url" in client) return client.url.origin;
  const endpoint = await client.config.endpoint?.();
  if (!endpoint) return "its endpoint";
  return `${endpoint.protocol}//${endpoint.hostname}${endpoint.port ? `:${endpoint.port}` : ""}`;
}

/** The region that a client's calls are signed for. */
export const regionOf = async (client: StsClient | IAMClient): Promise<string> =>
  "url" in client ? client.region : client.config.region();

/**
 * Every setting that the SDK would else look for in this process's environment and in ~/.aws/config, which may be another profile's:
 * a session must never be sent to the endpoint, region or retry mode of some `[default]`.
 */
function settings(connection: Connection, credentials: AwsCredentials | undefined) {
  requireAddress(connection.endpointUrl, ENDPOINT_SETTINGS);
  const { env = {} } = connection;
  const url = new URL(regionalEndpoint("aws", connection));
  requireHttpProxy(url, env);
  const agent = agentFor(url, env);
  const { connectTimeoutMs, requestTimeoutMs, retries } = limits(connection);
  return {
    maxAttempts: 1 + retries,
    retryMode: "standard",
    defaultsMode: "standard" as const,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    userAgentAppId: USER_AGENT,
    authSchemePreference: ["aws.auth#sigv4"],
    sigv4aSigningRegionSet: [],
    // A correction would hide a wrong clock, by which we would then be wrong about every end.
    disableClockSkewCorrection: true,
    requestHandler: {
      ...(agent instanceof HttpsAgent ? { httpsAgent: agent } : { httpAgent: agent }),
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    credentials: async () => {
      if (!credentials) throw new AgentRunError("internal", "a signed aws call was made without credentials");
      const token = credentials.sessionToken?.reveal();
      return {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey.reveal(),
        ...(token === undefined ? {} : { sessionToken: token }),
      };
    },
  };
}

const shared = new Map<string, { readonly stamp: string; readonly agent: HttpAgent }>();

/**
 * Kept-alive connections to the address, one set for each way out of this machine (proxy, certificate authorities); new ones when a file of authorities was
 * written anew. Idle ones do not keep the process alive.
 * @throws AgentRunError `config` for authorities that an https address needs and that are none
 */
export function agentFor(url: URL, env: Environment): HttpAgent {
  const told = (name: string): string | undefined => proxyUrl(proxyVariable(env, name));
  const noProxy = [proxyVariable(env, "NO_PROXY"), ...NEVER_PROXIED].filter((hosts) => hosts !== undefined).join(",");
  const proxyEnv = { HTTPS_PROXY: told("HTTPS_PROXY"), HTTP_PROXY: told("HTTP_PROXY"), NO_PROXY: noProxy };
  const secure = url.protocol === "https:";
  const bundles = secure ? AUTHORITIES.flatMap((name) => (env[name] ? [{ name, file: env[name] }] : [])) : [];
  const key = JSON.stringify([secure, proxyEnv, bundles]);
  const stamp = bundles.map(({ file }) => stampOf(file)).join();
  const known = shared.get(key);
  if (known?.stamp === stamp) return known.agent;
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, proxyEnv };
  const authority = bundles.length > 0 ? { ca: authorities(bundles) } : {};
  const agent = secure ? new HttpsAgent({ ...options, ...authority }) : new HttpAgent(options);
  shared.set(key, { stamp, agent });
  return agent;
}

/** What changes when the file does; a file that cannot be looked at is told when it is read. */
function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(":");
  } catch {
    return "";
  }
}

function authorities(bundles: readonly { readonly name: string; readonly file: string }[]): string[] {
  const read = bundles.map(({ name, file }) => {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      throw new AgentRunError("config", `cannot read ${name} '${file}': ${messageOf(error)}`, {
        hint: `point ${name} at a readable PEM file, or unset it`,
        cause: error,
      });
    }
    // The others are for all that Node and OpenSSL do, and may well be empty.
    if (name === "AWS_CA_BUNDLE" && !text.includes("-----BEGIN ")) {
      throw new AgentRunError("config", `AWS_CA_BUNDLE '${file}' holds no certificate`, {
        hint: "point AWS_CA_BUNDLE at a PEM file, which has lines of -----BEGIN CERTIFICATE-----, or unset it",
      });
    }
    return text;
  });
  return [...rootCertificates, ...read];
}
