// The policies of a profile's folder, as texts with what each is for. Called by the policy commands, which look at what a run would refuse too.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Paths } from "../core/paths.ts";
import { fillPlaceholders, placeholdersOf } from "../policy/placeholders.ts";
import { findFolder } from "./profile.ts";
import { profileSettings } from "./settings.ts";
import { readTomlFile } from "./toml-file.ts";

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
}

/** What a trust policy's placeholders stand for until set-up fills them in (profiles/README.md). */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  PRINCIPAL_ARN: "arn:aws:iam::123456789012:user/developer",
  ACCOUNT_ID: "123456789012",
  EXTERNAL_ID: "external-id",
  REGION: "us-east-1",
};

/**
 * Reads what is there of a profile's policies. Placeholders of templates are filled with samples.
 * @throws AgentRunError `profile` where there is no such profile or its settings cannot be read
 */
export function readProfileDocuments(name: string, paths: Paths, packageFolder: string): ProfileDocuments {
  const folder = findFolder(name, paths, packageFolder);
  const settings = readTomlFile(join(folder, "profile.toml"), profileSettings, "profile") ?? {};
  const files: readonly (readonly [kind: ProfileDocument["kind"], file: string])[] = [
    ...[settings.session_policy ?? "session-policy.json"].flat().map((file) => ["session", file] as const),
    ["identity", "role-policy.json"],
    ["identity", "deny-always.json"],
    ["boundary", "boundary.json"],
    ["trust", "trust-policy.json"],
  ];
  const documents = files.flatMap(([kind, name]): ProfileDocument[] => {
    const file = resolve(folder, name);
    const text = readIfThere(file)?.replace(/\$\{([A-Z_]+)\}/g, (whole, placeholder: string) => PLACEHOLDERS[placeholder] ?? whole);
    if (text === undefined) return [];
    const open = placeholdersOf(text).length > 0;
    return [
      {
        file,
        kind,
        text: open ? JSON.stringify(fillPlaceholders(text, { ...samples(text), ...settings.values }, file), undefined, 2) : text,
      },
    ];
  });
  return { folder, role: settings.role, accepts: settings.accepts ?? [], documents };
}

/** What set-up or the human has to give. */
function samples(text: string): Record<string, string> {
  return Object.fromEntries(placeholdersOf(text).map((name) => [name, "example"]));
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
