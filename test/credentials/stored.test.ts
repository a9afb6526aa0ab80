// Stored keys: what an item may hold, sealed files and what can be done to them, and rotation cut off at every step against the local cloud.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { CreateAccessKeyCommand, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { keyPair, readKeys, type StoredKeys, textOf } from "../../src/credentials/stored/keys.ts";
import { rotate } from "../../src/credentials/stored/rotate.ts";
import { type FileKey, fits, openFile, sealFile, unlock } from "../../src/credentials/stored/sealed-file.ts";
import { openStores, parseReference, type Reference, sealedFolder } from "../../src/credentials/stored/stores.ts";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { iam } from "../localcloud/clients.ts";

const ID = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const PASSPHRASE = new Secret("correct horse battery staple");

describe("a stored text", () => {
  it("gives what was put in", () => {
    const keys: StoredKeys = {
      ...keyPair(ID, SECRET, "here"),
      arn: "arn:aws:iam::123456789012:user/dev",
      previous: "AKIAOLD",
      rotating: { at: 5, keys: [ID] },
      next: keyPair(ID.replace("7", "8"), SECRET, "here"),
    };
    const read = readKeys(textOf(keys), "item");
    expect(read).toEqual(keys);
    expect(read.secretAccessKey.reveal()).toBe(SECRET);
    expect(read.next?.secretAccessKey.reveal()).toBe(SECRET);
    expect(inspect(read, { depth: 9 }) + JSON.stringify(read)).not.toContain(SECRET);
  });

  it.each([
    "",
    "garbage",
    "null",
    "[]",
    "42",
    '{"version":1}',
    `{"version":2,"accessKeyId":"${ID}","secretAccessKey":"${SECRET}"}`,
    `{"version":1,"accessKeyId":"${ID}","secretAccessKey":7}`,
    `{"version":1,"accessKeyId":"x","secretAccessKey":"${SECRET}"}`,
    `{"version":1,"accessKeyId":"${ID}","secretAccessKey":"${SECRET}","next":{}}`,
    "\0".repeat(9),
  ])("that is %j is told without quoting it", (text) => {
    let thrown: unknown;
    try {
      readKeys(new Secret(text), "keyring item 'dev'");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "base-credentials", message: "keyring item 'dev' does not hold what agent-run stores there" });
    expect(inspect(thrown)).not.toContain(SECRET);
  });
});

describe("a key pair that somebody typed", () => {
  it.each([
    ["temporary", ID.replace("AKIA", "ASIA"), SECRET],
    ["swapped", SECRET, ID],
    ["cut", ID, SECRET.slice(0, 9)],
    ["empty", "", ""],
    ["of two words", ID, "wJalrXUtnFEMI K7MDENG bPxRfiCYEXAMPLEKEY"],
  ])("is refused when it is %s, without quoting it", (_what, id, secret) => {
    expect(() => keyPair(id, secret, "stdin")).toThrow(AgentRunError);
    try {
      keyPair(id, secret, "stdin");
    } catch (error) {
      for (const part of [id, secret].filter((text) => text !== "")) expect(inspect(error).split("\n    at ")[0]).not.toContain(part);
    }
  });
});

describe("a reference", () => {
  it.each(["keyring:dev", "file:a.b@c+d-e_f"])("such as %s is one", (text) => {
    expect(parseReference(text)).toEqual({ store: text.split(":")[0], name: text.split(":")[1] });
  });
  it.each(["dev", "keyring:", "vault:dev", "file:../x", "file:.x", "keyring:a:b", "keyring:a b", `keyring:${"x".repeat(65)}`])(
    "such as %s is none",
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );
});

describe("a sealed file", () => {
  let folder: string;
  let path: string;
  // One file for all, and its key: each of the two takes as long as a guess is to take. A test has a copy, and derives a key where that is what it is about.
  let sealed: string;
  let key: FileKey;
  beforeAll(async () => {
    sealed = mkdtempSync(join(tmpdir(), "ar-sealed-once-"));
    const once = join(sealed, "own", "dev.sealed");
    await sealFile(once, "dev", new Secret(SECRET), PASSPHRASE);
    key = await unlock(once, PASSPHRASE);
  });
  afterAll(() => rmSync(sealed, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ar-sealed-"));
    path = join(folder, "own", "dev.sealed");
    mkdirSync(join(folder, "own"), { mode: 0o700 });
    copyFileSync(join(sealed, "own", "dev.sealed"), path);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const text = (): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"));
  const change = (more: Record<string, unknown>): void => writeFileSync(path, JSON.stringify({ ...text(), ...more }));
  const open = async (name = "dev", passphrase = PASSPHRASE): Promise<string> =>
    openFile(path, name, await unlock(path, passphrase)).reveal();
  const openWith = (known: FileKey, name = "dev"): string => openFile(path, name, known).reveal();
  const told = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return error;
    }
  };

  it("opens with its passphrase, is for its owner alone, and holds nothing readable", async () => {
    expect(openWith(key)).toBe(SECRET);
    // Of the first, which nobody copied.
    expect(statSync(join(sealed, "own", "dev.sealed")).mode & 0o777).toBe(0o600);
    expect(statSync(join(sealed, "own")).mode & 0o777).toBe(0o700);
    const bytes = readFileSync(path, "latin1");
    for (const part of [SECRET, ID, PASSPHRASE.reveal(), Buffer.from(SECRET).toString("base64").slice(0, 30)])
      expect(bytes).not.toContain(part);
    expect(readdirSync(join(sealed, "own"))).toEqual(["dev.sealed"]);
  });

  it("has another salt and another text each time", async () => {
    const before = text();
    await sealFile(path, "dev", new Secret(SECRET), PASSPHRASE);
    for (const part of ["salt", "iv", "tag", "data"]) expect(text()[part]).not.toBe(before[part]);
  });

  it("does not open with another passphrase, or under another name", async () => {
    await expect(open("dev", new Secret("correct horse battery stapler"))).rejects.toMatchObject({
      code: "base-credentials",
      message: expect.stringContaining("does not open"),
    });
    expect(told(() => openWith(key, "prod"))).toMatchObject({ code: "base-credentials" });
  });

  it("takes a passphrase in whatever form the keyboard composes it", async () => {
    await sealFile(path, "dev", new Secret(SECRET), new Secret("sch\u00f6ne gr\u00fc\u00dfe"));
    expect(await open("dev", new Secret("scho\u0308ne gru\u0308\u00dfe"))).toBe(SECRET);
  });

  it.each(["salt", "iv", "tag", "data"])("does not open when one bit of its %s was changed", async (part) => {
    const bytes = Buffer.from(String(text()[part]), "base64");
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    change({ [part]: bytes.toString("base64") });
    if (part === "salt") expect(fits(path, key)).toBe(false);
    const known = part === "salt" ? await unlock(path, PASSPHRASE) : key;
    expect(told(() => openWith(known))).toMatchObject({ code: "base-credentials", message: expect.stringContaining("does not open") });
  });

  it.each([
    ["a shorter tag", { tag: Buffer.alloc(4).toString("base64") }],
    ["cheaper work", { kdf: { name: "scrypt", N: 2, r: 8, p: 1 } }],
    ["work that never ends", { kdf: { name: "scrypt", N: 2 ** 30, r: 8, p: 1 } }],
    ["another version", { version: 2 }],
    ["no parts", { salt: null, iv: null, tag: null, data: null }],
  ])("with %s is none", async (_what, more) => {
    change(more);
    await expect(open()).rejects.toMatchObject({ code: "base-credentials", message: expect.stringContaining("no sealed file") });
  });

  it("that is open to others, a link, cut or absent is not read", async () => {
    chmodSync(path, 0o640);
    await expect(open()).rejects.toMatchObject({ hint: `chmod 600 ${path}` });
    chmodSync(path, 0o600);
    renameSync(path, `${path}.real`);
    symlinkSync(`${path}.real`, path);
    await expect(open()).rejects.toMatchObject({ code: "base-credentials" });
    rmSync(path);
    await expect(open()).rejects.toMatchObject({ code: "base-credentials", message: expect.stringContaining("cannot be read") });
    writeFileSync(path, readFileSync(`${path}.real`, "utf8").slice(0, 99), { mode: 0o600 });
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining("no sealed file") });
  });

  it("in a folder that cannot be written is told, and what was there stays", async () => {
    writeFileSync(join(folder, "plain"), "");
    await expect(sealFile(join(folder, "plain", "dev.sealed"), "dev", new Secret(SECRET), PASSPHRASE)).rejects.toMatchObject({
      code: "state-folder",
    });
    expect(openWith(key)).toBe(SECRET);
  });

  it("whose writer is killed on the way is as it was, and what the writer left goes with the next write", async () => {
    const module = (file: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, "../..", file)).href);
    const program =
      `import fs from "node:fs";import { syncBuiltinESMExports } from "node:module";import { sealFile } from ${module("src/credentials/stored/sealed-file.ts")};` +
      `import { Secret } from ${module("src/core/secret.ts")};fs.fsyncSync = () => process.kill(process.pid, "SIGKILL");syncBuiltinESMExports();` +
      `await sealFile(${JSON.stringify(path)}, "dev", new Secret("another"), new Secret("correct horse battery staple"));`;
    const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", program]);
    expect(signal).toBe("SIGKILL");
    expect(readdirSync(dirname(path)).filter((name) => name !== "dev.sealed")).toEqual([expect.stringMatching(/^dev\.sealed\.\d+\.new$/)]);
    expect(openWith(key)).toBe(SECRET);
    writeFileSync(`${path}.${process.ppid}.new`, "of one that lives");
    await sealFile(path, "dev", new Secret(SECRET), PASSPHRASE);
    expect(readdirSync(dirname(path)).sort()).toEqual(["dev.sealed", `dev.sealed.${process.ppid}.new`]);
  });

  it("is asked for once a process, and again when it was sealed anew", async () => {
    const asked: string[] = [];
    const unlocking = {
      keys: new Map(),
      passphrase: async (prompt: string) => {
        asked.push(prompt);
        return PASSPHRASE.reveal();
      },
    };
    const at: Reference = { store: "file", name: "dev" };
    const stores = openStores({}, folder, unlocking);
    expect(await stores.has(at)).toBe(false);
    await stores.write(at, keyPair(ID, SECRET, "here"));
    asked.length = 0;
    for (let count = 0; count < 3; count += 1) expect((await stores.read(at)).accessKeyId).toBe(ID);
    expect(asked).toEqual(["passphrase of sealed file 'dev'"]);
    await sealFile(join(sealedFolder(folder), "dev.sealed"), "dev", textOf(keyPair(ID.replace("7", "8"), SECRET, "here")), PASSPHRASE);
    expect((await stores.read(at)).accessKeyId).toBe(ID.replace("7", "8"));
    expect(asked).toHaveLength(2);
    expect(stores.inFiles()).toEqual(["dev"]);
    expect(await stores.remove(at)).toBe(true);
    expect(await stores.remove(at)).toBe(false);
    await expect(stores.read(at)).rejects.toMatchObject({ code: "base-credentials", message: "there is no sealed file 'dev'" });
  });
});

describe("a rotation", () => {
  let cloud: LocalCloud;
  let stored: StoredKeys;
  let said: string[];
  beforeEach(async () => {
    cloud = await startLocalCloud();
    stored = keyPair(cloud.admin.accessKeyId, cloud.admin.secretAccessKey, "seed");
    said = [];
  });
  afterEach(async () => {
    await cloud[Symbol.asyncDispose]();
  });

  /** As an item of a store would be: a text. */
  const keep = (keys: StoredKeys): void => {
    stored = readKeys(textOf(keys), "item");
  };
  const run = (write = keep): Promise<StoredKeys> =>
    rotate({
      read: async () => stored,
      write: async (keys) => write(keys),
      connection: { region: cloud.region, endpointUrl: cloud.url, env: {} },
      say: (text) => said.push(text),
      patienceMs: 1000,
    });
  const keysAtAws = async (): Promise<string[]> => {
    const root = iam(cloud, cloud.keys("root"));
    const { AccessKeyMetadata = [] } = await root.send(new ListAccessKeysCommand({ UserName: "dev" }));
    return AccessKeyMetadata.map(({ AccessKeyId = "" }) => AccessKeyId);
  };

  it("makes a new key, uses it, and deletes the old one", async () => {
    const old = stored;
    const done = await run();
    expect(done.accessKeyId).not.toBe(old.accessKeyId);
    expect(stored).toEqual(done);
    expect(stored).toMatchObject({ arn: "arn:aws:iam::123456789012:user/dev", next: undefined, previous: undefined, rotating: undefined });
    expect(await keysAtAws()).toEqual([done.accessKeyId]);
    expect(said.join("\n")).not.toContain(done.secretAccessKey.reveal());
    expect(cloud.calls("iam:UpdateAccessKey")).toBe(1);
  });

  it("can be cut off at every write, before and after it, and the next one ends it; what is stored always works", async () => {
    // mark, next, taken, clean
    for (const at of [0, 1, 2, 3]) {
      for (const when of ["before", "after"] as const) {
        let count = 0;
        const cut = run((keys) => {
          const now = count++ === at;
          if (now && when === "before") throw new Error("cut off");
          stored = readKeys(textOf(keys), "item");
          if (now) throw new Error("cut off");
        });
        await expect(cut, `${when} write ${at}`).rejects.toThrow("cut off");
        expect(await keysAtAws()).toContain(stored.accessKeyId);
        const done = await run();
        expect(await keysAtAws(), `${when} write ${at}`).toEqual([done.accessKeyId]);
        expect(stored.accessKeyId).toBe(done.accessKeyId);
      }
    }
  }, 60_000);

  it.each(["iam:ListAccessKeys", "iam:CreateAccessKey", "sts:GetCallerIdentity", "iam:UpdateAccessKey", "iam:DeleteAccessKey"])(
    "that %s refuses leaves keys that work, and goes on later",
    async (operation) => {
      {
        using _ = cloud.switches.fault({ operation, error: { code: "AccessDenied", status: 403, message: "no" } });
        await expect(run()).rejects.toBeInstanceOf(AgentRunError);
      }
      expect(await keysAtAws()).toContain(stored.accessKeyId);
      const done = await run();
      expect(await keysAtAws()).toEqual([done.accessKeyId]);
    },
  );

  it("leaves a second key of the user alone, whoever made it", async () => {
    const { AccessKey } = await iam(cloud, cloud.keys("root")).send(new CreateAccessKeyCommand({ UserName: "dev" }));
    const other = { accessKeyId: AccessKey?.AccessKeyId ?? "" };
    await expect(run()).rejects.toMatchObject({ code: "base-credentials", message: expect.stringContaining(other.accessKeyId) });
    expect((await keysAtAws()).sort()).toEqual([stored.accessKeyId, other.accessKeyId].sort());
    // Also where a rotation had begun long ago.
    stored = { ...stored, rotating: { at: Date.now() - 3_600_000, keys: [stored.accessKeyId] } };
    await expect(run()).rejects.toMatchObject({ message: expect.stringContaining(other.accessKeyId) });
    expect(await keysAtAws()).toContain(other.accessKeyId);
  });

  it("takes no key of somebody else for the new one", async () => {
    stored = { ...stored, arn: "arn:aws:iam::123456789012:user/somebody" };
    await expect(run()).rejects.toMatchObject({ code: "identity" });
  });
});
