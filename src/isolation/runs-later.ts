// Files of a project that run, or steer what runs, when the human next works there: which names those are. Pure. Used by left-behind.ts.
import { NOT_LOOKED_AT } from "./build-folders.ts";

/** Splits at white space. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** By name, in any folder: told first. Of those that begin with a dot, what runs without being asked for. */
const NAMES = new Set([
  // On entering a folder, or opening it in an editor or debugger; which programs a version manager then starts.
  ...words(".envrc .env mise.toml .tool-versions .python-version rust-toolchain devbox.json .exrc .nvim.lua"),
  // Package managers, builds, tests, linters.
  ...words(`.npmrc .yarnrc.yml .pnpmfile.cjs package.json npm-shrinkwrap.json binding.gyp Makefile Gemfile gems.rb Appraisals config.ru meson.build
    configure WORKSPACE BUILD BUCK build.gradle gradlew gradle.properties mvnw pom.xml mix.exs config.exs cabal.project Setup.hs conftest.py setup.py
    pyproject.toml pylintrc pip.conf rector.php ecs.php Cargo.toml go.mod go.work Magefile.go magefile.go Package.swift terragrunt.hcl`),
  // The same of languages and tools that fewer use: each is a program, or names one.
  ...words("project.clj SConstruct wscript xmake.lua premake5.lua config.nims dune dune-project cpanfile"),
  // Git and what hangs on it; containers, agents.
  ...words(`.gitmodules .gitattributes .pre-commit-config.yaml Dockerfile .mcp.json mcp.json .agent-run.toml
    CLAUDE.md CLAUDE.local.md AGENTS.md AGENTS.override.md AGENT.md GEMINI.md QWEN.md SKILL.md copilot-instructions.md WARP.md replit.md`),
]);

/** By the form of the name: configurations that are programs, workspaces and projects of editors, builds, what is fetched from where, and families of names. */
const FORMS = [
  /\.(?:toml|ini|cfg|edn|nix|sdl|[cC]onfig|config\.script|pth|gradle|gradle\.kts|gemspec|podspec|dockerfile|sbt|bazel|cabal|nimble|rockspec|opam|PL|pbxproj|\w+proj|targets|props|code-workspace|sublime-\w+)$/,
  /\.(?:config|conf|workspace)\.[cm]?[jt]s$|-pipelines\.yml$|-lock\.\w+$|\.lockb?$|^(?:[\w-]*requirements|constraints)[\w.-]*\.txt$/,
  /^[A-Z]*[a-z]+file$|^CMake[A-Z]\w+\.\w+$/,
  /^(?:docker|proc|grunt|gulp|task)file\.|^(?:docker-)?compose(?:\.[\w-]+)*\.ya?ml$|^(?:docker-bake|serverless|lefthook(?:-local)?)\./i,
  /^(?:captainhook|cdk|cdktf|composer|conductor|crush|deno|dub|global|lerna|nodemon|nx|opencode|phpstan|phpunit|psalm|rush|samconfig|simple-git-hooks|turbo|vercel|wrangler)\.(?:json|xml|neon)/,
  // Of builds, and of what runs elsewhere with the human's keys.
  /^(?:appveyor|bitrise|buildspec|cloudbuild|codemagic|devenv|devfile|environment|grumphp|helmfile|hie|mkdocs|package|pnpm-workspace|Pulumi|render|shard|skaffold|stack)\.ya?ml$/,
  /^build\.(?:mill|rs|sc|xml|zig)$|^(?:conanfile|dodo|fabfile|noxfile|sitecustomize|tasks|usercustomize)\.py$/,
  // Settings of some program or other, most of which can name a command or a plugin; but for what names files to leave out, and what says nothing.
  /^\.(?!(?:[\w-]*ignore[\w-]*|\w*keep|\w*cache|DS_Store|editorconfig|mailmap|nojekyll|coverage|.*\.sw.|env(?:rc)?\.(?:dist|example|sample|template))$)/,
];

/** Everything inside a folder of that name, with a dot before it. */
const FOLDERS =
  words(`vscode vs idea fleet zed devcontainer husky githooks git-hooks hooks lefthook claude claude-plugin codex gemini cursor opencode amp goose qwen
  crush factory agents agent copilot qoder pi vibe iflow grok kimi cline rovodev antigravity warp conductor kilocode amazonq openhands codebuddy
  aiassistant codesandbox teamcity semaphore tekton builds windsurf kiro roo continue trae junie augment clinerules helix nvim vim run flox shadowenv.d
  config woodpecker github gitlab gitea forgejo circleci buildkite yarn/plugins yarn/releases cargo mise mvn bundle direnv storybook moon kamal
  jupyter`).map((folder) => `/.${folder}/`);

/** By their place: settings of other version control systems, and what a wrapper fetches or starts. */
const PLACES = words(
  ".hg/hgrc .jj/repo/config.toml .sl/config gradle/wrapper/gradle-wrapper.properties gradle/wrapper/gradle-wrapper.jar tools/bazel project/build.properties",
).map((place) => `/${place}`);

/** Of a git folder, and of those of submodules in it: `hooks/` and these. Of another work tree's what git itself does not make there. */
const GIT_FILES = /^(?:(?:worktrees\/[^/]+\/)?modules\/.+\/)?(?:config|config\.worktree|commondir|rebase-merge\/git-rebase-todo)$/;
const WORKTREE_FILES = /^worktrees\/[^/]+\/(?:config\.worktree|rebase-merge\/git-rebase-todo)$/;

/** The same in a git folder: what git itself keeps. */
const GIT_KEEPS = new Set(words("objects refs logs lfs info"));

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
    if (GIT_FILES.test(inside) || WORKTREE_FILES.test(inside)) return true;
    return /(^|\/)hooks\//.test(inside) && !inside.endsWith(".sample");
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  // A file or a link in place of the folder leads to another.
  if (name === ".git" || NAMES.has(name) || FORMS.some((form) => form.test(name))) return true;
  return FOLDERS.some((folder) => whole.includes(folder)) || PLACES.some((place) => whole.endsWith(place));
}

/** Whether all that lies in the folder at `path` is of that kind. */
export function runsWhole(path: string): boolean {
  return FOLDERS.some((folder) => `/${path}/`.endsWith(folder));
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
