// Files of a project that run, or steer what runs, when the human next works there: which names those are. Pure. Used by left-behind.ts.
import { NOT_LOOKED_AT } from "./build-folders.ts";

/** Splits at white space. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** By name, in any folder. */
const NAMES = new Set([
  // On entering a folder, and which programs a version manager then starts.
  ...words(`.envrc .env mise.toml .mise.toml .tool-versions .autoenv .python-version .nvmrc .node-version .ruby-version rust-toolchain
    rust-toolchain.toml shell.nix default.nix flake.nix devenv.nix devbox.json .gdbinit .lldbinit .exrc .nvimrc .nvim.lua .vimrc .dir-locals.el
    .dir-locals-2.el .lvimrc .ycm_extra_conf.py .tmuxinator.yml .tmuxp.yaml .autoenv.zsh .prototools .sdkmanrc .java-version .go-version
    .terraform-version .Rprofile .Renviron .irbrc .pryrc .pdbrc .ghci .ocamlinit sitecustomize.py usercustomize.py`),
  // Package managers, builds, tests, linters.
  ...words(`.npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs .pnpmfile.mjs .pnp.cjs .pnp.loader.mjs pnpm-workspace.yaml package.json binding.gyp bunfig.toml
    deno.json deno.jsonc Makefile makefile GNUmakefile justfile .justfile Justfile Taskfile.yml Taskfile.yaml Rakefile Gemfile Procfile build.rs
    CMakeLists.txt CMakePresets.json meson.build configure .bazelrc WORKSPACE MODULE.bazel build.gradle build.gradle.kts settings.gradle
    settings.gradle.kts gradlew gradle.properties mvnw pom.xml mix.exs rebar.config stack.yaml Setup.hs conftest.py setup.py setup.cfg
    pyproject.toml Pipfile poetry.toml uv.toml pixi.toml environment.yml .pylintrc pylintrc mypy.ini .coveragerc .flake8 tox.ini pytest.ini noxfile.py tasks.py pip.conf .rspec .rubocop.yml .solargraph.yml composer.json phpunit.xml .php-cs-fixer.php
    nodemon.json nx.json turbo.json .golangci.yml .custom-gcl.yml Cargo.toml go.work Package.swift Podfile Fastfile build.sbt build.sc .sbtopts .jvmopts
    build.xml .bazeliskrc WORKSPACE.bazel Directory.Build.props Directory.Build.targets nuget.config NuGet.Config global.json cdk.json samconfig.toml serverless.yml Pulumi.yaml terragrunt.hcl ansible.cfg Tiltfile Earthfile skaffold.yaml Vagrantfile .actrc`),
  // The same of languages and tools that fewer use: each is a program, or names one.
  ...words(`gulpfile.js gulpfile.mjs gulpfile.cjs gulpfile.ts Gruntfile.js Gruntfile.cjs Jakefile Guardfile Dangerfile Capfile Thorfile Brewfile Appraisals
    .simplecov .yardopts project.clj deps.edn bb.edn shadow-cljs.edn build.zig SConstruct wscript Snakefile xmake.lua premake5.lua .luacheckrc .busted
    config.nims nim.cfg dune dune-project conanfile.py dodo.py fabfile.py pants.toml .buckconfig .bazelversion .sequelizerc .watchmanconfig`),
  // Git and what hangs on it; what runs elsewhere with the human's keys.
  ...words(`.gitmodules .gitconfig .gitattributes .lfsconfig .pre-commit-config.yaml .pre-commit-hooks.yaml prek.toml .overcommit.yml grumphp.yml
    captainhook.json .simple-git-hooks.json .simple-git-hooks.js .simple-git-hooks.cjs simple-git-hooks.json .gitlab-ci.yml Jenkinsfile
    azure-pipelines.yml .travis.yml bitbucket-pipelines.yml .drone.yml .woodpecker.yml appveyor.yml cloudbuild.yaml buildspec.yml netlify.toml
    vercel.json fly.toml render.yaml .gitpod.yml devfile.yaml .appveyor.yml .cirrus.yml .cirrus.star .build.yml bitrise.yml codemagic.yaml .replit replit.nix`),
  // Editors, containers, agents.
  ...words(`.devcontainer.json Dockerfile Containerfile docker-bake.hcl .mcp.json mcp.json .agent-run.toml opencode.json opencode.jsonc
    crush.json .crush.json CLAUDE.md CLAUDE.local.md AGENTS.md AGENTS.override.md AGENT.md GEMINI.md QWEN.md .goosehints .cursorrules .windsurfrules
    .clinerules .roomodes .aider.conf.yml copilot-instructions.md
    .rules .kilocodemodes WARP.md replit.md`),
]);

/** By the form of the name: configurations that are programs, workspaces and projects of editors, builds, and families of names. */
const FORMS = [
  /\.(?:config|conf)\.[cm]?[jt]s$|\.(?:code-workspace|sublime-project|pth|gradle|gradle\.kts|gemspec|podspec|dockerfile)$/,
  /^\.env(?:rc)?\.(?!(?:dist|example|sample|template)$)|^\.?mise(?:\.[\w-]+)*\.toml$|^Dockerfile\.|^(?:docker-)?compose(?:\.[\w-]+)*\.ya?ml$|^\.?lefthook(?:-local)?\.(?:ya?ml|toml|json)$/,
  // Each can name a program, or a plugin, which is one.
  /^\.(?:babel|c8|commitlint|eslint|huskyrc|lintstaged|mocha|nyc|postcss|prettier|release|stylelint|swc|tap|xo)(?:rc)?(?:\.(?:json5?|ya?ml|toml|[cm]?[jt]s))?$/,
];

/** Everything inside a folder of that name. */
const FOLDERS = [
  ...words(
    ".vscode .idea .fleet .zed .devcontainer .husky .githooks .claude .codex .gemini .cursor .opencode .amp .goose .qwen .crush .factory",
  ),
  ...words(
    ".kilocode .amazonq .openhands .codebuddy .aiassistant .codesandbox .teamcity .semaphore .tekton .builds .windsurf .kiro .roo .continue .trae .junie .augment .clinerules .helix .nvim .vim .run .flox .shadowenv.d .config/mise .woodpecker",
  ),
  ...words(
    ".github/workflows .github/actions .github/instructions .github/prompts .github/agents .github/hooks .gitea .forgejo .circleci .buildkite .yarn/plugins .yarn/releases .cargo .mise .mvn .bundle .direnv",
  ),
].map((folder) => `/${folder}/`);

/** By their place: settings of other version control systems, and what a wrapper fetches or starts. */
const PLACES = words(
  ".hg/hgrc .jj/repo/config.toml gradle/wrapper/gradle-wrapper.properties gradle/wrapper/gradle-wrapper.jar tools/bazel project/plugins.sbt",
).map((place) => `/${place}`);

/** Of a git folder: `/hooks/` and these. */
const GIT_FILES = ["config", "config.worktree", "commondir", "rebase-merge/git-rebase-todo"];

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
