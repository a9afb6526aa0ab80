// A session goes on, and ends as it should, though its version is replaced meanwhile: what was not loaded yet is not there any more.
import { cpSync, existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sitDown } from "./human.ts";
import { has, makeWorld, ROOT, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

it.skipIf(!has("bash"))(
  "ends at its limit, with its terminal as it was, when its files are gone (needs bash)",
  async () => {
    const installed = join(world.home, "installed");
    for (const part of ["bin", "dist", "shell", "profiles", "package.json"])
      cpSync(join(ROOT, part), join(installed, part), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(installed, "node_modules"));
    await using human = await sitDown(world.env, world.project, { cols: 100, rows: 24 });
    const file = join(world.project, "started");
    human.type(`${process.execPath} ${join(installed, "bin/agent-run.cjs")} --ttl 6s --on-expiry stop sh -c 'touch started; sleep 60'\r`);
    await until(() => existsSync(file), 15_000, "the agent to start");
    rmSync(join(installed, "dist"), { recursive: true });
    await until(async () => (await human.prompt()) !== undefined, 40_000, "the shell's prompt");
    const screen = (await human.screen()).join("\n");
    expect(screen).toMatch(/sess_[0-9a-f]{8} expired/);
    expect((await human.prompt())?.status, screen).toBe(124);
    expect(screen).not.toContain("ERR_MODULE_NOT_FOUND");
  },
  90_000,
);
