// A sign-in at Identity Center that is over while the agent runs: the bar says so, a key opens the way to sign in by a code over the agent, and the session goes on.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IdentityCenter, identityCenter } from "../credentials/identity-center.ts";
import { roleCredentialsOf } from "../localcloud/clients.ts";
import { type Human, sitDown } from "./human.ts";
import { BIN, FIXTURES, has, makeWorld, until, type World } from "./world.ts";

const usable = has("bash") && process.platform === "linux";

describe.skipIf(!usable)(`a sign-in that is over while the agent runs${usable ? "" : " (needs Linux and bash)"}`, () => {
  let world: World;
  let center: IdentityCenter;
  beforeAll(async () => {
    center = await identityCenter(0.2);
    world = await makeWorld();
    center.roleCredentials = () => roleCredentialsOf(world.cloud);
    // Without a keyring: the daemon's memory holds it.
    Object.assign(world.env, center.env, { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" });
    delete world.env["AWS_ACCESS_KEY_ID"];
    delete world.env["AWS_SECRET_ACCESS_KEY"];
    writeFileSync(
      join(world.own, "config", "config.toml"),
      `profile = "demo"\n[sso.acme]\nstart_url = "${center.startUrl}"\nregion = "eu-central-1"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\n` +
        'isolation.level = "none"\ncredentials = "sso:acme/123456789012/Developer"\n',
    );
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await center?.[Symbol.asyncDispose]();
  });

  const shows = (human: Human, text: string | RegExp, limitMs = 20_000): Promise<void> =>
    until(
      async () => {
        const screen = (await human.screen()).join("\n");
        return typeof text === "string" ? screen.includes(text) : text.test(screen);
      },
      limitMs,
      `${text} on the screen`,
    );
  const lacks = (human: Human, text: string): Promise<void> =>
    until(async () => !(await human.screen()).join("\n").includes(text), 20_000, `${text} to go`);

  it("is told on the bar and made anew with a code, which the agent does not notice", async () => {
    center.answer = "confirm";
    expect((await world.run(["login", "--device"])).code).toBe(0);
    world.cloud.switches.apply({ credentialSeconds: 4 });
    await using human = await sitDown(world.env, world.project, { cols: 180, rows: 24 });
    human.type(`${process.execPath} ${BIN} node ${join(FIXTURES, "prints-bytes.mjs")}\r`);
    await shows(human, "ready");
    // An administrator ends it.
    center.tokens.clear();
    center.refreshTokens.clear();
    center.answer = undefined;
    await shows(human, "sign in again: Ctrl-K, s", 30_000);
    const ask = async (): Promise<void> => {
      human.type("\x0b");
      await shows(human, /s +sign in again/);
      // Keys count half a second after a question came up.
      await shows(human, "press a key:");
      human.type("s");
      await shows(human, "and confirm the code  ABCD-EFGH");
      await shows(human, `${center.url}/device?user_code=ABCD-EFGH`);
    };
    await ask();
    await shows(human, "press a key:");
    human.type("\x1b");
    await lacks(human, "ABCD-EFGH");
    await shows(human, "not signed in: the sign-in was given up");
    await ask();
    world.cloud.switches.apply({ credentialSeconds: null });
    center.answer = "confirm";
    await lacks(human, "ABCD-EFGH");
    await shows(human, "signed in: the session goes on");
    await lacks(human, "sign in again");
    human.type("q");
    await shows(human, "<71>");
    await until(async () => (await human.prompt())?.status === 0, 20_000, "the end");
    // Of all that was typed the agent had only its own key.
    expect(human.raw()).not.toMatch(/<0b>|<73>|<1b>/);
  });
});
