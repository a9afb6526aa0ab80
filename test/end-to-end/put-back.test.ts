// A link of the human's that an agent replaced in its own folder, which it can where bubblewrap makes the mounts, is back after each kind of end: the launcher's, a
// killed launcher's, that of launcher and daemon both; and what was in its place is where it is told to be.
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const SETTINGS = ".claude/settings.json";
const TARGET = "../dotfiles/settings.json";
/** Puts settings of its own in the link's place, and stays as long as it is asked to. */
const AGENT = `#!/bin/sh
cd ~/.claude && echo '{"hooks":{}}' > planted && mv planted settings.json && mkdir commands/x 2>/dev/null
echo made > "$OLDPWD/made"
while [ "$1" = stay ]; do sleep 0.05; done
`;

describe.skipIf(!hasBubblewrap)("a link of the human's in an agent's folder (needs bubblewrap)", () => {
  let world: World;
  let env: Record<string, string>;
  beforeEach(async () => {
    world = await makeWorld();
    for (const folder of ["dotfiles", ".claude", "tools"]) mkdirSync(join(world.home, folder));
    writeFileSync(join(world.home, "dotfiles/settings.json"), '{"theme":"dark"}\n');
    symlinkSync(TARGET, join(world.home, SETTINGS));
    writeFileSync(join(world.home, "tools/claude"), AGENT, { mode: 0o755 });
    env = { PATH: [join(world.home, "tools"), world.env["PATH"]].join(delimiter) };
    const first = await world.run(["--isolation", "standard", "true"], { env });
    expect(first.code, first.stderr).toBe(0);
    const cache = join(world.own, "state/isolation-standard.json");
    writeFileSync(cache, readFileSync(cache, "utf8").replace('"mounts":true', '"mounts":false'));
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const linked = (): string | undefined => {
    const path = join(world.home, SETTINGS);
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
  };
  const noted = (): boolean => existsSync(join(world.own, "state/kept")) && linked() === undefined;
  /** What is told, by where it is. */
  const asideIn = (text: string): string =>
    /what was there is now (\S+\/set-aside\/sess_[0-9a-f]{8}\/settings\.json-[0-9a-f]{8})/.exec(text)?.[1] ?? "";
  const audit = async (): Promise<string> => (await world.run(["audit", "--json"])).stdout.replaceAll("\\n", " ");

  it("is back when the agent leaves; where what was in its place is stands on stderr, and its name in the audit", async () => {
    const { code, stderr } = await world.run(["--isolation", "standard", "claude"], { env });
    expect(code, stderr).toBe(0);
    expect(linked()).toBe(TARGET);
    expect(stderr).toContain(`${join(world.home, SETTINGS)}, a link of yours, was replaced meanwhile: it is back`);
    expect(readFileSync(asideIn(stderr), "utf8")).toBe('{"hooks":{}}\n');
    expect(await audit()).toContain(join(world.home, SETTINGS));
    // A run that replaces nothing says nothing.
    writeFileSync(join(world.home, "tools/claude"), "#!/bin/sh\ntrue\n");
    expect(await world.run(["--isolation", "standard", "claude"], { env })).toMatchObject({ code: 0, stderr: "" });
  });

  it.each(["its launcher", "its launcher and the daemon"])(
    "is back when %s was killed, and the audit says where what was in its place is",
    async (who) => {
      const launcher = world.start(["--isolation", "standard", "claude", "stay"], { env });
      await until(() => existsSync(join(world.project, "made")), 20_000, "the agent to have done it");
      expect(noted()).toBe(true);
      if (who.includes("daemon")) process.kill((await world.daemonPid()) ?? 0, "SIGKILL");
      launcher.kill("SIGKILL");
      await until(() => linked() === TARGET, 20_000, "the link to be back");
      await until(async () => asideIn(await audit()) !== "", 10_000, "the audit to say so");
      expect(readFileSync(asideIn(await audit()), "utf8")).toBe('{"hooks":{}}\n');
      rmSync(join(world.project, "made"));
    },
    60_000,
  );
});
