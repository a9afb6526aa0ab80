// What the state folder keeps of killed and revoked sessions: that none comes back, and which policies in IAM are still to be removed. Written by session.ts,
// read at every resume, by the clean-up, and by the kill and revocations commands.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checked, list, number, type Of, object, optional, record, string } from "../control/shape.ts";
import { makeFolder } from "../core/folder.ts";
import { isSessionId } from "../core/id.ts";
import type { Paths } from "../core/paths.ts";

const tombstone = object({
  session: string(13, /^sess_[0-9a-f]{8}$/),
  /** Milliseconds since 1970. */
  at: number,
  /** ARNs of the roles that it is denied on, until its policies are removed there. */
  roles: list(string()),
  /** When the last of its keys will have expired. */
  until: optional(number),
  /** Where the base credentials were found: names of profiles and files, never a secret. */
  source: optional(record(string())),
  awsProfile: optional(string()),
  credentials: optional(string()),
  region: optional(string()),
  endpointUrl: optional(string()),
});

export type Tombstone = Of<typeof tombstone>;

/** Names of variables that locate credentials and hold none. A proxy's address can hold a password. */
const LOCATING = [
  ...["HOME", "PATH", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"],
  ...["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"],
  ...["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_USE_FIPS_ENDPOINT", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
];

/** What may be written down of the human's environment. */
export function locating(source: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => LOCATING.includes(name)));
}

const folderOf = (paths: Paths): string => join(paths.state, "killed");
const fileOf = (paths: Paths, session: string): string => join(folderOf(paths), `${session}.json`);

/** Writes it, in place of an older one. Throws what the file system says. */
export function bury(paths: Paths, stone: Tombstone): void {
  makeFolder(folderOf(paths));
  const file = fileOf(paths, stone.session);
  writeFileSync(`${file}.new`, `${JSON.stringify(stone)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Whether the session was killed or revoked. One that cannot be read counts: it was written for some reason. */
export function isBuried(paths: Paths, session: string): boolean {
  try {
    readFileSync(fileOf(paths, session));
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"));
  }
}

/** All that can be read, oldest first. */
export function tombstones(paths: Paths): Tombstone[] {
  let names: string[];
  try {
    names = readdirSync(folderOf(paths));
  } catch {
    return [];
  }
  const stones = names.flatMap((name): Tombstone[] => {
    const session = name.replace(/\.json$/, "");
    if (name === session || !isSessionId(session)) return [];
    try {
      const read = checked(tombstone, JSON.parse(readFileSync(fileOf(paths, session), "utf8")));
      return "value" in read ? [read.value] : [];
    } catch {
      return [];
    }
  });
  return stones.sort((left, right) => left.at - right.at);
}

/** Removes one whose session can come back no more by itself, with nothing left in IAM. */
export function forget(paths: Paths, session: string): void {
  rmSync(fileOf(paths, session), { force: true });
}
