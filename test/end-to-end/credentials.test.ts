// `agent-run credentials` with a real gnome-keyring and the local cloud: keys that are in no file, no argument list, no log and no output, and used by a run.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { spawn } from "@lydell/node-pty";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { openKeyring } from "../../src/credentials/stored/keyring.ts";
import { readKeys } from "../../src/credentials/stored/keys.ts";
import { type Bus, hasKeyring, type KeyringPlace, keyringNeeds, keyringPlace } from "../credentials/keyring-world.ts";
import { iam } from "../localcloud/clients.ts";
import { leaksInFiles, leaksInProcesses, secretsIn } from "./leaks.ts";
import { BIN, makeWorld, type Result, type RunOptions, until, type World } from "./world.ts";

const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
const PASSPHRASE = "correct horse battery staple";

describe.skipIf(!hasKeyring)(`stored keys${hasKeyring ? "" : ` (needs ${keyringNeeds})`}`, () => {
  let world: World;
  let place: KeyringPlace;
  let bus: Bus;
  const said: string[] = [];

  beforeAll(async () => {
    place = keyringPlace();
    bus = await place.unlocked();
    world = await makeWorld();
    world.env["XDG_RUNTIME_DIR"] = bus.env["XDG_RUNTIME_DIR"] ?? "";
    world.env["DBUS_SESSION_BUS_ADDRESS"] = bus.env["DBUS_SESSION_BUS_ADDRESS"] ?? "";
    profile('credentials = "keyring:dev"');
  });
  afterEach(() => {
    said.length = 0;
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
  });

  function profile(line: string): void {
    const text = `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\n${line}\n`;
    writeFileSync(join(world.own, "config", "config.toml"), text);
  }
  const both = (): string => `${world.cloud.admin.accessKeyId}\n${world.cloud.admin.secretAccessKey}\n`;
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Result> => {
    const result = await world.run(args, { ...options, env: { ...NO_KEYS, ...options.env } });
    said.push(result.stdout, result.stderr);
    return result;
  };
  /** Where a secret is that should be nowhere but in the keyring and in memories. */
  const leaks = (): string[] => {
    const known = new Map(world.cloud.issuedSecrets().map((secret) => [secret, "a secret"]));
    return [...leaksInFiles(dirname(world.home), known), ...leaksInProcesses(known, () => undefined), ...secretsIn(said.join(""), known)];
  };

  it("are added from stdin, listed without the secret, used by a run, and leave no trace", async () => {
    const added = await run(["credentials", "add", "dev"], { input: both() });
    expect(added.stderr).toContain(
      `${world.cloud.admin.accessKeyId} of arn:aws:iam::123456789012:user/dev is kept in the keyring item 'dev' (secret service)`,
    );
    expect(added.code).toBe(0);
    const listed = JSON.parse((await run(["credentials", "list", "--json"])).stdout);
    expect(listed.keys).toEqual([{ name: "dev", accessKeyId: world.cloud.admin.accessKeyId, store: "keyring" }]);
    const ran = await run(["sh", "-c", "env"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI=");
    const dry = await run(["--dry-run", "true"]);
    expect(dry.stderr).toContain("you are arn:aws:iam::123456789012:user/dev (keyring item 'dev' (secret service))");
    expect(leaks()).toEqual([]);
  });

  it("are asked for at the terminal, where the secret is not shown", async () => {
    const env = Object.fromEntries(Object.entries(world.env).filter(([name]) => !(name in NO_KEYS)));
    const pty = spawn(process.execPath, [BIN, "credentials", "add", "typed"], { cols: 120, rows: 24, cwd: world.project, env });
    let shown = "";
    pty.onData((text) => {
      shown += text;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await until(() => shown.includes("access key id of typed: "), 15_000, "the first question");
    pty.write(`${world.cloud.admin.accessKeyId}\r`);
    await until(() => shown.includes("not shown): "), 15_000, "the second question");
    pty.write(`${world.cloud.admin.secretAccessKey}\r`);
    expect(await ended).toBe(0);
    said.push(shown);
    expect(shown).toContain(world.cloud.admin.accessKeyId);
    expect(leaks()).toEqual([]);
    expect((await run(["credentials", "remove", "typed"])).code).toBe(0);
  });

  it("are not put in the place of others without a word, and a name that is none is refused", async () => {
    expect(await run(["credentials", "add", "dev"], { input: both() })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("already"),
    });
    expect((await run(["credentials", "add", "../x"], { input: both() })).code).toBe(2);
    expect((await run(["credentials", "add", "dev", "--replace"], { input: `${both()}`.replace(/\n.*/, "\nwrong") })).code).toBe(125);
    expect((await run(["credentials", "add"], { input: both() })).code).toBe(2);
    expect((await run(["credentials", "frobnicate"])).code).toBe(2);
    expect((await run(["true"])).code).toBe(0);
  });

  it("of the profile are those that check, policy lint, policy test and a kill by role ask AWS with, whatever the environment holds", async () => {
    // There already after the tests above; on its own this test brings them.
    const { keys: kept } = JSON.parse((await run(["credentials", "list", "--json"])).stdout) as { keys: { name: string }[] };
    if (!kept.some(({ name }) => name === "dev")) await run(["credentials", "add", "dev"], { input: both() });
    // Who is taken from the environment is refused: nobody works as root.
    const root = world.cloud.keys("root");
    const env = { AWS_ACCESS_KEY_ID: root.accessKeyId, AWS_SECRET_ACCESS_KEY: root.secretAccessKey };
    const role = world.cloud.roleArn();
    const asRoot = { code: 125, stderr: expect.stringContaining("root") };
    const config = join(world.own, "config", "config.toml");
    const keys = 'credentials = "keyring:dev"\n';
    writeFileSync(config, `profile = "demo"\n[profiles.demo]\nrole = "${role}"\n${keys}[profiles.readonly]\nrole = "${role}"\n${keys}`);
    const checked = await world.run(["check", "--json"], { env });
    expect(checked.stdout).toContain("the role as AWS has it");
    expect(checked.stdout).not.toContain("root");
    expect((await world.run(["policy", "lint", role], { env })).stdout).toContain(`inline policy team-access of ${role}: `);
    expect((await world.run(["policy", "test", "readonly", "--live"], { env })).stdout).toContain("IAM agrees: ");
    const session = "sess_0a0a0a0a";
    const killed = await world.run(["kill", session, "--role", role], { env });
    expect(killed).toMatchObject({ code: 0, stdout: expect.stringContaining("deny in place after") });
    // So that whoever removes the deny later signs as the same.
    const stone = JSON.parse(readFileSync(join(world.own, "state", "killed", `${session}.json`), "utf8"));
    expect(stone).toMatchObject({ credentials: "keyring:dev", roles: [role] });
    // An AWS profile on the command line goes before it, here one that is not there.
    for (const words of [
      ["policy", "lint", role],
      ["policy", "test", "readonly", "--live"],
      ["kill", session, "--role", role],
    ])
      expect(await world.run([...words, "--aws-profile", "nobody"], { env }), words.join(" ")).toMatchObject({
        code: 125,
        stderr: expect.stringContaining("nobody"),
      });
    // A profile that has the role goes before the usual one.
    const other = `profile = "demo"\n[profiles.demo]\nrole = "${role}-of-another"\n`;
    writeFileSync(config, `${other}[profiles.readonly]\nrole = "${role}"\n${keys}`);
    expect((await world.run(["policy", "lint", role], { env })).stdout).toContain("inline policy team-access");
    expect(await world.run(["policy", "lint", `${role}-of-another`], { env })).toMatchObject(asRoot);
    // Settings that nobody can read keep nobody from a kill, and that is told.
    writeFileSync(config, "profile = ");
    const broken = await world.run(["kill", session, "--role", role]);
    expect(broken).toMatchObject({ code: 0, stdout: expect.stringContaining("as your profile cannot be read: ") });
    expect((await world.run(["policy", "lint", role])).code).not.toBe(0);
    profile('credentials = "keyring:dev"');
  }, 60_000);

  it("that AWS does not know are not stored", async () => {
    const wrong = both().replace(/(.)\n$/, (_, last: string) => (last === "0" ? "1\n" : "0\n"));
    expect(await run(["credentials", "add", "wrong"], { input: wrong })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("aws rejects the signature"),
    });
    const root = world.cloud.keys("root");
    expect(await run(["credentials", "add", "wrong"], { input: `${root.accessKeyId}\n${root.secretAccessKey}\n` })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("root"),
    });
    expect((await run(["credentials", "list"])).stdout).not.toContain("wrong");
    expect(leaks()).toEqual([]);
  });

  it("come from a profile of ~/.aws/credentials, which stays as it is", async () => {
    const file = join(world.home, ".aws", "credentials");
    mkdirSync(dirname(file), { recursive: true });
    const text = `[old]\naws_access_key_id = ${world.cloud.admin.accessKeyId}\naws_secret_access_key = ${world.cloud.admin.secretAccessKey}\n`;
    writeFileSync(file, text);
    const imported = await run(["credentials", "import", "--from-profile", "old"]);
    expect(imported).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`remove aws_access_key_id and aws_secret_access_key of 'old' from ${file}`),
    });
    expect(readFileSync(file, "utf8")).toBe(text);
    rmSync(dirname(file), { recursive: true });
    profile('credentials = "keyring:old"');
    expect((await run(["true"])).code).toBe(0);
    profile('credentials = "keyring:dev"');
    expect((await run(["credentials", "remove", "old"])).code).toBe(0);
    expect(leaks()).toEqual([]);
  });

  it("come from aws-vault's item in the same keyring", async () => {
    const { accessKeyId, secretAccessKey } = world.cloud.admin;
    const data = Buffer.from(JSON.stringify({ AccessKeyID: accessKeyId, SecretAccessKey: secretAccessKey, CanExpire: false })).toString(
      "base64",
    );
    const item = JSON.stringify({ Key: "vaulted", Data: data, Label: "aws-vault (vaulted)", Description: "aws-vault stored credential" });
    const { spawnSync } = await import("node:child_process");
    const stored = spawnSync("secret-tool", ["store", "--label=vaulted", "profile", "vaulted"], {
      env: { ...process.env, ...bus.env },
      input: item,
    });
    expect(stored.status).toBe(0);
    expect(await run(["credentials", "import", "vaulted", "--from-aws-vault", "vaulted"])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("aws-vault remove vaulted"),
    });
    expect(await run(["credentials", "import", "none", "--from-aws-vault", "none"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("aws-vault keeps no keys of 'none'"),
    });
    expect((await run(["credentials", "remove", "vaulted"])).code).toBe(0);
  });

  it("are rotated while the daemon remembers the old ones, which are gone then", async () => {
    expect((await run(["true"])).code).toBe(0);
    const before = world.cloud.admin.accessKeyId;
    const rotated = await run(["credentials", "rotate", "dev"]);
    expect(rotated).toMatchObject({ code: 0, stderr: expect.stringContaining(`switched off and deleted ${before}`) });
    expect(rotated.stderr).toMatch(/keyring item 'dev' \(secret service\) holds AKIA\w+ now/);
    expect((await run(["true"])).code).toBe(0);
    expect(leaks()).toEqual([]);
  });

  it("are rotated to the end after a SIGKILL between any two of the steps, and what is stored works all the while", async () => {
    const stored = async (): Promise<string> => {
      const text = await openKeyring(bus.env, 20_000).get("keys dev");
      return readKeys(text ?? new Secret(""), "item").accessKeyId;
    };
    const root = iam(world.cloud, world.cloud.keys("root"));
    const active = async (): Promise<(string | undefined)[]> => {
      const { AccessKeyMetadata = [] } = await root.send(new ListAccessKeysCommand({ UserName: "dev" }));
      return AccessKeyMetadata.filter(({ Status }) => Status === "Active").map(({ AccessKeyId }) => AccessKeyId);
    };
    const killedAt = async (operation: string, done: boolean): Promise<void> => {
      const name = operation.split(":")[1];
      const happened = (): number => world.cloud.events().filter((event) => event.name === name).length;
      using _ = world.cloud.switches.fault({ operation, ...(done ? { latencyMs: 300 } : { end: "hang" }) });
      const [calls, before] = [world.cloud.calls(operation), happened()];
      const child = world.start(["credentials", "rotate", "dev"], { env: NO_KEYS });
      const ended = new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)));
      await until(() => world.cloud.calls(operation) > calls, 15_000, operation);
      child.kill("SIGKILL");
      expect(await ended).toBe("SIGKILL");
      if (done) await until(() => happened() > before, 15_000, `${operation} to be done, whose answer nobody got`);
    };
    for (const [operation, done, next] of [
      // The mark is stored, no key is made.
      ["iam:CreateAccessKey", false, /made AKIA.*works.*switched off/s],
      // It is made, and its secret is lost.
      ["iam:CreateAccessKey", true, /deleted AKIA\w+, which a rotation that was cut off had made.*made AKIA.*works.*switched off/s],
      // It is stored beside the old one.
      ["sts:GetCallerIdentity", false, /^(?!.*made).*works.*switched off/s],
      // It is taken, and the old one is off.
      ["iam:UpdateAccessKey", true, /^(?!.*(made|works)).*switched off/s],
      // The old one is deleted, and still noted.
      ["iam:DeleteAccessKey", true, /^(?!.*(made|works)).*switched off/s],
    ] as const) {
      const step = `${operation}, ${done ? "done" : "not done"}`;
      await killedAt(operation, done);
      expect(await active(), step).toContain(await stored());
      expect(await run(["credentials", "rotate", "dev"]), step).toMatchObject({ code: 0, stderr: expect.stringMatching(next) });
      expect(await active(), step).toEqual([await stored()]);
    }
    expect((await run(["true"])).code).toBe(0);
    expect(leaks()).toEqual([]);
  }, 90_000);

  it("in a sealed file are opened with a passphrase at the terminal, once, and the agent never sees the question", async () => {
    const { accessKeyId, secretAccessKey } = world.cloud.keys("dev");
    const env = Object.fromEntries(
      Object.entries({ ...world.env, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" }).filter(([name]) => !(name in NO_KEYS)),
    );
    const at = async (
      args: string[],
      talk: readonly (readonly [wait: string, answer: string])[],
    ): Promise<{ code: number; shown: string }> => {
      const pty = spawn(process.execPath, [BIN, ...args], { cols: 120, rows: 24, cwd: world.project, env });
      let shown = "";
      pty.onData((text) => {
        shown += text;
      });
      const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
      for (const [wait, answer] of talk) {
        await until(() => shown.includes(wait), 15_000, `${wait} in ${shown}`);
        shown = shown.replaceAll(wait, "");
        pty.write(`${answer}\r`);
      }
      const code = await ended;
      said.push(shown);
      return { code, shown };
    };
    const questions = [
      ["characters at least: ", PASSPHRASE],
      ["the same again: ", PASSPHRASE],
      ["access key id of box: ", accessKeyId],
      ["not shown): ", secretAccessKey],
    ] as const;
    expect(await at(["credentials", "add", "box", "--store", "file"], questions)).toMatchObject({ code: 0 });
    expect((await at(["credentials", "add", "other", "--store", "file"], [["characters at least: ", "short"]])).code).toBe(2);
    profile('credentials = "file:box"');
    const asked = "passphrase of sealed file 'box': ";
    expect((await at(["true"], [[asked, "not this one"]])).code).toBe(125);
    expect(await at(["true"], [[asked, PASSPHRASE]])).toMatchObject({ code: 0 });
    // The daemon has it unlocked now.
    expect(await at(["true"], [])).toMatchObject({ code: 0 });
    expect(said.join("")).not.toContain(PASSPHRASE);
    expect(leaks()).toEqual([]);
    await run(["daemon", "stop"]);
    // On pipes nobody can be asked.
    expect(await run(["true"])).toMatchObject({ code: 125, stderr: expect.stringContaining("no terminal to ask") });
    profile('credentials = "keyring:dev"');
    expect((await run(["credentials", "remove", "box"])).code).toBe(0);
  });

  it("that are garbage, or not there, start nothing and are not quoted", async () => {
    await openKeyring(bus.env, 20_000).set(
      "keys junk",
      new Secret(`{"version":1,"secretAccessKey":"${world.cloud.admin.secretAccessKey}"`),
    );
    profile('credentials = "keyring:junk"');
    expect(await run(["true"])).toMatchObject({ code: 125, stderr: expect.stringContaining("does not hold what agent-run stores") });
    profile('credentials = "keyring:nobody"');
    expect(await run(["true"])).toMatchObject({ code: 125, stderr: expect.stringContaining("there is no keyring item 'nobody'") });
    profile('credentials = "keyring:dev"');
    expect(leaks()).toEqual([]);
  });

  it("of a keyring that is absent or hangs start nothing: no other source is taken, and it takes seconds", async () => {
    const absent = (await place.absent()).env["DBUS_SESSION_BUS_ADDRESS"];
    const silent = (await place.silent()).env["DBUS_SESSION_BUS_ADDRESS"];
    for (const [address, words] of [
      [absent, "no program on this D-Bus provides one"],
      [silent, /did not answer within 3 s|does not answer/],
      [undefined, /no D-Bus session|no program on this D-Bus/],
    ] as const) {
      const env = { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: undefined };
      // Keys of the environment are there, and are not what was asked for.
      const asked = [["true"], ["doctor", "--offline"], ["credentials", "list"]].map((args) => world.run(args, { env }));
      const [result, doctor, listed] = await Promise.all(asked);
      expect(result?.code).toBe(125);
      expect(result?.stderr).toMatch(words);
      expect(doctor?.stdout).toMatch(/✗ keyring: the secret service /);
      expect(listed).toMatchObject({ code: 1, stderr: expect.stringMatching(words) });
    }
  });
});
