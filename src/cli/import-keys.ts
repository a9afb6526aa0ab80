// Takes an IAM user's keys from where other tools keep them, and says what may be removed there; changes nothing there. Called by credentials.ts.
import { spawnSync } from "node:child_process";
import { objectOf } from "../aws/ask.ts";
import { AgentRunError } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import { profileOf, readAwsFiles } from "../credentials/sources/aws-files.ts";
import { PATIENCE_MS } from "../credentials/stored/keyring.ts";
import { type KeyPair, keyPair } from "../credentials/stored/keys.ts";

export interface Taken {
  readonly keys: KeyPair;
  /** What the human may now do at the old place. */
  readonly left: string;
}

/** Throws AgentRunError `base-credentials` for a profile without keys of its own. */
export function fromCredentialsFile(profile: string, env: Environment): Taken {
  const files = readAwsFiles(env);
  const section = profileOf(files, profile, "--from-profile");
  const [id, secret] = [section.get("aws_access_key_id"), section.get("aws_secret_access_key")];
  if (!id || !secret) {
    throw new AgentRunError("base-credentials", `aws profile '${profile}' has no keys of its own`, {
      hint: "only long-lived keys are stored; a profile with SSO, a role or a process is used as it is: --aws-profile",
    });
  }
  const left = `nothing was changed in ~/.aws: once it works, remove aws_access_key_id and aws_secret_access_key of '${profile}' from ${files.credentialsFile} or ${files.configFile}`;
  return { keys: keyPair(id, secret, `aws profile '${profile}'`), left };
}

/**
 * aws-vault's items in the secret service have the attribute `profile` and hold JSON around JSON; `secret-tool` finds them by it.
 * @throws AgentRunError `keyring` where it cannot be asked, `base-credentials` where there is no such item
 */
export async function fromAwsVault(profile: string, env: Environment): Promise<Taken> {
  const { status, stdout, error } = spawnSync("secret-tool", ["lookup", "profile", profile], {
    env: {
      PATH: env["PATH"],
      ...Object.fromEntries(["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME"].map((name) => [name, env[name]])),
    },
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "utf8",
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  if (error !== undefined) {
    const absent = "code" in error && error.code === "ENOENT";
    throw new AgentRunError(
      "keyring",
      absent
        ? "secret-tool is not installed, which finds aws-vault's items"
        : `the keyring did not give aws-vault's item: ${error.message}`,
      {
        hint: absent
          ? "install libsecret-tools, or: aws-vault exec <profile> -- and agent-run credentials add"
          : "unlock the keyring, then run this again",
      },
    );
  }
  const data = objectOf(stdout)["Data"];
  const { AccessKeyID, SecretAccessKey } = typeof data === "string" ? objectOf(Buffer.from(data, "base64").toString("utf8")) : {};
  if (status !== 0 || typeof AccessKeyID !== "string" || typeof SecretAccessKey !== "string") {
    throw new AgentRunError("base-credentials", `aws-vault keeps no keys of '${profile}' in this keyring, or it is locked`, {
      hint: "aws-vault list shows its profiles; those of its file or pass backend are stored with agent-run credentials add",
    });
  }
  return {
    keys: keyPair(AccessKeyID, SecretAccessKey, `aws-vault's '${profile}'`),
    left: `aws-vault still has its own copy: aws-vault remove ${profile}`,
  };
}
