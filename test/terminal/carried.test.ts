// An environment through real shells: whatever they set, count, refuse or drop, the command behind them gets what it was to get.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { carried } from "../../src/terminal/carried.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "carried-")));
const cwd = join(base, "real");
mkdirSync(cwd);
symlinkSync(cwd, join(base, "link"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

type Variables = Record<string, string>;

const INSTALLED = ["dash", "bash"].filter((name) => existsSync(`/bin/${name}`));
// Each as it would be behind /bin/sh.
for (const name of INSTALLED) {
  mkdirSync(join(base, name));
  symlinkSync(`/bin/${name}`, join(base, name, "sh"));
}

/** What a command is given through two such shells, one in the other, as outside and inside a sandbox. */
function through(sh: string, env: Variables): Variables | string {
  const { env: given, script } = carried({ env, cwd, file: "/usr/bin/env" }, ["TERM"], sh);
  const inner = ["-c", `set +ax;${script === "" ? "" : `${script};`}exec "$@"`, "sh", "/usr/bin/env", "-0"];
  const path = join(base, sh, "sh");
  const { stdout, stderr } = spawnSync(path, ["-c", 'exec "$@"', "sh", path, ...inner], { env: given, cwd });
  if (stdout.length === 0) return stderr.toString();
  const lines = stdout.toString("utf8").split("\0").slice(0, -1);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

const names = (words: string): string[] => words.split(/\s+/);
const KNOWN =
  names(`IFS OPTIND OPTERR OPTARG PPID PS1 PS2 PS3 PS4 LINENO PWD OLDPWD SHLVL _ UID EUID GROUPS RANDOM SRANDOM SECONDS EPOCHSECONDS EPOCHREALTIME
  BASH BASHOPTS BASHPID BASH_ARGV0 BASH_COMMAND BASH_ENV BASH_EXECUTION_STRING BASH_SUBSHELL BASH_VERSINFO BASH_VERSION SHELLOPTS FUNCNAME HISTCMD HISTFILE
  COMP_WORDBREAKS DIRSTACK PIPESTATUS POSIXLY_CORRECT HOSTNAME HOSTTYPE MACHTYPE OSTYPE MAIL MAILPATH MAILCHECK CDPATH ENV FPATH TERM COLUMNS LINES TMOUT
  LANG HOME PATH REPLY TIMEFORMAT GLOBIGNORE IGNOREEOF NODE_OPTIONS agent_run_nonce agent_run_status x a_1`);
const ODD = [
  "a.b",
  "BASH_FUNC_x%%",
  "npm_config_//registry.example.com/:always-auth",
  "1digit",
  "quote's",
  'double"',
  "$(id)",
  "two words",
  "ümlaut",
  "-u",
  " ",
];

describe.each(INSTALLED)("through %s", (sh) => {
  it("come the variables that shells set, whatever their value", () => {
    for (const value of ["odd value", "7", "", "/tmp", "two\nlines\n", "é\u{1f600}", "$(id) `id` \\ '\""]) {
      for (const name of KNOWN) {
        const env = { PATH: "/usr/bin:/bin", [name]: value };
        expect(through(sh, env), `${name}=${JSON.stringify(value)}`).toEqual(env);
      }
    }
  });

  it("come names that are no shell's, and values up to what the kernel takes", () => {
    const longest = 131_071;
    const env: Variables = { PATH: "/usr/bin:/bin", PWD: join(base, "link") };
    for (const name of ODD) env[name] = `() {  echo "${name}"\n}`;
    env["long.name"] = "é".repeat((longest - "long.name=".length - 1) / 2);
    env["emoji.name"] = `x${"\u{1f600}".repeat((longest - "emoji.name=".length - 4) / 4)}`;
    env["LONG"] = "y".repeat(longest - "LONG=".length);
    expect(through(sh, env)).toEqual(env);
  });

  it("come any names and values (property)", () => {
    const name = fc
      .oneof(fc.constantFrom(...KNOWN, ...ODD), fc.string({ minLength: 1, maxLength: 8 }))
      .filter((text) => !/[=\0]/.test(text));
    const value = fc.oneof(fc.string({ unit: "grapheme", maxLength: 40 }), fc.constantFrom("", "/", cwd, join(base, "link")));
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          value.filter((text) => !text.includes("\0")),
          { maxKeys: 8, noNullPrototype: true },
        ),
        (env) => {
          const whole = { ...env, PATH: "/usr/bin:/bin" };
          expect(through(sh, whole)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("what a shell leaves as it is", () => {
  it("costs nothing where it is dash", () => {
    const env = { PATH: "/usr/bin:/bin", PWD: cwd, TERM: "xterm", SHLVL: "3", _: "/usr/bin/x", OLDPWD: "/nowhere" };
    expect(carried({ env, cwd, file: "/usr/bin/env" }, ["TERM"], "dash")).toEqual({ env, script: "" });
  });

  it("no value is in the script", () => {
    const { script } = carried({ env: { "a.b": "sesame" }, cwd, file: "/bin/true" }, [], "dash");
    expect(script).not.toContain("sesame");
    expect(script).toContain("/usr/bin/env");
  });
});
