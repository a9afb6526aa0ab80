// Files of a project that run, or steer what runs, when the human next works there: which names those are. PURE. Used by left-behind.ts.

/** Splits at white space. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** By name, in any folder. */
const NAMES = new Set([
  // On entering a folder, and which programs a version manager then starts.
  ...words(`.envrc .env mise.toml .mise.toml .tool-versions .autoenv .python-version .nvmrc .node-version .ruby-version rust-toolchain
    rust-toolchain.toml shell.nix default.nix flake.nix devenv.nix devbox.json .gdbinit .lldbinit .exrc .nvimrc .nvim.lua .vimrc .dir-locals.el
    .Rprofile .Renviron .irbrc .pryrc .pdbrc .ghci .ocamlinit sitecustomize.py usercustomize.py`),
  // Package managers, builds, tests, linters.
  ...words(`.npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs .pnpmfile.mjs .pnp.cjs .pnp.loader.mjs pnpm-workspace.yaml package.json bunfig.toml
    deno.json deno.jsonc Makefile makefile GNUmakefile justfile .justfile Justfile Taskfile.yml Taskfile.yaml Rakefile Gemfile Procfile build.rs
    CMakeLists.txt CMakePresets.json meson.build configure .bazelrc WORKSPACE MODULE.bazel build.gradle build.gradle.kts settings.gradle
    settings.gradle.kts gradlew gradle.properties mvnw pom.xml mix.exs rebar.config stack.yaml Setup.hs conftest.py setup.py setup.cfg
    pyproject.toml tox.ini pytest.ini noxfile.py tasks.py pip.conf .rspec .mocharc.cjs .mocharc.js .eslintrc.js .eslintrc.cjs .prettierrc.js
    .babelrc.js .golangci.yml cdk.json samconfig.toml serverless.yml Tiltfile skaffold.yaml Vagrantfile`),
  // Git and what hangs on it; what runs elsewhere with the human's keys.
  ...words(`.gitmodules .gitconfig .lefthook.yml lefthook.yml .pre-commit-config.yaml .lintstagedrc .overcommit.yml .gitlab-ci.yml Jenkinsfile
    azure-pipelines.yml .travis.yml bitbucket-pipelines.yml .drone.yml`),
  // Editors, containers, agents.
  ...words(`.devcontainer.json Dockerfile Containerfile docker-compose.yml docker-compose.yaml compose.yml compose.yaml .mcp.json .agent-run.toml
    CLAUDE.md AGENTS.md GEMINI.md .cursorrules .aider.conf.yml`),
]);

/** By the end of the name: configurations that are programs, and workspaces of editors. */
const ENDINGS = /\.(?:config|conf)\.[cm]?[jt]s$|\.code-workspace$|\.pth$/;

/** Everything inside a folder of that name. */
const FOLDERS = [
  ...words(".vscode .idea .fleet .zed .devcontainer .husky .githooks .claude .codex .gemini .cursor .opencode .amp .goose"),
  ...words(".github/workflows .github/actions .circleci .buildkite .yarn/plugins .yarn/releases .cargo .mise .mvn .bundle .direnv"),
].map((folder) => `/${folder}/`);

/** Of a git folder: `/hooks/` and these. */
const GIT_FILES = ["config", "config.worktree", "commondir", "rebase-merge/git-rebase-todo"];

/** Folders in which nothing is looked at: what builds and package managers fill. */
export const NOT_LOOKED_AT: ReadonlySet<string> = new Set(
  words("node_modules target dist build out .venv venv vendor __pycache__ .cache .next .turbo .gradle"),
);

/** The same in a git folder: what git itself keeps. */
const GIT_KEEPS = new Set(words("objects refs logs lfs info worktrees"));

/** Whether nothing in the folder at `path` is looked at. */
export function isLeftOut(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return NOT_LOOKED_AT.has(name) || (`/${path}`.includes("/.git/") && GIT_KEEPS.has(name));
}

/** Whether the file at `path`, relative to the project, is one of them. */
export function runsLater(path: string): boolean {
  const whole = `/${path}`;
  const git = whole.lastIndexOf("/.git/");
  if (git >= 0) {
    const inside = whole.slice(git + "/.git/".length);
    const ofModule = inside.startsWith("modules/");
    if (GIT_FILES.some((file) => inside === file || (ofModule && inside.endsWith(`/${file}`)))) return true;
    return /(^|\/)hooks\//.test(inside) && !inside.endsWith(".sample");
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  // A file or a link in place of the folder leads to another.
  return name === ".git" || NAMES.has(name) || ENDINGS.test(name) || FOLDERS.some((folder) => whole.includes(folder));
}

/** The same for a link, which can stand in the place of a whole folder of such files. */
export function linkRunsLater(path: string): boolean {
  return runsLater(path) || runsLater(`${path}/x`);
}

/** What is told first: what runs by a name that is known, then what lies further up. */
export function rankOf(path: string): number {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isGit = `/${path}`.includes("/.git/") || name === ".git";
  return (isGit ? 0 : NAMES.has(name) ? 1 : 2) * 100 + path.split("/").length;
}
