// The policies of a profile and of those that it extends, as texts with what each is for. Called by the policy commands, which look at what a run would refuse too.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Paths } from "../core/paths.ts";
import { charactersSent } from "../policy/compile-session.ts";
import { fillPlaceholders, placeholdersOf } from "../policy/placeholders.ts";
import { readConfig } from "./profile.ts";
import { type Level, profileLevels, settingsOf } from "./profile-levels.ts";
import { sessionPolicyOf } from "./profile-policy.ts";

export interface ProfileDocument {
  readonly file: string;
  readonly kind: "identity" | "session" | "boundary" | "trust";
  readonly text: string;
}

export interface ProfileDocuments {
  readonly folder: string;
  readonly role: string | undefined;
  /** Actions of the destructive catalogue that the profile is there for. */
  readonly accepts: readonly string[];
  readonly documents: readonly ProfileDocument[];
  /** Characters of the session policy that a run sends; undefined where it could send none. */
  readonly sent: number | undefined;
}

/** What a trust policy's placeholders stand for until set-up fills them in (profiles/README.md). */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  PRINCIPAL_ARN: "arn:aws:iam::123456789012:user/developer",
  ACCOUNT_ID: "123456789012",
  EXTERNAL_ID: "external-id",
  REGION: "us-east-1",
};

/**
 * Reads what there is of a profile's policies and of those that it extends, with config.toml's settings over them, as a run does. Of role, boundary and
 * trust the nearest counts. Placeholders that have no value are filled with samples.
 * @throws AgentRunError `profile` or `config` where there is no such profile, its settings cannot be read, or a policy that it names is not there
 */
export function readProfileDocuments(name: string, paths: Paths, packageFolder: string): ProfileDocuments {
  const levels = profileLevels(name, readConfig(paths), { paths, packageFolder });
  const { grant, role, accepts = [], values = {} } = settingsOf(levels);
  const nearest = (kind: ProfileDocument["kind"], file: string): Found[] =>
    levels
      .map(({ folder }) => ({ kind, file: join(folder, file) }))
      .filter((one) => existsSync(one.file))
      .slice(-1);
  const found = [
    ...levels.flatMap(sessionFiles),
    ...nearest("identity", "role-policy.json"),
    ...levels.map(({ folder }): Found => ({ kind: "identity", file: join(folder, "deny-always.json") })),
    ...nearest("boundary", "boundary.json"),
    ...nearest("trust", "trust-policy.json"),
  ];
  const documents = found
    .filter((one) => one.named || existsSync(one.file))
    .map(({ kind, file }): ProfileDocument => {
      const text = readPolicy(file, name).replace(/\$\{([A-Z_]+)\}/g, (whole, placeholder: string) =>
        Object.hasOwn(values, placeholder) ? whole : (PLACEHOLDERS[placeholder] ?? whole),
      );
      const open = placeholdersOf(text).length > 0;
      return {
        file,
        kind,
        text: open ? JSON.stringify(fillPlaceholders(text, { ...samples(text), ...values }, file), undefined, 2) : text,
      };
    });
  const readOnlyFolder = join(packageFolder, "profiles", "readonly");
  const sent = grant === "as-is" ? 0 : charactersSent(() => sessionPolicyOf({ levels, further: [], readOnlyFolder }));
  return { folder: levels.at(-1)?.folder ?? "", role, accepts, documents, sent };
}

interface Found {
  readonly kind: ProfileDocument["kind"];
  readonly file: string;
  /** By a setting, so that it has to be there. */
  readonly named?: true;
}

function sessionFiles({ folder, settings }: Level): Found[] {
  const named = settings.session_policy;
  if (named === undefined) return [{ kind: "session", file: join(folder, "session-policy.json") }];
  return [named].flat().map((file) => ({ kind: "session", file: resolve(folder, file), named: true }));
}

/** What set-up or the human has to give. */
function samples(text: string): Record<string, string> {
  return Object.fromEntries(placeholdersOf(text).map((name) => [name, "example"]));
}

function readPolicy(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentRunError("profile", `cannot read ${file}, a policy of profile '${name}': ${messageOf(error)}`, {
      hint: "put it there, or change session_policy",
      cause: error,
    });
  }
}
