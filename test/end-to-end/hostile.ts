// Places of a human that would give an agent another identity: environments and home folders, one row each. Used by clients.test.ts.
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { AccessKeyPair } from "../../src/localcloud/cloud.ts";

/** What the rows are made of. */
export interface Place {
  /** The human's own keys, which may assume the role. */
  readonly base: AccessKeyPair;
  /** An administrator's keys, which work: whoever uses them is seen. */
  readonly boss: AccessKeyPair;
  /** The human's home folder. */
  readonly home: string;
  /** A server that gives the administrator's keys to whoever asks it. */
  readonly trap: string;
  /** An HTTP proxy that works. */
  readonly proxy: string;
}

export interface Hostile {
  readonly name: string;
  readonly env?: (place: Place) => Record<string, string | undefined>;
  /** Files by their path below the home folder. */
  readonly home?: (place: Place) => Record<string, string>;
  /** Where the row would change whom the launcher itself starts from: a profile `good` is added, and asked for. */
  readonly named?: true;
  /** A client that does not work there without agent-run either. */
  readonly spares?: string;
}

const keys = ({ accessKeyId, secretAccessKey }: AccessKeyPair): string =>
  `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
const profile = (name: string, pair: AccessKeyPair): string => `[${name}]\n${keys(pair)}`;
const asVariables = ({ accessKeyId, secretAccessKey }: AccessKeyPair): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
});
/** A credential_process that gives the administrator's keys and leaves a mark. */
const processOf = ({ boss, home }: Place): string =>
  `#!/bin/sh\ntouch ${home}/asked\necho '{"Version":1,"AccessKeyId":"${boss.accessKeyId}","SecretAccessKey":"${boss.secretAccessKey}"}'\n`;
const rclone = (boss: AccessKeyPair): string =>
  `[prod]\ntype = s3\nprovider = AWS\naccess_key_id = ${boss.accessKeyId}\nsecret_access_key = ${boss.secretAccessKey}\n`;

/** Nothing hostile: the clients themselves work. */
export const plain: Hostile = { name: "an environment with the base keys alone" };

export const hostiles: readonly Hostile[] = [
  plain,
  { name: "keys of an administrator in the environment", named: true, env: ({ boss }) => asVariables(boss) },
  { name: "AWS_ACCESS_KEY_ID alone", named: true, env: ({ boss }) => ({ ...asVariables(boss), AWS_SECRET_ACCESS_KEY: undefined }) },
  {
    name: "AWS_PROFILE with a profile that exists",
    env: () => ({ AWS_PROFILE: "boss" }),
    home: ({ boss }) => ({ ".aws/credentials": profile("boss", boss) }),
  },
  { name: "AWS_PROFILE with a profile that is missing", env: () => ({ AWS_PROFILE: "missing" }) },
  { name: "AWS_PROFILE that is empty", env: () => ({ AWS_PROFILE: "" }) },
  {
    name: "AWS_DEFAULT_PROFILE with a profile that exists",
    env: () => ({ AWS_DEFAULT_PROFILE: "boss" }),
    home: ({ boss }) => ({ ".aws/credentials": profile("boss", boss) }),
  },
  { name: "[default] keys in ~/.aws/credentials", home: ({ boss }) => ({ ".aws/credentials": profile("default", boss) }) },
  {
    name: "credential_process in ~/.aws/config",
    home: (place) => ({
      ".aws/config": `[default]\ncredential_process = /bin/sh ${place.home}/give-keys\n`,
      "give-keys": processOf(place),
    }),
  },
  {
    name: "sso settings in ~/.aws/config",
    home: ({ trap }) => ({
      ".aws/config": `[default]\nsso_start_url = ${trap}\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Admin\n`,
    }),
  },
  {
    name: "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
    env: ({ home }) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: `${home}/jwt`, AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/agent-demo" }),
    home: () => ({ jwt: "e30.e30.e30" }),
  },
  { name: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", env: () => ({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/boss" }) },
  {
    name: "AWS_CONTAINER_CREDENTIALS_FULL_URI of another, with a token in a file",
    env: ({ trap, home }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${trap}/creds`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "of-another",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${home}/token`,
    }),
    home: () => ({ token: "of-another" }),
  },
  {
    name: "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    env: ({ trap }) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: trap, AWS_EC2_METADATA_DISABLED: "false" }),
  },
  {
    name: "AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
    env: ({ home }) => ({ AWS_CONFIG_FILE: `${home}/their-config`, AWS_SHARED_CREDENTIALS_FILE: `${home}/their-credentials` }),
    home: ({ boss, trap }) => ({
      "their-config": `[default]\nregion = eu-west-1\nendpoint_url = ${trap}\nservices = s\n[services s]\nsts =\n  endpoint_url = ${trap}\n`,
      "their-credentials": profile("default", boss),
    }),
  },
  {
    name: "~/.boto",
    home: ({ boss }) => ({ ".boto": `[Credentials]\n${keys(boss)}` }),
  },
  {
    name: "BOTO_CONFIG and AWS_CREDENTIAL_FILE",
    env: ({ home }) => ({ BOTO_CONFIG: `${home}/boto.cfg`, AWS_CREDENTIAL_FILE: `${home}/aws-credential-file` }),
    home: ({ boss }) => ({
      "boto.cfg": `[Credentials]\n${keys(boss)}`,
      "aws-credential-file": `AWSAccessKeyId=${boss.accessKeyId}\nAWSSecretKey=${boss.secretAccessKey}\n`,
    }),
  },
  {
    name: "bearer tokens, and endpoints of single services",
    env: ({ trap }) => ({
      AWS_BEARER_TOKEN_BEDROCK: "of-another",
      AWS_BEARER_TOKEN_STS: "of-another",
      AWS_ENDPOINT_URL_S3: trap,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true",
    }),
  },
  {
    name: "~/.s3cfg, ~/.config/rclone/rclone.conf and RCLONE_ variables",
    env: ({ boss }) => ({
      RCLONE_S3_ACCESS_KEY_ID: boss.accessKeyId,
      RCLONE_S3_SECRET_ACCESS_KEY: boss.secretAccessKey,
      RCLONE_S3_ENV_AUTH: "false",
    }),
    home: ({ boss }) => ({
      ".s3cfg": `[default]\naccess_key = ${boss.accessKeyId}\nsecret_key = ${boss.secretAccessKey}\n`,
      ".config/rclone/rclone.conf": rclone(boss),
    }),
  },
  { name: "a proxy", env: ({ proxy }) => ({ HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, https_proxy: proxy }) },
  {
    name: "AWS_CA_BUNDLE with nonsense",
    env: ({ home }) => ({ AWS_CA_BUNDLE: `${home}/authorities.pem` }),
    home: () => ({ "authorities.pem": "no certificate\n" }),
    // It refuses every AWS_CA_BUNDLE.
    spares: "rclone",
  },
];

const told = hostiles.filter((row) => row.spares === undefined && row.name !== "a proxy" && row.name !== "AWS_ACCESS_KEY_ID alone");

/** All of them that can be there together. */
export const everything: Hostile = {
  name: "everything at once",
  named: true,
  env: (place) => ({
    ...Object.assign({}, ...told.map((row) => row.env?.(place) ?? {})),
    ...asVariables(place.boss),
    AWS_PROFILE: "boss",
    // The launcher finds its profile `good` there.
    AWS_CONFIG_FILE: undefined,
    AWS_SHARED_CREDENTIALS_FILE: undefined,
  }),
  home: (place) => ({
    ...Object.assign({}, ...told.map((row) => row.home?.(place) ?? {})),
    ".aws/credentials": profile("default", place.boss) + profile("boss", place.boss),
    ".aws/config": `[default]\ncredential_process = /bin/sh ${place.home}/give-keys\n[profile boss]\nregion = eu-west-1\n`,
  }),
};

/** The files of a row, with the profile `good` where the launcher is told to start from it. */
export function homeOf(row: Hostile, place: Place): Record<string, string> {
  const files = { ...row.home?.(place) };
  if (row.named) files[".aws/credentials"] = profile("good", place.base) + (files[".aws/credentials"] ?? "");
  return files;
}

export interface Trap extends AsyncDisposable {
  readonly url: string;
  /** What was asked of it: method and URL. */
  readonly asked: string[];
}

/** Gives the administrator's keys in every form in which clients take them from a server: container, instance metadata. */
export async function openTrap(boss: AccessKeyPair): Promise<Trap> {
  return serve((_request, answer) => {
    const form = { AccessKeyId: boss.accessKeyId, SecretAccessKey: boss.secretAccessKey, Token: "none", Code: "Success" };
    answer(JSON.stringify({ ...form, Expiration: "2099-01-01T00:00:00Z" }));
  });
}

/** A proxy for plain HTTP that forwards what it is asked. */
export async function openProxy(): Promise<Trap> {
  return serve((incoming, answer) => {
    const onward = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (reply) => {
      const parts: Buffer[] = [];
      reply.on("data", (part: Buffer) => parts.push(part));
      reply.on("end", () => answer(Buffer.concat(parts).toString(), reply.statusCode));
    });
    onward.on("error", () => answer("", 502));
    incoming.pipe(onward);
  });
}

async function serve(
  handle: (request: import("node:http").IncomingMessage, answer: (body: string, status?: number) => void) => void,
): Promise<Trap> {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    handle(incoming, (body, status = 200) => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
