// Where stored keys are, by name: `keyring:dev` in the system keyring, `file:dev` in a sealed file. Called by the source of base credentials and by the
// credentials command.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import { Secret } from "../../core/secret.ts";
import { KEYRING_NAME, type KeyringItem, openKeyring } from "./keyring.ts";
import { readKeys, type StoredKeys, textOf } from "./keys.ts";
import { type FileKey, fits, isSealed, openFile, removeUnfinished, sealFile, unlock } from "./sealed-file.ts";

export const storeNames = ["keyring", "file"] as const;
export type StoreName = (typeof storeNames)[number];

export interface Reference {
  readonly store: StoreName;
  readonly name: string;
}

/** The human at the passphrase of a sealed file, and what they unlocked already. */
export interface Unlocking {
  readonly passphrase: (prompt: string) => Promise<string>;
  /** By the file's path. In memory only, for as long as the process lives. */
  readonly keys: Map<string, FileKey>;
}

export interface Stores {
  /** @throws AgentRunError `base-credentials` where there is none of that name, `keyring` */
  read(from: Reference): Promise<StoredKeys>;
  has(at: Reference): Promise<boolean>;
  write(to: Reference, keys: StoredKeys): Promise<void>;
  remove(at: Reference): Promise<boolean>;
  /** Names in the keyring. Throws AgentRunError `keyring`. */
  inKeyring(): Promise<{ readonly name: string; readonly accessKeyId: string | undefined }[]>;
  inFiles(): string[];
}

/** Keys have these before their names, so that other items of ours have names of their own. */
const PREFIX = "keys ";
const NAME = /^[A-Za-z0-9][\w.@+-]{0,63}$/;
const SUFFIX = ".sealed";

export const sealedFolder = (state: string): string => join(state, "sealed");

/** `keyring:dev` as its parts; undefined for anything else. */
export function parseReference(text: string): Reference | undefined {
  const [store, name = ""] = text.split(":", 2);
  const known = storeNames.find((each) => each === store);
  return known !== undefined && text === `${known}:${name}` && NAME.test(name) ? { store: known, name } : undefined;
}

/** Throws AgentRunError `usage` for a name that cannot be one. */
export function requireName(name: string): string {
  if (NAME.test(name)) return name;
  throw new AgentRunError("usage", `'${name}' cannot be a name of stored keys`, {
    hint: "use letters, digits and _ . @ + -, 64 at most, such as dev",
    exitStatus: 2,
  });
}

/** For the human: `keyring item 'dev' (secret service)`, `sealed file 'dev'`. */
export const described = ({ store, name }: Reference): string =>
  store === "keyring" ? `keyring item '${name}' (${KEYRING_NAME})` : `sealed file '${name}'`;

/**
 * The stores of one human.
 * @param state agent-run's state folder, where sealed files are
 */
export function openStores(env: Environment, state: string, unlocking: Unlocking): Stores {
  const keyring = openKeyring(env);
  const pathOf = (name: string): string => join(sealedFolder(state), `${name}${SUFFIX}`);
  const passphrase = async (prompt: string): Promise<Secret> => new Secret(await unlocking.passphrase(prompt));

  const readFile = async ({ name }: Reference): Promise<Secret> => {
    const path = pathOf(name);
    const known = unlocking.keys.get(path);
    if (known && fits(path, known)) return openFile(path, name, known);
    const key = await unlock(path, await passphrase(`passphrase of sealed file '${name}'`));
    const text = openFile(path, name, key);
    unlocking.keys.set(path, key);
    return text;
  };

  return {
    async read(from) {
      const missing = (): AgentRunError =>
        new AgentRunError("base-credentials", `there is no ${described(from)}`, {
          hint: `agent-run credentials list shows what there is; agent-run credentials add ${from.name}${from.store === "file" ? " --store file" : ""} stores it`,
        });
      if (from.store === "file" && !isSealed(pathOf(from.name))) throw missing();
      const text = from.store === "keyring" ? await keyring.get(PREFIX + from.name) : await readFile(from);
      if (text === undefined) throw missing();
      const keys = readKeys(text, described(from));
      text.wipe();
      return keys;
    },
    async has({ store, name }) {
      return store === "file" ? isSealed(pathOf(name)) : (await keyring.get(PREFIX + name)) !== undefined;
    },
    async write({ store, name }, keys) {
      const text = textOf(keys);
      if (store === "keyring") await keyring.set(PREFIX + name, text);
      else await sealFile(pathOf(name), name, text, await passphrase(`passphrase of sealed file '${name}'`));
      text.wipe();
    },
    async remove({ store, name }) {
      if (store === "keyring") return keyring.remove(PREFIX + name);
      const there = isSealed(pathOf(name));
      removeFile(pathOf(name));
      return there;
    },
    async inKeyring() {
      const items: KeyringItem[] = await keyring.list();
      return items
        .filter(({ account }) => account.startsWith(PREFIX))
        .map(({ account, accessKeyId }) => ({ name: account.slice(PREFIX.length), accessKeyId }))
        .sort((one, other) => (one.name < other.name ? -1 : 1));
    },
    inFiles() {
      return sealedNames(state);
    },
  };
}

function sealedNames(state: string): string[] {
  let files: string[];
  try {
    files = readdirSync(sealedFolder(state));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter((name) => NAME.test(name))
    .sort();
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
    if (existsSync(dirname(path))) removeUnfinished(path);
  } catch (error) {
    throw new AgentRunError("state-folder", `cannot remove ${path}: ${messageOf(error)}`, { hint: `rm ${path}`, cause: error });
  }
}
