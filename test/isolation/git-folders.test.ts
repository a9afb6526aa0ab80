// Which git folders count as a project's: what an earlier agent has made must open nothing and hold up nothing.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gitFolders } from "../../src/isolation/git-folders.ts";
import { unprivileged } from "./unprivileged.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "git-folders-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const git = (cwd: string, ...args: string[]): void => {
  const own = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "protocol.file.allow=always"];
  execFileSync("git", [...own, ...args], { cwd, stdio: "ignore", env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } });
};
let count = 0;
/** A folder of its own, below which the project lies. */
const place = (name = "project"): string => {
  count += 1;
  const project = join(root, String(count), name);
  mkdirSync(project, { recursive: true });
  return project;
};
const repository = (path: string): string => {
  mkdirSync(path, { recursive: true });
  git(path, "init", "-q", "-b", "main");
  git(path, "commit", "-q", "--allow-empty", "-m", "first");
  return path;
};
const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const found = (project: string) => {
  const { folders, elsewhere, left } = gitFolders(project, root);
  return { kinds: Object.fromEntries(folders.map(({ kind, path }) => [path.slice(dirname(project).length + 1), kind])), elsewhere, left };
};

describe("git folders that are the project's", () => {
  it("are its own, those of submodules within submodules, of other work trees and of repositories in it", () => {
    const project = repository(place());
    const inner = repository(join(dirname(project), "inner"));
    const outer = repository(join(dirname(project), "outer"));
    git(outer, "submodule", "-q", "add", inner, "inner");
    git(outer, "commit", "-q", "-m", "inner");
    git(project, "submodule", "-q", "add", outer, "libs/outer");
    git(project, "submodule", "-q", "update", "--init", "--recursive");
    git(project, "worktree", "add", "-q", "../tree");
    repository(join(project, "clone"));
    expect(found(project)).toEqual({
      kinds: {
        "project/.git": "own",
        "project/.git/modules/libs/outer": "submodule",
        "project/.git/modules/libs/outer/modules/inner": "submodule",
        "project/.git/worktrees/tree": "worktree",
        "project/clone/.git": "nested",
      },
      elsewhere: undefined,
      left: [],
    });
    expect(gitFolders(project, root).folders.flatMap(({ pointer }) => pointer ?? [])).toEqual([
      join(project, "libs/outer/.git"),
      join(project, "libs/outer/inner/.git"),
      join(dirname(project), "tree/.git"),
    ]);
  });

  it("are the one of a work tree, with the pointer to it, and the one that it shares", () => {
    const tree = join(dirname(place()), "tree");
    const main = repository(join(dirname(tree), "main"));
    git(main, "worktree", "add", "-q", tree);
    expect(found(tree)).toMatchObject({ kinds: { "main/.git/worktrees/tree": "own", "main/.git": "shared" }, elsewhere: undefined });
    expect(gitFolders(tree, root).folders[0]?.pointer).toBe(join(tree, ".git"));
  });

  it("are the same where git has made its pointers relative", () => {
    const tree = join(dirname(place()), "tree");
    const main = repository(join(dirname(tree), "main"));
    git(main, "worktree", "add", "-q", tree);
    // As git 2.48 writes them with worktree.useRelativePaths.
    write(join(tree, ".git"), "gitdir: ../main/.git/worktrees/tree\n");
    write(join(main, ".git/worktrees/tree/gitdir"), "../../../../tree/.git\n");
    expect(found(tree)).toMatchObject({ kinds: { "main/.git/worktrees/tree": "own", "main/.git": "shared" }, elsewhere: undefined });
    expect(gitFolders(main, root).folders.find(({ kind }) => kind === "worktree")?.pointer).toBe(join(tree, ".git"));
  });

  it.each(["the main one", "another"])("are those of the submodules that each work tree has of its own, seen from %s", (which) => {
    const tree = join(dirname(place()), "tree");
    const main = repository(join(dirname(tree), "main"));
    git(main, "submodule", "-q", "add", repository(join(dirname(tree), "inner")), "inner");
    git(main, "commit", "-q", "-m", "inner");
    git(main, "worktree", "add", "-q", tree);
    git(tree, "submodule", "-q", "update", "--init");
    expect(found(which === "another" ? tree : main).kinds).toMatchObject({
      "main/.git/modules/inner": "submodule",
      "main/.git/worktrees/tree/modules/inner": "submodule",
    });
    const pointers = gitFolders(tree, root).folders.flatMap(({ pointer }) => pointer ?? []);
    expect(pointers).toContain(join(tree, "inner/.git"));
  });

  it("tell what their configuration includes, whether it is there or not", () => {
    const project = repository(place());
    git(project, "config", "include.path", "../shared.gitconfig");
    git(project, "config", "includeIf.onbranch:main.path", "later");
    write(join(project, "shared.gitconfig"), '[include]\n\tpath = "deeper"\n[user]\n\tpath = not-this\n');
    expect(gitFolders(project, root).folders[0]?.includes).toEqual([
      { path: join(project, "shared.gitconfig"), there: true },
      { path: join(project, ".git/later"), there: false },
      { path: join(project, "deeper"), there: false },
    ]);
  });

  it("tell it in every form in which git takes it", () => {
    const project = repository(place());
    write(
      join(project, ".git/config"),
      `\ufeff[include] path = ../one ; what we share
[Include]
PATH=../two# and this
\tpath = "../th\\"ree; #" # not a comment within quotes
\tpath = ../fo\\
ur
[includeIf "onbranch:a]\\"b"] path = ../five\t
[user] name = x\r
path = ../not-this
[extensions] worktreeConfig\n`,
    );
    const read = execFileSync("git", ["config", "--file", join(project, ".git/config"), "--get-regexp", "^include.*path$"], {
      encoding: "utf8",
    });
    const paths = read
      .trimEnd()
      .split("\n")
      .map((line) => line.slice(line.indexOf("../")));
    expect(paths).toEqual(["../one", "../two", '../th"ree; #', "../four", "../five"]);
    const [own] = gitFolders(project, root).folders;
    expect(own?.includes).toEqual(paths.map((path) => ({ path: join(project, path.slice(3)), there: false })));
    expect(own).toMatchObject({ readsWorktreeConfig: true });
    expect(own).not.toHaveProperty("includesMore");
  });

  it("say where it is more than is covered", () => {
    const project = repository(place());
    for (let at = 0; at < 9; at += 1) git(project, "config", "--add", "include.path", `../${at}`);
    expect(gitFolders(project, root).folders[0]).toMatchObject({ includesMore: true, includes: { length: 8 } });
  });
});

describe("what an agent has made", () => {
  it("does not open the folder that a linked .git leads to", () => {
    const project = place();
    mkdirSync(join(dirname(project), "bin"));
    symlinkSync("../bin", join(project, ".git"));
    expect(found(project)).toEqual({ kinds: {}, elsewhere: join(dirname(project), "bin"), left: [] });
  });

  it.each(["project", "worktrees"])("does not open the folder that .git/commondir names, in a project called %s", (name) => {
    const project = place(name);
    write(join(project, ".git/commondir"), "../..\n");
    expect(found(project)).toEqual({ kinds: { [`${name}/.git`]: "own" }, elsewhere: dirname(project), left: [] });
  });

  it("does not open what is around a folder called worktrees, by a pointer to the project itself", () => {
    const project = join(place("worktrees"), "x");
    write(join(project, ".git"), `gitdir: ${project}\n`);
    write(join(project, "gitdir"), `${project}/.git\n`);
    write(join(project, "commondir"), "../..\n");
    const { folders } = gitFolders(project, root);
    expect(folders.map(({ path }) => path)).toEqual([project]);
  });

  it("does not open another repository by a pointer that nothing there answers", () => {
    const project = place();
    const other = repository(join(dirname(project), "other"));
    write(join(project, ".git"), "gitdir: ../other/.git\n");
    expect(found(project)).toEqual({ kinds: {}, elsewhere: join(dirname(project), "other/.git"), left: [] });
    git(other, "worktree", "add", "-q", "../tree");
    for (const gitdir of ["../../../../tree/.git", "../project/.git", "../../../../project"]) {
      write(join(other, ".git/worktrees/tree/gitdir"), `${gitdir}\n`);
      write(join(project, ".git"), "gitdir: ../other/.git/worktrees/tree\n");
      expect(found(project)).toMatchObject({ kinds: {}, elsewhere: join(other, ".git/worktrees/tree") });
    }
  });

  it("does not lead to others' repositories by a linked folder of modules or work trees", () => {
    const project = repository(place());
    repository(join(dirname(project), "other"));
    symlinkSync("../..", join(project, ".git/modules"));
    symlinkSync("../..", join(project, ".git/worktrees"));
    expect(found(project).kinds).toEqual({ "project/.git": "own" });
  });

  it("does not take what links of a git folder lead to for parts of it", () => {
    const project = repository(place());
    const module = join(project, ".git/modules/new");
    write(join(module, "HEAD"), "x");
    symlinkSync("../../../../store", join(module, "hooks"));
    mkdirSync(join(dirname(project), "store"));
    const { folders } = gitFolders(project, root);
    expect(folders.find(({ path }) => path === module)).toMatchObject({ hooks: true, links: ["hooks"] });
    expect(folders.find(({ kind }) => kind === "own")?.links).toBeUndefined();
  });

  it("has no pointer or included file covered, nor one made for that, by way of a link or of ..", () => {
    const project = repository(place());
    write(join(dirname(project), "store/.git"), "secret\n");
    symlinkSync("../store", join(project, "way"));
    for (const [name, gitdir] of [
      ["a", `${project}/way/.git`],
      ["b", `${project}/../store/.git`],
    ] as const) {
      write(join(project, `.git/worktrees/${name}/gitdir`), `${gitdir}\n`);
    }
    write(join(project, ".git/modules/new/HEAD"), "x");
    write(join(project, ".git/modules/new/config"), `[include]\n\tpath = ${project}/way/new\n`);
    const { folders } = gitFolders(project, root);
    expect(folders.map(({ kind }) => kind).sort()).toEqual(["own", "submodule", "worktree", "worktree"]);
    for (const { pointer, includes = [] } of folders) expect([pointer, ...includes]).toEqual([undefined]);
  });

  it("holds up nothing: pipes and endless files in place of git's", () => {
    const project = repository(place());
    const module = join(project, ".git/modules/new");
    write(join(module, "HEAD"), "x");
    execFileSync("mkfifo", [join(module, "config"), join(module, "commondir")]);
    symlinkSync("/dev/zero", join(project, ".git/commondir"));
    expect(found(project).kinds).toEqual({ "project/.git": "own", "project/.git/modules/new": "submodule" });
  });

  it("holds up nothing: configurations that are long to take apart", () => {
    const project = repository(place());
    const text = {
      lines: "\n",
      section: "[a",
      spaces: "[include]\npath = x ",
      quotes: '[include]\npath="',
      lined: '[include]\npath="\\\n',
    };
    for (const [name, part] of Object.entries(text)) {
      write(join(project, name, ".git/HEAD"), "x");
      write(join(project, name, ".git/config"), `${part}${part.slice(-1).repeat(262_000)}x`.slice(0, 262_144));
    }
    expect(Object.keys(found(project).kinds)).toEqual([
      "project/.git",
      ...Object.keys(text)
        .map((name) => `project/${name}/.git`)
        .sort(),
    ]);
  });

  it("has nothing covered that is no file and can be none: the project itself, names that are too long", () => {
    const project = repository(place());
    const paths = ["../..", ".", "../../../", "x".repeat(256), "a\0b"];
    write(join(project, "new/.git/config"), `[include]\n${paths.map((path) => `path = ${path}\n`).join("")}`);
    expect(gitFolders(project, root).folders.find(({ kind }) => kind === "nested")?.includes).toEqual([]);
  });

  describe("closed to the human by its mode", () => {
    /** A project in which all that is made belongs to one whom modes hold off. */
    const closing = (make: (project: string) => readonly string[], look: (project: string) => void): void => {
      chmodSync(root, 0o755);
      const project = place();
      for (const folder of [dirname(project), project]) chmodSync(folder, 0o777);
      unprivileged(() => {
        const folders = make(project);
        for (const folder of folders) chmodSync(folder, 0);
        try {
          look(project);
        } finally {
          for (const folder of folders) chmodSync(folder, 0o700);
        }
      });
    };

    it("is no part of the project's, and is told", () => {
      closing(
        (project) => {
          for (const path of [".git/HEAD", ".git/modules/m/HEAD", ".git/worktrees/w/HEAD", "data/x", "nested/.git/config"])
            write(join(project, path), "x");
          return [".git/modules/m", ".git/worktrees", "data", "nested/.git"].map((path) => join(project, path));
        },
        (project) => {
          const { folders, closed } = gitFolders(project, root);
          expect(folders.map(({ path }) => path)).toEqual([join(project, ".git")]);
          expect(closed).toEqual(["data", "nested/.git", ".git/worktrees", ".git/modules/m"].map((path) => join(project, path)));
        },
      );
    });

    it("is a reason not to start where it is the project's own, with what opens it", () => {
      closing(
        (project) => {
          write(join(project, ".git/config"), "x");
          return [join(project, ".git")];
        },
        (project) =>
          expect(() => gitFolders(project, root)).toThrow(
            expect.objectContaining({ code: "isolation", hint: `chmod u+rwx '${join(project, ".git")}'` }),
          ),
      );
    });
  });

  it("of another user's that is closed is passed over: the agent cannot open it either", () => {
    chmodSync(root, 0o755);
    const project = place();
    for (const folder of [dirname(project), project]) chmodSync(folder, 0o777);
    mkdirSync(join(project, "data"), { mode: 0o700 });
    const { folders, closed } = unprivileged(() => gitFolders(project, root));
    expect([folders, process.getuid?.() === 0 ? closed : []]).toEqual([[], []]);
  });

  it("goes round in circles without an error", () => {
    const project = repository(place());
    mkdirSync(join(project, ".git/modules/m"), { recursive: true });
    symlinkSync("HEAD", join(project, ".git/modules/m/HEAD"));
    expect(found(project).kinds).toEqual({ "project/.git": "own" });
  });

  it("cannot have git folders pass uncovered in silence, by making too many", () => {
    const project = repository(place());
    for (let index = 100; index < 130; index += 1) write(join(project, `.git/modules/m${index}/HEAD`), "x");
    const { folders, left } = gitFolders(project, root);
    expect(folders.length + left.length).toBe(31);
    expect(left.length).toBeGreaterThan(0);
  });
});
