// Where an MFA code is asked for: at a launch in a terminal that is too plain for a bar, and by a command that acts as the human, which says why.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_ACCOUNT } from "../../src/localcloud/seed.ts";
import { sitDown } from "./human.ts";
import { BIN, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const DEVICE = `arn:aws:iam::${DEMO_ACCOUNT}:mfa/dev`;
const size = { cols: 200, rows: 24 };

let world: World;
beforeAll(async () => {
  const level = hasBubblewrap ? "standard" : "none";
  world = await makeWorld();
  writeFileSync(
    join(world.own, "config", "config.toml"),
    `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nmfa_serial = "${DEVICE}"\nisolation.level = "${level}"\n`,
  );
});
afterAll(async () => await world[Symbol.asyncDispose]());

it("a launch asks for it with TERM=dumb, before there is an agent, and the next one asks for none", async () => {
  await using human = await sitDown({ ...world.env, TERM: "dumb" }, world.project, size);
  human.type(`${process.execPath} ${BIN} sh -c 'echo as-$AGENT_RUN_PROFILE; read line; echo got-$line'\r`);
  await until(async () => (await human.screen()).some((row) => row.endsWith(`MFA code for ${DEVICE}:`)), 20_000, "the question");
  human.type("123456\r");
  await until(async () => (await human.screen()).includes("as-demo"), 20_000, "the agent");
  human.type("mine\r");
  await until(async () => (await human.screen()).includes("got-mine"), 20_000, "what was typed to the agent");
  await until(async () => (await human.prompt())?.number === 2, 20_000, "the prompt");
  expect((await human.prompt())?.status).toBe(0);

  expect(await human.run(`${process.execPath} ${BIN} sh -c 'echo again'`)).toBe(0);
  const rows = await human.screen();
  expect(rows).toContain("again");
  expect(rows.filter((row) => row.includes("MFA code for"))).toHaveLength(1);
});

it("a launch asks on stdout where stderr is no terminal", async () => {
  await world.run(["logout"]);
  await using human = await sitDown({ ...world.env, TERM: "dumb" }, world.project, size);
  human.type(`${process.execPath} ${BIN} sh -c 'echo as-$AGENT_RUN_PROFILE' 2>/dev/null\r`);
  await until(async () => (await human.screen()).some((row) => row.endsWith(`MFA code for ${DEVICE}:`)), 20_000, "the question");
  human.type("123456\r");
  await until(async () => (await human.screen()).includes("as-demo"), 20_000, "the agent");
});

it("a command that acts as the human asks for one of its own, and says why", async () => {
  mkdirSync(join(world.home, ".aws"), { recursive: true });
  const { accessKeyId, secretAccessKey } = world.cloud.admin;
  writeFileSync(
    join(world.home, ".aws", "config"),
    `[profile base]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n` +
      `[profile by-code]\nsource_profile = base\nrole_arn = ${world.cloud.roleArn()}\nmfa_serial = ${DEVICE}\n`,
  );
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...env } = world.env;
  await using human = await sitDown(env, world.project, size);
  human.type(`${process.execPath} ${BIN} check --aws-profile by-code\r`);
  await until(async () => (await human.screen()).some((row) => row.endsWith(`MFA code of ${DEVICE}:`)), 20_000, "the question");
  expect((await human.screen()).filter((row) => row.startsWith("agent-run: this command acts as you: "))).toHaveLength(1);
  human.type("\x03");
  await until(async () => (await human.prompt())?.number === 2, 20_000, "the prompt");
  expect((await human.screen()).join("\n")).not.toContain("internal");
});
