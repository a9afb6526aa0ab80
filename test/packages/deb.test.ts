// The Debian package: what it says of itself, what is where, installed by dpkg into a root of its own, run from there, removed without a trace, and the same
// bytes each time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { preludeFile, sandboxInitFile } from "../../src/isolation/own-programs.ts";
import { withCalls } from "../isolation/own-program.ts";
import { call, has, ROOT } from "./toolbox.ts";

const base = mkdtempSync(join(tmpdir(), "ar-deb-"));
const root = join(base, "root");
const there = has("dpkg-deb");
const isRoot = process.getuid?.() === 0;
const script = join(ROOT, "scripts", "deb.mjs");
let deb = "";

beforeAll(() => {
  if (!there) return;
  deb = call(process.execPath, [script, join(base, "first")]).trim();
  call("dpkg-deb", ["--extract", deb, root]);
}, 120_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));

const main = join(root, "usr", "lib", "agent-run", "bin", "agent-run.cjs");
const env = { PATH: `/usr/bin:/bin:${join(root, "usr", "bin")}`, HOME: base, LANG: "C.UTF-8", AGENT_RUN_HOME: join(base, "own") };

describe.skipIf(!there)("the Debian package (needs dpkg-deb: apt-get install dpkg)", () => {
  it("says what it is and what it needs", () => {
    const field = (name: string): string => call("dpkg-deb", ["--field", deb, name]).trim();
    expect(field("Package")).toBe("agent-run");
    expect(field("Version")).toBe((JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version);
    expect(field("Architecture")).toBe({ x64: "amd64", arm64: "arm64" }[process.arch as string]);
    expect(field("Depends")).toBe("nodejs (>= 24), libc6 (>= 2.28)");
    expect(field("Recommends")).toBe("bubblewrap");
  });

  it("runs from where it lies, under Debian's own node", () => {
    expect(readlinkSync(join(root, "usr", "bin", "agent-run"))).toBe("../lib/agent-run/bin/agent-run.cjs");
    expect(readFileSync(main, "utf8").split("\n")[1]).toMatch(/; exec \/usr\/bin\/node "\$0" "\$@"$/);
    const own = { ...env, AGENT_RUN_HOME: base, XDG_RUNTIME_DIR: "" };
    expect(call(main, ["status", "--format", "prompt"], { env: own })).toBe("");
    expect(call(process.execPath, [main, "--version"], { env })).toMatch(/^agent-run \d/);
    const demo = call(process.execPath, [main, "demo", "demo-aws", "sts", "get-caller-identity"], { env, cwd: base });
    expect(JSON.parse(demo).Arn).toContain(":assumed-role/agent-demo/");
    call(process.execPath, [main, "daemon", "stop"], { env });
  });

  it("has its programs before the sandbox and in it, of this machine alone, to be run", () => {
    const home = join(root, "usr", "lib", "agent-run");
    const programs = readdirSync(join(home, "dist")).filter((name) => /-(?:x64|arm64)$/.test(name));
    expect(programs.sort()).toEqual([`prelude-${process.arch}`, `sandbox-init-${process.arch}`]);
    expect(call(sandboxInitFile(home, process.arch) ?? "", ["/bin/echo", "started"], { env })).toBe("started\n");
    const prelude = withCalls(join(base, "calls"), [preludeFile(home, process.arch) ?? "", "/bin/echo", "started"]);
    expect(call("/bin/sh", prelude, { env })).toBe("started\n");
  });

  it.skipIf(!has("man"))("has a man page for each command where man looks (needs man: apt-get install man-db)", () => {
    const pages = readdirSync(join(root, "usr", "share", "man", "man1"));
    expect(pages).toEqual(readdirSync(join(ROOT, "dist", "man")).map((name) => `${name}.gz`));
    expect(call("man", ["-M", join(root, "usr", "share", "man"), "agent-run"], { env: { ...env, MANPAGER: "cat" } })).toContain("SYNOPSIS");
  });

  it("completes in bash and fish, whose folders need no line in a start-up file", () => {
    const bash = join(root, "usr", "share", "bash-completion", "completions", "agent-run");
    const asked = `command() { "$NODE" "$MAIN" "\${@:2}"; }; . "$1"; COMP_WORDS=(agent-run doc); COMP_CWORD=1; _agent_run_complete; echo "$COMPREPLY"`;
    expect(call("bash", ["-c", asked, "bash", bash], { env: { ...env, NODE: process.execPath, MAIN: main } }).trim()).toBe("doctor");
    const fish = readFileSync(join(root, "usr", "share", "fish", "vendor_completions.d", "agent-run.fish"), "utf8");
    expect(fish).toContain("command agent-run completion --words");
    expect(fish).not.toContain("@AGENT_RUN@");
  });

  it.skipIf(!has("zsh"))("is found by zsh's compinit (needs zsh)", () => {
    const folder = join(root, "usr", "share", "zsh", "vendor-completions");
    const asked = `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D; print -r -- $_comps[agent-run]`;
    expect(call("zsh", ["-f", "-c", asked], { env }).trim()).toBe("_agent-run");
    // At a Tab compinit calls the file as a function; what it then gives is what the shell would list.
    const completed = `fpath=(${folder} $fpath); _describe() { print -rl -- "\${(@P)4}" }; command() { "$NODE" "$MAIN" "\${@:2}" }; words=(agent-run doc); CURRENT=2; autoload -U _agent-run; _agent-run; _agent-run`;
    const lines = call("zsh", ["-f", "-c", completed], { env: { ...env, NODE: process.execPath, MAIN: main } })
      .trim()
      .split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^doctor:/);
  });

  it("names every licence of what it holds", () => {
    const doc = join(root, "usr", "share", "doc", "agent-run");
    expect(readFileSync(join(doc, "copyright"), "utf8")).toMatch(/@lydell\/node-pty \S+ \(MIT\)[\s\S]*Permission is hereby granted/);
    expect(readFileSync(join(doc, "THIRD-PARTY-LICENSES.txt"), "utf8")).toContain("@aws-sdk/client-sts");
    for (const page of ["README.md", "docs/threat-model.md"]) expect(existsSync(join(doc, page)), page).toBe(true);
  });

  it("is the same bytes when it is built again, at another place and under another umask", () => {
    const again = call("sh", ["-c", 'umask 077; exec "$@"', "sh", process.execPath, script, join(base, "second")], {
      cwd: base,
      env: { ...process.env, TZ: "Asia/Tokyo" },
    }).trim();
    expect(readFileSync(again).equals(readFileSync(deb))).toBe(true);
  }, 120_000);

  it.skipIf(!isRoot)("is installed by dpkg once its dependencies are there, and removed without a trace (needs root)", () => {
    const system = join(base, "system");
    for (const folder of ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"]) mkdirSync(join(system, folder), { recursive: true });
    for (const file of ["status", "available"]) writeFileSync(join(system, "var", "lib", "dpkg", file), "");
    const dpkg = (...args: string[]) =>
      spawnSync("dpkg", [`--root=${system}`, ...args], {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C", PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
      });
    const refused = dpkg("--install", deb);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain("agent-run depends on nodejs (>= 24)");
    const others = [emptyPackage("nodejs", "24.21.0"), emptyPackage("libc6", "2.36")];
    const installed = dpkg("--install", ...others, deb);
    expect(installed.stderr).toBe("");
    expect(installed.status).toBe(0);
    expect(existsSync(join(system, "usr", "bin", "agent-run"))).toBe(true);
    expect(dpkg("--purge", "agent-run").status).toBe(0);
    expect(call("find", [system, "-path", "*agent-run*", "-not", "-path", "*/var/log/*"])).toBe("");
  });
});

/** A package without files, in place of a real one. */
function emptyPackage(name: string, version: string): string {
  const folder = join(base, `empty-${name}`);
  mkdirSync(join(folder, "DEBIAN"), { recursive: true });
  writeFileSync(
    join(folder, "DEBIAN", "control"),
    `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: test <test@localhost>\nDescription: in place of ${name}\n`,
  );
  const file = join(base, `${name}.deb`);
  call("dpkg-deb", ["--build", folder, file]);
  return file;
}
