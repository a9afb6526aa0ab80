// What a session puts into its folder and into the child's environment, a delivery mode at a time. Called by access.ts and env.ts.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Delivery } from "../control/protocol.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { privateFolder } from "../core/folder.ts";
import type { SessionId } from "../core/id.ts";
import type { Secret } from "../core/secret.ts";
import { awsConfigFile, credentialProcessFiles, findTools, HELPER } from "../credentials/credential-process.ts";

export interface DeliveryRequest {
  readonly delivery: Delivery;
  readonly folder: string;
  readonly session: SessionId;
  readonly profile: string;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  /** Absent in `env` delivery. */
  readonly endpoint: { readonly url: string; readonly processUrl: string; readonly token: Secret } | undefined;
  /** The human's PATH, to find what the credential_process script calls. */
  readonly path: string | undefined;
}

export type SessionFiles = Readonly<Record<string, { readonly content: string; readonly mode: number }>>;

const AWS_CONFIG = "aws-config";
const AWS_CREDENTIALS = "aws-credentials";
const RCLONE_CONFIG = "rclone.conf";
const S3CMD_CONFIG = "s3cfg";
const DRY_RUN = "(only in a real run)";

/** The files of the session's folder. Only `process` delivery has a secret in them: the token of its own endpoint, for its helper. */
export function sessionFiles(request: DeliveryRequest): SessionFiles {
  const { delivery, folder, region, endpoint } = request;
  const helper = delivery === "process" && endpoint !== undefined;
  return {
    [AWS_CONFIG]: { content: awsConfigFile({ delivery, region, helper: helper ? join(folder, HELPER) : undefined }), mode: 0o600 },
    ...Object.fromEntries([AWS_CREDENTIALS, RCLONE_CONFIG, S3CMD_CONFIG].map((name) => [name, { content: "", mode: 0o600 }])),
    ...(helper ? credentialProcessFiles({ folder, url: endpoint.processUrl, token: endpoint.token, tools: findTools(request.path) }) : {}),
  };
}

/**
 * Makes the session's folder with its files, private to the user. One that a dead daemon left is filled again and not replaced: a sandbox that
 * runs shows that very folder. Throws AgentRunError `runtime-folder`. */
export function writeSessionFolder(folder: string, files: SessionFiles): void {
  try {
    privateFolder(folder, "runtime-folder");
    for (const [name, { content, mode }] of Object.entries(files)) {
      rmSync(join(folder, name), { recursive: true, force: true });
      writeFileSync(join(folder, name), content, { mode, flag: "wx" });
    }
  } catch (error) {
    throw new AgentRunError("runtime-folder", `cannot write the session's files: ${messageOf(error)}`, {
      hint: "check that the runtime folder is writable and its disk is not full, or set AGENT_RUN_HOME",
      cause: error,
    });
  }
}

/**
 * The variables that the child gets on top of its cleaned environment. Never keys and a container URI together.
 * @param credentials the first ones, for `env` delivery; without them (a dry run) a placeholder stands in their place
 */
export function childVariables(request: DeliveryRequest, credentials: SessionCredentials | undefined): Record<string, string> {
  return {
    AGENT_RUN: "1",
    AGENT_RUN_SESSION: request.session,
    AGENT_RUN_PROFILE: request.profile,
    AWS_CONFIG_FILE: join(request.folder, AWS_CONFIG),
    AWS_SHARED_CREDENTIALS_FILE: join(request.folder, AWS_CREDENTIALS),
    // botocore and boto read these older files first when they are there (botocore/credentials.py).
    AWS_CREDENTIAL_FILE: "/dev/null",
    BOTO_CONFIG: "/dev/null",
    // Without the first, version 2 of the SDK for JavaScript looks past both files above and into ~/.aws; version 1 of that for Java knows the second alone.
    AWS_SDK_LOAD_CONFIG: "1",
    AWS_CREDENTIAL_PROFILES_FILE: join(request.folder, AWS_CREDENTIALS),
    // Else rclone and s3cmd read the human's, with keys in them. No /dev/null: rclone replaces its file when it writes.
    RCLONE_CONFIG: join(request.folder, RCLONE_CONFIG),
    S3CMD_CONFIG: join(request.folder, S3CMD_CONFIG),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_UA_APP_ID: "agent-run",
    ...(request.region === undefined ? {} : { AWS_REGION: request.region, AWS_DEFAULT_REGION: request.region }),
    ...(request.endpointUrl === undefined ? {} : { AWS_ENDPOINT_URL: request.endpointUrl }),
    ...credentialVariables(request, credentials),
  };
}

function credentialVariables(request: DeliveryRequest, credentials: SessionCredentials | undefined): Record<string, string> {
  if (request.delivery === "process") return {};
  if (request.delivery === "env") {
    return {
      AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? DRY_RUN,
      AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey.reveal() ?? DRY_RUN,
      AWS_SESSION_TOKEN: credentials?.sessionToken.reveal() ?? DRY_RUN,
      AWS_CREDENTIAL_EXPIRATION: credentials ? new Date(credentials.expiresAt).toISOString() : DRY_RUN,
    };
  }
  // Older clients know no AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, so the token itself is given; it opens nothing but this session.
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: request.endpoint?.url ?? DRY_RUN,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: request.endpoint?.token.reveal() ?? DRY_RUN,
  };
}
