// What the end of a run says was made or changed in the project and runs later: which names, since when, and how far it looks.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FIRST, makeRecord, readRecord } from "../../src/audit/record.ts";
import { leftLines, recorded } from "../../src/cli/summary.ts";
import type { SessionId } from "../../src/core/id.ts";
import { leftBehind } from "../../src/isolation/left-behind.ts";
import { runsLater } from "../../src/isolation/runs-later.ts";
import { unprivileged } from "./unprivileged.ts";

describe("a file runs later", () => {
  it.each([
    ".envrc",
    ".mcp.json",
    ".npmrc",
    "mise.toml",
    "package.json",
    "Makefile",
    ".vscode/tasks.json",
    ".claude/settings.json",
    ".idea/runConfigurations/x.xml",
    ".devcontainer/devcontainer.json",
    ".husky/pre-commit",
    ".github/workflows/ci.yml",
    "packages/a/.envrc",
    "packages/a/.vscode/settings.json",
    ".git/hooks/pre-commit",
    ".git/config",
    "sub/.git/config",
    ".git/rebase-merge/git-rebase-todo",
    ".env.local",
    "mise.local.toml",
    ".mise.ci.toml",
    ".config/mise/config.toml",
    ".gitattributes",
    ".pre-commit-config.yaml",
    "lefthook-local.yml",
    "compose.override.yml",
    "docker-compose.dev.yaml",
    "Dockerfile.dev",
    ".eslintrc",
    ".eslintrc.json",
    ".prettierrc.yaml",
    ".lintstagedrc.json",
    ".mocharc.cjs",
    ".pylintrc",
    "ansible.cfg",
    "composer.json",
    "opencode.json",
    ".windsurf/rules/x.md",
    ".kiro/hooks/x.json",
    ".helix/languages.toml",
    ".hg/hgrc",
    "gradle/wrapper/gradle-wrapper.properties",
    "app/build.gradle.kts",
    "Directory.Build.targets",
    "x.sublime-project",
    "gulpfile.js",
    ".luacheckrc",
    ".bazelversion",
    "lib/project.clj",
    ".teamcity/settings.kts",
    ".kilocode/mcp.json",
    ".replit",
    ".git/modules/a/b/config",
    ".git/worktrees/x/config.worktree",
    ".git/worktrees/x/rebase-merge/git-rebase-todo",
    ".git/worktrees/x/modules/a/hooks/post-checkout",
    ".git/worktrees/x/modules/a/config",
    // A setting of a program that no table knows.
    ".newtoolrc.yml",
    ".iex.exs",
    "package-lock.json",
    "uv.lock",
    "bun.lockb",
    "dev-requirements.txt",
    "Steepfile",
    "app/app.csproj",
    "App.xcodeproj/project.pbxproj",
    ".agents/skills/x/SKILL.md",
    ".storybook/main.ts",
    "wrangler.toml",
    "vitest.workspace.ts",
    "phpstan.neon",
  ])("%s", (path) => {
    expect(runsLater(path)).toBe(true);
  });
  it.each([
    "readme.md",
    "src/main.ts",
    ".git/HEAD",
    ".git/index",
    ".git/hooks/pre-commit.sample",
    "vscode/tasks.json",
    "my.envrc",
    "environment.ts",
    ".git/worktrees/x/commondir",
    ".git/worktrees/x/HEAD",
    ".gitignore",
    ".git-blame-ignore-revs",
    ".gitkeep",
    ".DS_Store",
    ".eslintcache",
    ".main.ts.swp",
    ".env.example",
    "Profile.tsx",
    "requirements.md",
    "locksmith.ts",
    "compose.ts",
    "eslint.md",
  ])("not %s", (path) => {
    expect(runsLater(path)).toBe(false);
  });
});

describe("what a run leaves", () => {
  let project: string;
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "left-"));
  });
  afterEach(() => rmSync(project, { recursive: true, force: true }));
  const write = (path: string, text = "x\n"): string => {
    const file = join(project, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const none = new Set<string>();
  const past = 0;
  const future = Date.now() + 3_600_000;

  it("is what was made or changed since, in folders too, and nothing else", () => {
    write(".envrc");
    write("a/b/.vscode/tasks.json");
    write("src/main.ts");
    symlinkSync("/elsewhere", join(project, ".mcp.json"));
    expect(leftBehind(project, past, none)).toEqual({ changed: [".envrc", ".mcp.json", "a/b/.vscode/tasks.json"], partly: false });
    expect(leftBehind(project, future, none).changed).toEqual([]);
  });

  it("is looked for until so many names were seen, and what is not looked at is said to be there", () => {
    for (const path of ["a/.envrc", "b/.envrc", "c/.envrc", "Makefile"]) write(path);
    expect(leftBehind(project, past, none, 6)).toMatchObject({ changed: { length: 3 }, partly: "hidden" });
    expect(leftBehind(project, future, none, 6)).toEqual({ changed: [], partly: true });
    expect(leftBehind(project, past, none, 7)).toMatchObject({ changed: { length: 4 }, partly: false });
  });

  it("is seen though its times were set back, or an old file was moved there", async () => {
    const old = write("old");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const since = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    utimesSync(write(".envrc"), 1, 1);
    renameSync(old, join(project, ".npmrc"));
    expect(leftBehind(project, since, none).changed).toEqual([".envrc", ".npmrc"]);
  });

  it("is what lies in a folder that was moved as a whole, though no time of a file says so", async () => {
    for (const path of [
      "examples/.vscode/tasks.json",
      "examples/a/.envrc",
      "examples/a/readme.md",
      "examples/b/.husky/pre-commit",
      "kept/.envrc",
    ])
      write(path);
    for (const name of ["objects/y", "refs/y", "config"]) write(`evil/${name}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const since = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    renameSync(join(project, "examples/.vscode"), join(project, ".vscode"));
    // What hides it: a later time of the folder.
    utimesSync(join(project, ".vscode"), new Date(), new Date());
    renameSync(join(project, "examples/a"), join(project, "a"));
    write("kept/new.txt");
    write("evil/HEAD", "ref: refs/heads/main\n");
    write("points/HEAD", "ref: refs/heads/main\n");
    write("points/commondir", "../evil\n");
    expect(leftBehind(project, since, none).changed).toEqual([
      "a/.envrc",
      ".vscode/tasks.json",
      "evil/HEAD",
      "points/HEAD",
      "points/commondir",
    ]);
  });

  it("is a package.json only where it says more than what it is, and nothing that we made or that a package manager fills", () => {
    write("a/package.json", "{}");
    write("b/package.json", '{"scripts":{"postinstall":"x"}}');
    // As JSON means it, whatever it looks like; and what has something fetched, or is read by a tool.
    write("c/package.json", String.raw`{"\u0073cripts":{"postinstall":"x"}}`);
    write("d/package.json", '{"type":"module","name":"d","main":"x.js"}');
    for (const key of ["dependencies", "packageManager", "workspaces", "prettier"]) write(`e/${key}/package.json`, `{"${key}":{}}`);
    write("f/package.json", `{"name":"${"x".repeat(70_000)}"}`);
    write("g/package.json", "[");
    write("node_modules/x/package.json", '{"scripts":{}}');
    write(".git/objects/hooks/x");
    const made = write(".git/config.worktree");
    expect(leftBehind(project, past, new Set([made])).changed).toEqual([
      ...["b", "c", "f", "g"].map((name) => `${name}/package.json`),
      ...["dependencies", "packageManager", "prettier", "workspaces"].map((key) => `e/${key}/package.json`),
    ]);
  });

  it("is looked for from the top, and no further than a bound, which is said", async () => {
    for (let index = 0; index < 2100; index += 1) mkdirSync(join(project, `d${index}`));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const since = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    write(".envrc");
    const left = leftBehind(project, since, none);
    expect(left).toEqual({ changed: [".envrc"], partly: true });
    expect(leftLines(left, "sess_00000000")).toHaveLength(2);
    // Who makes so many folders that what lies in them is not found does not do so in silence.
    const hidden = leftBehind(project, past, none);
    expect(hidden.partly).toBe("hidden");
    expect(leftLines({ ...hidden, changed: [] }, "sess_00000000")).toHaveLength(1);
  });

  it("is also a link in place of a folder or of .git, a .git that is a file, and a repository without a work tree", () => {
    mkdirSync(join(project, "x"));
    symlinkSync("x", join(project, ".vscode"));
    symlinkSync("../x", join(project, "x/.git"));
    write("sub/.git", "gitdir: ../x\n");
    for (const name of ["HEAD", "objects/y", "refs/y", "config"]) write(`bare/${name}`);
    write("no-repository/config");
    write(".git/modules/m/hooks/pre-commit");
    write(".git/modules/m/config");
    expect(leftBehind(project, past, none).changed).toEqual([
      "sub/.git",
      "x/.git",
      ".git/modules/m/config",
      ".git/modules/m/hooks/pre-commit",
      ".vscode",
      "bare/HEAD",
      "bare/config",
    ]);
  });

  it("is found below names that are no UTF-8, and not held up by endless files and pipes", () => {
    const odd = Buffer.concat([Buffer.from(`${project}/`), Buffer.from([0xff])]);
    mkdirSync(odd);
    writeFileSync(Buffer.concat([odd, Buffer.from("/.envrc")]), "x");
    symlinkSync("/dev/zero", join(project, "package.json"));
    execFileSync("mkfifo", [join(project, ".env")]);
    mkdirSync(join(project, "p"));
    writeFileSync(join(project, "p/package.json"), "");
    truncateSync(join(project, "p/package.json"), 8 * 2 ** 40);
    expect(leftBehind(project, past, none).changed).toEqual([".env", "package.json", "p/package.json", "\ufffd/.envrc"]);
  });

  it("is told of where it lies in a new folder that the agent closed, or left to be listed only", () => {
    chmodSync(project, 0o777);
    for (const mode of [0, 0o600]) {
      const path = join(project, String(mode));
      unprivileged(() => {
        mkdirSync(path);
        writeFileSync(join(path, "Makefile"), "x");
        chmodSync(path, mode);
        expect(leftBehind(project, past, none)).toEqual({ changed: [], partly: "hidden" });
        expect(leftBehind(project, future, none)).toEqual({ changed: [], partly: false });
        chmodSync(path, 0o700);
        rmSync(path, { recursive: true });
      });
    }
  });

  it("tells what runs by a known name first, so that nothing is lost in the crowd", () => {
    for (let index = 0; index < 1200; index += 1) write(`.claude/a${index}`);
    write("z/.git/config");
    write("z/.envrc");
    const { changed } = leftBehind(project, past, none);
    expect(changed.slice(0, 2)).toEqual(["z/.git/config", "z/.envrc"]);
    expect(recorded(changed)).toHaveLength(1001);
    expect(recorded(changed).at(-1)).toBe("and 202 more");
  });

  it("is recorded in a record that takes it, however it is called, and one that takes too much hides none of the others", () => {
    const floods = ["x".repeat(60), '"'.repeat(200), "\u0001".repeat(200), "\u00fc".repeat(200)];
    for (const name of floods) {
      const changed = [
        ".git/hooks/pre-commit",
        "x".repeat(70_000),
        ...Array.from({ length: 2000 }, (_, at) => `.env.${at}${name}`),
        "Makefile",
      ];
      const kept = recorded(changed);
      const { line } = makeRecord({
        ...{ previous: FIRST, sequence: 1, at: 0, session: "sess_00000000" as SessionId, kind: "end" },
        data: { cause: "exited", changed: kept },
      });
      expect(readRecord(line)?.data).toEqual({ cause: "exited", changed: kept });
      expect(kept.slice(0, 2)).toEqual([changed[0], changed[2]]);
      expect(kept.at(-1)).toBe(`and ${changed.length - kept.length + 1} more`);
    }
  });

  it("is named such that a name cannot be read as anything else", () => {
    const changed = [".vscode/a, and 0 more; all is well", ".vscode/\u001b[2J"];
    expect(leftLines({ changed, partly: false }, "sess_00000000")[0]).toContain(
      String.raw`: ".vscode/a, and 0 more; all is well", ".vscode/\u001b[2J"; read`,
    );
  });

  it("is one line with at most eight names", () => {
    const changed = Array.from({ length: 10 }, (_, index) => `d${index}/.envrc`);
    const [line] = leftLines({ changed, partly: false }, "sess_00000000");
    expect(line).toMatch(/^made or changed meanwhile, and run later as you: d0\/\.envrc, .* and 2 more \(agent-run audit sess_00000000\)/);
    expect(leftLines({ changed: [], partly: true }, "sess_00000000")).toEqual([]);
  });
});
