// An IAM user's own access keys: list, make, switch off, delete. Called by credentials/stored/rotate.ts with the user's own keys.
import type { IAMClient } from "@aws-sdk/client-iam";
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import { explainFailure, readFailure } from "./failure.ts";

export interface UserKey {
  readonly accessKeyId: string;
  readonly active: boolean;
  /** AWS's clock, in whole seconds. */
  readonly createdAt: Instant;
}

export interface UserKeys {
  list(): Promise<UserKey[]>;
  /** @throws AgentRunError `base-credentials`, also where the user has two keys already */
  create(): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: Secret }>;
  deactivate(accessKeyId: string): Promise<void>;
  /** One that is gone already is no error. */
  remove(accessKeyId: string): Promise<void>;
  /** Whether AWS has seen a call with it. */
  wasUsed(accessKeyId: string): Promise<boolean>;
}

/** @param iam signs with keys of the user itself, so that no user is named */
export function userKeys(iam: IAMClient): UserKeys {
  const send = async <Answer>(action: string, run: (sdk: typeof import("@aws-sdk/client-iam")) => Promise<Answer>): Promise<Answer> => {
    try {
      return await run(await import("@aws-sdk/client-iam"));
    } catch (error) {
      const { name, text } = readFailure(error);
      if (/^AccessDenied/.test(name)) {
        throw new AgentRunError("base-credentials", `${action} is not allowed to the user: '${text}'`, {
          hint: "allow iam:ListAccessKeys, CreateAccessKey, UpdateAccessKey, DeleteAccessKey and GetAccessKeyLastUsed to the user on itself",
        });
      }
      throw await explainFailure(error, iam, action);
    }
  };
  return {
    list: () =>
      send("iam:ListAccessKeys", async ({ ListAccessKeysCommand }) => {
        const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({}));
        return AccessKeyMetadata.map(({ AccessKeyId = "", Status, CreateDate }) => ({
          accessKeyId: AccessKeyId,
          active: Status === "Active",
          createdAt: CreateDate?.getTime() ?? 0,
        }));
      }),
    create: () =>
      send("iam:CreateAccessKey", async ({ CreateAccessKeyCommand }) => {
        const { AccessKey } = await iam.send(new CreateAccessKeyCommand({}));
        if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey)
          throw new AgentRunError("base-credentials", "iam:CreateAccessKey was answered without a key", {
            hint: "agent-run credentials rotate <name>",
          });
        return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: new Secret(AccessKey.SecretAccessKey) };
      }),
    deactivate: (AccessKeyId) =>
      send("iam:UpdateAccessKey", async ({ UpdateAccessKeyCommand }) => {
        await iam.send(new UpdateAccessKeyCommand({ AccessKeyId, Status: "Inactive" }));
      }),
    remove: (AccessKeyId) =>
      send("iam:DeleteAccessKey", async ({ DeleteAccessKeyCommand }) => {
        await iam.send(new DeleteAccessKeyCommand({ AccessKeyId })).catch((error: unknown) => {
          if (!/^NoSuchEntity/.test(readFailure(error).name)) throw error;
        });
      }),
    wasUsed: (AccessKeyId) =>
      send("iam:GetAccessKeyLastUsed", async ({ GetAccessKeyLastUsedCommand }) => {
        const { AccessKeyLastUsed } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
        return AccessKeyLastUsed?.LastUsedDate !== undefined;
      }),
  };
}
