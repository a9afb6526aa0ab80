// A machine that cannot give the isolation that was asked for: the run is refused with 125 and what mends it, and nothing runs with less.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allProcesses } from "../../src/core/process-tree.ts";
import { hasBubblewrap, makeWorld, until, type World } from "./world.ts";

/** As bubblewrap 0.8 ends where the kernel gives an ordinary user no namespaces; leaves a mark that it was tried. */
const REFUSED = "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.";

let world: World;
/** Folders for PATH: the agent and a shell, and no bwrap; and one with a bwrap that fails. */
let without: string;
let failing: string;
beforeAll(async () => {
  world = await makeWorld();
  without = join(world.home, "without");
  failing = join(world.home, "failing");
  for (const folder of [without, failing]) mkdirSync(folder);
  for (const program of ["sh", "touch"]) symlinkSync(`/bin/${program}`, join(without, program));
  writeFileSync(join(failing, "bwrap"), `#!/bin/sh\n: > '${join(world.home, "tried")}'\necho '${REFUSED}' >&2\nexit 1\n`, { mode: 0o755 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Processes of this world's agents, by the home folder in their environment. */
function agents(): number[] {
  return allProcesses().flatMap(({ pid }) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      return environment.includes("AGENT_RUN_SESSION=") && environment.includes(`HOME=${world.home}\0`) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

async function refused(words: readonly string[], path: string): Promise<string> {
  const names = (): string[] => readdirSync(world.home, { recursive: true, encoding: "utf8" });
  const before = names();
  const { code, stdout, stderr } = await world.run([...words, "touch", "launched"], { env: { PATH: path } });
  expect(code, stderr).toBe(125);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^agent-run: error: [^\n]+\nagent-run: hint: [^\n]+\n$/);
  expect(existsSync(join(world.project, "launched")), "the agent was launched").toBe(false);
  expect(agents()).toEqual([]);
  // The daemon takes away what it made for the session when the launcher has left.
  await until(() => world.sessionFolders().length === 0, 5000, "the session's folder to go");
  expect(JSON.parse((await world.run(["ps", "--json"])).stdout)).toEqual([]);
  // Nothing that was made only to be covered, and no good result to be remembered.
  expect(names().filter((name) => name !== "tried" && !before.includes(name))).toEqual([]);
  expect(readdirSync(join(world.own, "state")).filter((name) => name.startsWith("isolation"))).toEqual([]);
  return stderr;
}

/** The real one in the shape of 0.7 and older, which know no `--disable-userns`: it reads its arguments from a descriptor. */
const OLDER = `#!/bin/sh
if grep -qzx -- --disable-userns <&8; then echo 'bwrap: Unknown option --disable-userns' >&2; exit 1; fi
exec "$BWRAP" "$@" 8</proc/self/fd/8
`;

describe.skipIf(!hasBubblewrap)("a bubblewrap that is too old for strict (needs bubblewrap, apt-get install bubblewrap)", () => {
  it("is refused at strict with the command that brings a newer one, and does for standard", async () => {
    const older = join(world.home, "older");
    mkdirSync(older);
    const real = spawnSync("sh", ["-c", "command -v bwrap"], { encoding: "utf8" }).stdout.trim();
    writeFileSync(join(older, "bwrap"), OLDER.replace("$BWRAP", real), { mode: 0o755 });
    const path = `${older}:${world.env["PATH"]}`;
    const said = await refused(["--isolation", "strict"], path);
    expect(said).toContain("it is too old (bwrap said: bwrap: Unknown option --disable-userns)\n");
    expect(said).toMatch(/^agent-run: hint: .*bubblewrap \(0\.8 or newer\)$/m);
    const { code, stdout, stderr } = await world.run(["--isolation", "standard", "echo", "works"], { env: { PATH: path } });
    expect(stdout, stderr).toBe("works\n");
    expect(code).toBe(0);
    rmSync(join(world.own, "state", "isolation-standard.json"));
  });
});

describe.each(["standard", "strict"])("isolation %s", (level) => {
  it("is refused without bubblewrap, with the command that installs it", async () => {
    const said = await refused(["--isolation", level], without);
    expect(said).toContain("agent-run: error: bubblewrap is not installed: no 'bwrap' on PATH\n");
    expect(said).toMatch(
      /^agent-run: hint: .*install bubblewrap$|^agent-run: hint: .*add bubblewrap$|^agent-run: hint: .*pacman -S bubblewrap$/m,
    );
  });

  it("is refused where bubblewrap gets no namespaces, with what it said and what to do", async () => {
    const said = await refused(["--isolation", level], `${failing}:${without}:${dirname(process.execPath)}`);
    expect(existsSync(join(world.home, "tried"))).toBe(true);
    expect(said).toContain("this machine does not let bubblewrap isolate the agent");
    expect(said).toContain(`(bwrap said: ${REFUSED})`);
  });

  it("is not given up for less by the settings of a profile either", async () => {
    const file = join(world.own, "config", "config.toml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('isolation.level = "none"', `isolation.level = "${level}"`));
    expect(await refused([], without)).toContain("bubblewrap is not installed");
    writeFileSync(file, text);
  });
});
