// What a sandbox covers where nothing was yet is there for every session that has planned with it, whichever of them ends first.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasBubblewrap, makeWorld, until, type World } from "./world.ts";

/** Gives the keys once `go` is there, and says by `asked` that it waits. */
const SLOW_KEYS = `#!/bin/sh
touch "$0.asked"
until [ -e "$0.go" ]; do sleep 0.05; done
[ -e "$0.id" ] && printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s"}' "$(cat "$0.id")" "$(cat "$0.secret")"
`;

describe.skipIf(!hasBubblewrap)("stand-ins beside a session that still waits for its keys (needs bubblewrap)", () => {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  it.each([
    ["and are gone after its end", true],
    ["and are gone when it gets none", false],
  ])(
    "stay when the session that made them ends, %s",
    async (_, gets) => {
      execFileSync("git", ["init", "-q", "--template=", world.project]);
      const hooks = join(world.project, ".git/hooks");
      const slow = join(world.home, "slow-keys");
      writeFileSync(slow, SLOW_KEYS, { mode: 0o755 });
      if (gets) writeFileSync(`${slow}.id`, world.cloud.admin.accessKeyId);
      writeFileSync(`${slow}.secret`, world.cloud.admin.secretAccessKey);
      mkdirSync(join(world.home, ".aws"));
      writeFileSync(join(world.home, ".aws/config"), `[profile slow]\ncredential_process = ${slow}\n`);

      const first = world.start(["--isolation", "standard", "cat"]);
      await until(() => existsSync(hooks), 20_000, "the first session's stand-ins");
      const env = { AWS_PROFILE: "slow", AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
      const second = world.run(["--isolation", "standard", "true"], { env, limitMs: 60_000 });
      await until(() => existsSync(`${slow}.asked`), 20_000, "the second session to ask for its keys");
      const over = new Promise((resolve) => first.once("close", resolve));
      first.stdin?.end();
      expect(await over).toBe(0);
      expect(existsSync(hooks)).toBe(true);

      writeFileSync(`${slow}.go`, "");
      expect((await second).code).toBe(gets ? 0 : 125);
      const noted = (): boolean => readdirSync(join(world.own, "state")).some((name) => name.startsWith("stand-ins"));
      await until(() => !existsSync(hooks) && !noted(), 10_000, "the stand-ins to be removed");
      expect(world.sessionFolders()).toEqual([]);
    },
    120_000,
  );
});
