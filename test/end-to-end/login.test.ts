// `agent-run login` and `logout` with a stand-in for Identity Center, a real gnome-keyring and the local cloud: a run starts from the session that is kept,
// ~/.aws stays as it is, and no token is in any file, argument or output.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type IdentityCenter, identityCenter } from "../credentials/identity-center.ts";
import { type Bus, hasKeyring, type KeyringPlace, keyringNeeds, keyringPlace } from "../credentials/keyring-world.ts";
import { roleCredentialsOf } from "../localcloud/clients.ts";
import { openOuter } from "../terminal/outer.ts";
import { leaksInFiles, leaksInProcesses, secretsIn } from "./leaks.ts";
import { BIN, has, makeWorld, type Result, type RunOptions, until, type World } from "./world.ts";

const usable = hasKeyring && has("curl");

describe.skipIf(!usable)(`agent-run login${usable ? "" : ` (needs curl, ${keyringNeeds})`}`, () => {
  let world: World;
  let center: IdentityCenter;
  let place: KeyringPlace;
  let bus: Bus;
  const said: string[] = [];

  beforeAll(async () => {
    place = keyringPlace();
    bus = await place.unlocked();
    center = await identityCenter();
    world = await makeWorld();
    center.roleCredentials = () => roleCredentialsOf(world.cloud);
    Object.assign(world.env, center.env, {
      XDG_RUNTIME_DIR: bus.env["XDG_RUNTIME_DIR"],
      DBUS_SESSION_BUS_ADDRESS: bus.env["DBUS_SESSION_BUS_ADDRESS"],
      // A browser that goes where it is sent, and says nothing.
      BROWSER: "curl --silent --location --output /dev/null",
    });
    mkdirSync(join(world.home, ".aws"));
    writeFileSync(
      join(world.home, ".aws", "config"),
      `[profile dev]\nsso_start_url = ${center.startUrl}\nsso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = Developer\n`,
    );
    writeFileSync(
      join(world.own, "config", "config.toml"),
      `profile = "demo"\n[sso.acme]\nstart_url = "${center.startUrl}"\nregion = "eu-central-1"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\n` +
        'isolation.level = "none"\ncredentials = "sso:acme/123456789012/Developer"\n',
    );
  });
  afterEach(async () => {
    center.answer = "confirm";
    await run(["logout", "--all"]);
    said.length = 0;
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await center?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
  });

  const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Result> => {
    const result = await world.run(args, { ...options, env: { ...NO_KEYS, ...options.env } });
    said.push(result.stdout, result.stderr);
    return result;
  };
  const leaks = (): string[] => {
    const known = new Map([...center.secrets(), ...world.cloud.issuedSecrets()].map((secret) => [secret, "a secret"]));
    return [...leaksInFiles(dirname(world.home), known), ...leaksInProcesses(known, () => undefined), ...secretsIn(said.join(""), known)];
  };
  const awsFiles = (): string[] => readdirSync(join(world.home, ".aws"), { recursive: true, encoding: "utf8" }).sort();

  it("signs in with the browser, a run starts from it, and logout ends it", async () => {
    expect(await run(["true"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(`agent-run login --start-url ${center.startUrl} --sso-region eu-central-1`),
    });
    const login = await run(["login"]);
    expect(login).toMatchObject({ code: 0, stderr: expect.stringContaining("kept in the keyring (secret service)") });
    expect(login.stderr).toContain(`${center.url}/authorize?`);
    const dry = await run(["--dry-run", "true"]);
    expect(dry.stderr).toContain("(SSO role Developer in 123456789012, signed in by agent-run)");
    expect((await run(["true"])).code).toBe(0);
    expect((await run(["--aws-profile", "dev", "true"])).code).toBe(0);
    const doctor = await run(["doctor"]);
    expect(doctor.stdout).toMatch(/keyring: the secret service answers; 1 item of agent-run/);
    expect(doctor.stdout).toContain(`sign-in: signed in at ${center.startUrl}, kept in the secret service`);
    expect(doctor.stdout).toContain("(SSO role Developer in 123456789012, signed in by agent-run)");
    expect(await run(["login"])).toMatchObject({ code: 0, stderr: expect.stringContaining("already") });
    expect(leaks()).toEqual([]);
    const alive = center.tokens.size;
    expect(await run(["logout"])).toMatchObject({ code: 0, stderr: expect.stringContaining(`signed out at ${center.startUrl}`) });
    expect(center.tokens.size).toBe(alive - 1);
    expect((await run(["true"])).code).toBe(125);
    expect((await run(["logout", "acme"])).code).toBe(1);
    expect(awsFiles()).toEqual(["config"]);
    expect(leaks()).toEqual([]);
  });

  it("lists the accounts and roles to choose from", async () => {
    const listed = await run(["login", "acme", "--list"]);
    expect(listed.stdout).toMatch(/acme dev +123456789012 +Developer +sso:acme\/123456789012\/Developer/);
    expect(listed.stdout).toMatch(/Developer .*\n.* ReadOnly .*\nacme prod�\[31m +210987654321/);
    expect(listed.stdout).not.toContain("\x1b");
    expect(JSON.parse((await run(["login", "--list", "--json"])).stdout)).toHaveLength(3);
  });

  it("lets the human choose one at the terminal where the profile starts from elsewhere, and prints what makes a run start from it", async () => {
    const config = join(world.own, "config", "config.toml");
    const before = readFileSync(config, "utf8");
    const env = Object.fromEntries(Object.entries(world.env).filter(([name]) => !(name in NO_KEYS)));
    const args = ["login", "--start-url", center.startUrl, "--sso-region", "eu-central-1"];
    const without = `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\n`;
    const sso = `[sso.acme]\nstart_url = "${center.startUrl}"\nregion = "eu-central-1"\n`;
    // One does already, the usual or another; or an AWS profile, which has its role, was named: nothing is asked.
    for (const [text, words] of [
      [before, args],
      [`${without}${sso}[profiles.readonly]\ncredentials = "sso:acme/123456789012/ReadOnly"\n`, args],
      [without, ["login", "--aws-profile", "dev"]],
    ] as const) {
      writeFileSync(config, text);
      await using outer = openOuter(BIN, words, { cols: 120, env });
      expect(await outer.exited).toEqual({ code: 0 });
      expect(outer.screen.rows().join("\n")).not.toContain("number of the role");
    }
    writeFileSync(config, without);
    for (const [answers, words] of [
      [["\r"], /\(Enter: none\): *$/],
      [["\u0003"], /no role was chosen: cancelled/],
      [["9\r", "1\r"], /'9' is none of 1 to 3/],
    ] as const) {
      await using outer = openOuter(BIN, args, { cols: 120, env });
      for (const [index, answer] of answers.entries()) {
        const asked = (): number => outer.received().split("(Enter: none)").length - 1;
        await outer.until("the question", () => asked() > index, 15_000);
        outer.type(answer);
      }
      expect(await outer.exited).toEqual({ code: 0 });
      const shown = outer.screen.rows().join("\n").trimEnd();
      said.push(outer.received());
      expect(shown).toMatch(/^1 +acme dev +123456789012 +Developer *$/m);
      expect(shown).toMatch(words);
      expect(readFileSync(config, "utf8")).toBe(without);
      const lines = /^\[sso\.acme\]\n.*?^credentials = .*?$/ms.exec(shown.replace(/ +$/gm, ""))?.[0];
      expect(lines === undefined).toBe(answers.length < 2);
      if (lines === undefined) continue;
      // As a human puts them in: what has a heading already goes under it.
      const [section = "", line = ""] = lines.split("[profiles.demo]\n");
      writeFileSync(config, `${without}${line}\n${section}`);
      const dry = await run(["--dry-run", "true"]);
      expect(dry.stderr).toContain("(SSO role Developer in 123456789012, signed in by agent-run)");
    }
    writeFileSync(config, before);
    expect(leaks()).toEqual([]);
  });

  it("takes a code where no browser is: with --device, over ssh, without a display", async () => {
    for (const [args, env] of [
      [["--device"], {}],
      [[], { BROWSER: undefined, DISPLAY: undefined, WAYLAND_DISPLAY: undefined }],
      [[], { BROWSER: undefined, DISPLAY: ":0", SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" }],
    ] as const) {
      const login = await run(["login", "--force", ...args], { env });
      expect(login.stderr).toContain(`open ${center.url}/device?user_code=ABCD-EFGH`);
      expect(login.stderr).toContain("confirm the code ABCD-EFGH");
      expect(login.code).toBe(0);
    }
    expect(leaks()).toEqual([]);
  });

  it("without a keyring keeps it in the daemon's memory, says so, and a run starts from it", async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" };
    const login = await run(["login"], { env });
    expect(login).toMatchObject({ code: 0, stderr: expect.stringContaining("kept in the daemon's memory only") });
    expect(login.stderr).toContain("warning: it cannot be kept in the keyring: the secret service cannot be reached");
    expect((await run(["true"], { env })).code).toBe(0);
    expect((await run(["doctor"], { env })).stdout).toContain("in the daemon's memory only");
    expect(existsSync(join(world.own, "state", "sso")) && readdirSync(join(world.own, "state", "sso")).length > 0).toBe(false);
    expect(leaks()).toEqual([]);
    const alive = center.tokens.size;
    expect(await run(["logout"], { env })).toMatchObject({ code: 0 });
    expect(center.tokens.size).toBe(alive - 1);
    expect((await run(["true"], { env })).code).toBe(125);
  });

  it("that is kept in the keyring takes the place of one in the daemon's memory alone", async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" };
    expect((await run(["login"], { env })).stderr).toContain("kept in the daemon's memory only");
    expect((await run(["true"], { env })).code).toBe(0);
    const inMemory = async (): Promise<unknown> => JSON.parse((await run(["daemon", "status", "--json"])).stdout).signIns;
    expect(await inMemory()).toEqual([center.startUrl]);
    expect((await run(["login"])).stderr).toContain("kept in the keyring");
    expect(await inMemory()).toEqual([]);
    // It is the new one that a run starts from: without the keyring there is none.
    expect((await run(["true"])).code).toBe(0);
    expect((await run(["doctor"])).stdout).toContain(`signed in at ${center.startUrl}, kept in the`);
  });

  it("with a state folder that cannot be written keeps it in memory, and leaves nothing in the keyring", async () => {
    const folder = join(world.own, "state", "sso");
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(folder, "in the way");
    const login = await run(["login"]);
    expect(login).toMatchObject({ code: 0, stderr: expect.stringContaining("daemon's memory only") });
    expect((await run(["true"])).code).toBe(0);
    expect(readFileSync(folder, "utf8")).toBe("in the way");
    rmSync(folder);
    const { openKeyring } = await import("../../src/credentials/stored/keyring.ts");
    expect(await openKeyring(bus.env, 20_000).get(`sso ${center.startUrl}`)).toBeUndefined();
  });

  it("that is refused, or interrupted, keeps nothing", async () => {
    center.answer = "refuse";
    expect(await run(["login"])).toMatchObject({ code: 125, stderr: expect.stringContaining("refused in the browser") });
    expect((await run(["login", "--device"])).code).toBe(125);
    center.answer = undefined;
    const child = world.start(["login", "--device"], { env: NO_KEYS });
    let output = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const ended = new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)));
    await until(() => output.includes("confirm the code"), 15_000, "the code");
    child.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
    center.answer = "confirm";
    expect((await run(["true"])).code).toBe(125);
    expect(leaks()).toEqual([]);
  });

  it("by two at the same time gives one session that works", async () => {
    const both = await Promise.all([run(["login", "--force"]), run(["login", "--force"])]);
    expect(both.map(({ code, stderr }) => (code === 0 ? "signed in" : stderr))).toEqual(["signed in", "signed in"]);
    expect((await run(["true"])).code).toBe(0);
  });

  it("is kept though the daemon does not answer, which is told", async () => {
    await run(["daemon", "stop"]);
    const silent = createServer((socket) => void socket.resume());
    await new Promise<void>((listening) => silent.listen(join(world.own, "run", "control.sock"), listening));
    try {
      const login = await run(["login", "--force"]);
      expect(login).toMatchObject({ code: 0, stderr: expect.stringContaining("kept in the keyring (secret service)") });
      expect(login.stderr).toContain("warning: the daemon may go on with what it knew before");
    } finally {
      await new Promise((closed) => silent.close(closed));
    }
    expect((await run(["true"])).code).toBe(0);
  });

  it("says where it could sign in when that is not clear, and refuses what is no place", async () => {
    expect(await run(["login", "acmee"])).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'acme'?") });
    expect((await run(["login", "--start-url", center.startUrl])).code).toBe(2);
    expect((await run(["login", "--start-url", "ftp://x", "--sso-region", "eu-west-1"])).code).toBe(2);
    expect((await run(["login", "--start-url", center.startUrl, "--sso-region", "evil.example/"])).code).toBe(125);
    expect((await run(["login", "--aws-profile", "nobody"])).code).toBe(125);
  });
});
