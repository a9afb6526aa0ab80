// A secret text in a file that a passphrase seals: AES-256-GCM under a key by scrypt. For machines without a keyring, and only when asked for. Called by
// stores.ts.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { privateFolder } from "../../core/folder.ts";
import { processInfo } from "../../core/process-tree.ts";
import { Secret } from "../../core/secret.ts";

/** RFC 7914 names the three; this N takes about 0.4 s and 128 MiB, once for each guess too. */
const SCRYPT = { N: 131_072, r: 8, p: 1 } as const;
const MEMORY = 256 * 1_048_576;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KIND = "agent-run sealed keys";
const LARGEST = 65_536;

/** Shorter ones are guessed, however slow each guess is. */
export const SHORTEST_PASSPHRASE = 12;

interface Sealed {
  readonly salt: Buffer;
  readonly iv: Buffer;
  readonly tag: Buffer;
  readonly data: Buffer;
}

/** The key of one file, for as long as whoever unlocked it keeps it. */
export interface FileKey {
  readonly salt: string;
  readonly bytes: Buffer;
}

/**
 * Writes `text` in place of what is there, 0600 from the first byte.
 * @param name what the file is for; it can be opened as nothing else
 * @throws AgentRunError `state-folder`
 */
export async function sealFile(path: string, name: string, text: Secret, passphrase: Secret): Promise<void> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const key = await derive(passphrase, salt);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES }).setAAD(labelOf(name));
  const data = Buffer.concat([cipher.update(text.reveal(), "utf8"), cipher.final()]);
  key.fill(0);
  const parts = { salt, iv, tag: cipher.getAuthTag(), data };
  const encoded = Object.entries(parts).map(([part, bytes]) => [part, bytes.toString("base64")]);
  write(path, `${JSON.stringify({ kind: KIND, version: 1, kdf: { name: "scrypt", ...SCRYPT }, ...Object.fromEntries(encoded) })}\n`);
}

/** Whether there is one. */
export const isSealed = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * The key of a file, to open it with now and again.
 * @throws AgentRunError `base-credentials` where the file is absent, open to others or none of ours
 */
export async function unlock(path: string, passphrase: Secret): Promise<FileKey> {
  const { salt } = read(path);
  return { salt: salt.toString("base64"), bytes: await derive(passphrase, salt) };
}

/** Whether the key is one of the file as it is now; a file that was sealed anew has another. */
export function fits(path: string, key: FileKey): boolean {
  return read(path).salt.toString("base64") === key.salt;
}

/**
 * The text in it.
 * @throws AgentRunError `base-credentials` as `unlock`, and for a wrong passphrase or a changed file, which cannot be told apart
 */
export function openFile(path: string, name: string, key: FileKey): Secret {
  const { iv, tag, data } = read(path);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key.bytes, iv, { authTagLength: TAG_BYTES }).setAAD(labelOf(name)).setAuthTag(tag);
    return new Secret(Buffer.concat([decipher.update(data), decipher.final()]).toString("utf8"));
  } catch {
    throw new AgentRunError("base-credentials", `the passphrase does not open ${path}, or the file was changed`, {
      hint: "enter it again; where it is lost: agent-run credentials remove <name>, and make a new key in IAM",
    });
  }
}

const labelOf = (name: string): Buffer => Buffer.from(`${KIND} v1 ${name}`);

function derive(passphrase: Secret, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal().normalize("NFC"), salt, KEY_BYTES, { ...SCRYPT, maxmem: MEMORY }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function read(path: string): Sealed {
  const bad = (what: string, hint: string, cause?: unknown): AgentRunError =>
    new AgentRunError("base-credentials", `${path} ${what}`, { hint, cause });
  let text: string;
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.size > LARGEST) throw bad("is no sealed file of agent-run", "agent-run credentials add <name> --store file");
    if (stat.uid !== (process.getuid?.() ?? stat.uid)) throw bad(`belongs to user ${stat.uid}, not to you`, `remove it: rm ${path}`);
    if ((stat.mode & 0o077) !== 0) throw bad("is open to other users", `chmod 600 ${path}`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof AgentRunError) throw error;
    throw bad(`cannot be read: ${messageOf(error)}`, "agent-run credentials list", error);
  }
  try {
    const { kind, version, kdf, ...parts } = JSON.parse(text) as Record<string, unknown>;
    const { name, N, r, p } = kdf as Record<string, unknown>;
    const [salt, iv, tag, data] = ["salt", "iv", "tag", "data"].map((part) => Buffer.from(String(parts[part]), "base64")) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const known = kind === KIND && version === 1 && name === "scrypt" && N === SCRYPT.N && r === SCRYPT.r && p === SCRYPT.p;
    if (known && salt.length === SALT_BYTES && iv.length === IV_BYTES && tag.length === TAG_BYTES) return { salt, iv, tag, data };
  } catch {
    // Said below.
  }
  throw bad("is no sealed file of this agent-run", "agent-run credentials add <name> --store file --replace");
}

/** What a writer left that was killed: as sealed as the file itself, and of no use to anybody. */
export function removeUnfinished(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const rest = name.startsWith(basename(path)) ? name.slice(basename(path).length) : "";
    const writer = Number(/^\.(\d+)\.new$/.exec(rest)?.[1]);
    if (writer > 0 && (writer === process.pid || !processInfo(writer))) rmSync(join(dirname(path), name), { force: true });
  }
}

function write(path: string, text: string): void {
  privateFolder(dirname(path), "state-folder");
  const unfinished = `${path}.${process.pid}.new`;
  try {
    removeUnfinished(path);
    const file = openSync(unfinished, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new AgentRunError("state-folder", `cannot write ${path}: ${messageOf(error)}`, {
      hint: `make ${dirname(path)} writable for you, or set AGENT_RUN_HOME`,
      cause: error,
    });
  }
}
