// The npm package: installed globally into an empty prefix, with no compiler on PATH and nothing but the registry, it runs; two builds give the same bytes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { preludeFile, sandboxInitFile } from "../../src/isolation/own-programs.ts";
import { withCalls } from "../isolation/own-program.ts";
import { call, has, npmScript, pack, pathWithoutCompilers, ROOT, registryEnvironment } from "./toolbox.ts";

const base = mkdtempSync(join(tmpdir(), "ar-npm-"));
const prefix = join(base, "prefix");
const installed = join(prefix, "lib", "node_modules", "agent-run");
const env = {
  PATH: "",
  HOME: join(base, "home"),
  LANG: "C.UTF-8",
  AGENT_RUN_HOME: join(base, "own"),
};
let tarball = "";
const LIMIT = 60 * 1024 * 1024;

beforeAll(() => {
  const cache = call(process.execPath, [npmScript(), "config", "get", "cache"]).trim();
  env.PATH = `${join(prefix, "bin")}:${pathWithoutCompilers(join(base, "path"))}`;
  mkdirSync(env.HOME);
  tarball = pack(base);
  const install = ["install", "--global", "--prefix", prefix, "--prefer-offline", "--no-audit", "--no-fund", tarball];
  call(process.execPath, [npmScript(), ...install], { env: { ...env, ...registryEnvironment(), npm_config_cache: cache } });
}, 120_000);

afterAll(() => {
  spawnSync("agent-run", ["daemon", "stop"], { env });
  rmSync(base, { recursive: true, force: true });
});

function sizeOf(path: string): number {
  const stat = statSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size;
}

describe("installed by npm into an empty prefix, without a compiler", () => {
  it("tells its version, with the build's data as JSON", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(call("agent-run", ["--version"], { env })).toMatch(new RegExp(`^agent-run ${version.replaceAll(".", "\\.")}\\+[0-9a-f]{8}`));
    const told = JSON.parse(call("agent-run", ["--version", "--json"], { env }));
    expect(told).toEqual({
      version: expect.stringMatching(/\+[0-9a-f]{8}$/),
      commit: spawnSync("git", ["-C", ROOT, "log", "-1", "--format=%H"], { encoding: "utf8" }).stdout.trim(),
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      node: process.version,
      platform: process.platform,
      arch: process.arch,
    });
  });

  it("runs the demo, and its completion knows the commands", () => {
    const demo = call("agent-run", ["demo", "demo-aws", "sts", "get-caller-identity"], { env, cwd: env.HOME });
    expect(JSON.parse(demo).Arn).toMatch(/:assumed-role\/agent-demo\/sess_[0-9a-f]{8}$/);
    expect(call("agent-run", ["completion", "bash"], { env })).toContain("command 'agent-run' completion");
    expect(call("agent-run", ["completion", "--words", "--", "doc"], { env })).toMatch(/^doctor\t/m);
  });

  it.skipIf(!has("man"))("has its man pages where man looks, by the PATH too (needs man: apt-get install man-db)", () => {
    const pages = join(prefix, "share", "man");
    expect(existsSync(join(pages, "man1", "agent-run-kill.1"))).toBe(true);
    const shown = call("man", ["-M", pages, "agent-run-kill"], { env: { ...env, MANPAGER: "cat", MANWIDTH: "80" } });
    expect(shown.replace(/.\x08/g, "")).toContain("--print-policy");
  });

  it("may run its programs before the sandbox and in it, which start what they are given", () => {
    expect(call(sandboxInitFile(installed, process.arch) ?? "", ["/bin/echo", "started"], { env })).toBe("started\n");
    const prelude = withCalls(join(base, "calls"), [preludeFile(installed, process.arch) ?? "", "/bin/echo", "started"]);
    expect(call("/bin/sh", prelude, { env })).toBe("started\n");
  });

  it("brings what it runs on and nothing else, and no script that an installation would run", () => {
    const { dependencies, scripts } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    const scoped = readdirSync(join(installed, "node_modules")).flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(installed, "node_modules", name)).map((each) => `${name}/${each}`)
        : name.startsWith(".")
          ? []
          : [name],
    );
    // Each dependency, and beside it its program for this platform.
    for (const name of scoped)
      expect(
        Object.keys(dependencies).some((each) => name === each || name.startsWith(`${each}-${process.platform}-${process.arch}`)),
        name,
      ).toBe(true);
    expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]));
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>;
    };
    const running = Object.entries(lock.packages).filter(([folder, entry]) => folder !== "" && !entry.dev && entry.hasInstallScript);
    expect(running.map(([folder]) => folder)).toEqual([]);
  });

  it("takes no more than 60 MB", () => {
    expect(sizeOf(installed)).toBeLessThan(LIMIT);
    expect(sizeOf(installed)).toBeGreaterThan(LIMIT / 60);
  });
});

describe("in a clone, without an installation", () => {
  it("bin/agent-run.cjs is the same command, with the Node that the clone brings whatever PATH has", () => {
    const old = mkdtempSync(join(tmpdir(), "ar-old-node-"));
    writeFileSync(join(old, "node"), "#!/bin/sh\necho an old one\n", { mode: 0o755 });
    const clone = { ...process.env, PATH: `${old}:/usr/bin:/bin`, AGENT_RUN_HOME: env.AGENT_RUN_HOME };
    const told = call(join(ROOT, "bin", "agent-run.cjs"), ["--version"], { env: clone });
    expect(told).toBe(call("agent-run", ["--version"], { env }));
    expect(call("bin/agent-run.cjs", ["--version"], { env: clone, cwd: ROOT })).toBe(told);
    // A link to it lies in a folder of which nobody knows who writes beside it.
    symlinkSync(join(ROOT, "bin", "agent-run.cjs"), join(old, "linked"));
    expect(call(join(old, "linked"), ["--version"], { env: clone })).toBe("an old one\n");
    rmSync(old, { recursive: true });
  });
});

describe("another build of the same commit", () => {
  it("is the same bytes, in another folder, at another hour, under another umask and language", () => {
    // Below the clone, where its packages can be linked: what is bundled must not depend on where they lie.
    const place = join(ROOT, ".cache", `build-${process.pid}`, "deeper");
    mkdirSync(place, { recursive: true });
    try {
      for (const name of ["src", "scripts", "profiles", "package.json", "tsconfig.json", "LICENSE"])
        cpSync(join(ROOT, name), join(place, name), { recursive: true });
      call("cp", ["-al", join(ROOT, "node_modules"), join(place, "node_modules")]);
      writeFileSync(
        join(place, ".git"),
        `gitdir: ${call("git", ["-c", "safe.directory=*", "rev-parse", "--absolute-git-dir"], { cwd: ROOT })}`,
      );
      call("sh", ["-c", 'umask 077; exec "$0" scripts/build.mjs', process.execPath], {
        cwd: place,
        env: { ...process.env, TZ: "Pacific/Auckland", LC_ALL: "C", HOME: base },
      });
      expect(filesOf(join(place, "dist"))).toEqual(filesOf(join(ROOT, "dist")));
      expect(filesOf(join(ROOT, "dist")).length).toBeGreaterThan(50);
    } finally {
      rmSync(join(place, ".."), { recursive: true, force: true });
    }
  }, 120_000);

  it("packs to the same bytes", () => {
    expect(readFileSync(pack(join(base, "again"))).equals(readFileSync(tarball))).toBe(true);
  });
});

/** Path, mode and hash of each file, sorted. */
function filesOf(folder: string): string[] {
  return globSync("**", { cwd: folder })
    .map((name) => ({ name, stat: statSync(join(folder, name)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ name, stat }) => `${name} ${stat.mode.toString(8)} ${hash(readFileSync(join(folder, name)))}`)
    .sort();
}

const hash = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
