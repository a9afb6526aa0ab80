// What package managers and compilers keep between runs: where, and whose it is. Read by plan-caches.ts.

export interface Cache {
  /** `~` is home, `$data` and its like are XDG's. */
  readonly path: string;
  /** A variable that names the folder in its place. */
  readonly variable?: string;
  /** A variable that names a folder above, and the path from there: `["CARGO_HOME", "registry"]`. */
  readonly below?: readonly [variable: string, rest: string];
  /** Each run has its own: what the human's daemons say there lets others have them run a build, outside. */
  readonly own?: true;
  /** The programs that make it at their first use and fail where they can not; `any` is whoever runs. Without, nobody does. */
  readonly madeBy?: readonly string[] | "any";
}

export const CACHES: readonly Cache[] = [
  { path: "~/.cache", variable: "XDG_CACHE_HOME", madeBy: "any" },
  { path: "~/.npm", variable: "npm_config_cache", madeBy: "any" },
  { path: "~/.node-gyp" },
  { path: "$data/pnpm/store", below: ["PNPM_HOME", "store"], madeBy: ["pnpm", "corepack"] },
  { path: "~/.pnpm-store" },
  { path: "~/.yarn/berry", variable: "YARN_GLOBAL_FOLDER", madeBy: ["yarn", "corepack"] },
  { path: "~/.bun/install/cache", below: ["BUN_INSTALL", "install/cache"], madeBy: ["bun"] },
  { path: "~/.cargo/registry", below: ["CARGO_HOME", "registry"], madeBy: ["cargo"] },
  { path: "~/.cargo/git", below: ["CARGO_HOME", "git"], madeBy: ["cargo"] },
  { path: "~/go/pkg", below: ["GOPATH", "pkg"], madeBy: ["go"] },
  { path: "~/.ccache", variable: "CCACHE_DIR" },
  { path: "~/.m2/repository", madeBy: ["mvn"] },
  // A project's own `gradlew` needs Java alone.
  { path: "~/.gradle/caches", below: ["GRADLE_USER_HOME", "caches"], madeBy: ["gradle", "java"] },
  { path: "~/.gradle/daemon", below: ["GRADLE_USER_HOME", "daemon"], own: true, madeBy: ["gradle", "java"] },
  { path: "~/.gradle/native", below: ["GRADLE_USER_HOME", "native"], madeBy: ["gradle", "java"] },
  { path: "~/.gradle/wrapper/dists", below: ["GRADLE_USER_HOME", "wrapper/dists"], madeBy: ["gradle", "java"] },
  { path: "~/.ivy2/cache", madeBy: ["sbt"] },
  { path: "~/.nuget/packages", variable: "NUGET_PACKAGES", madeBy: ["dotnet"] },
  { path: "~/.composer/cache" },
  { path: "~/.pub-cache/hosted", below: ["PUB_CACHE", "hosted"], madeBy: ["dart", "flutter"] },
  { path: "~/.stack", variable: "STACK_ROOT", madeBy: ["stack"] },
  { path: "~/.cabal/packages", madeBy: ["cabal"] },
  { path: "~/.conda/pkgs", madeBy: ["conda"] },
  { path: "~/.terraform.d/plugin-cache" },
];

/** More variables that name a cache folder. */
export const CACHE_VARIABLES: readonly string[] = [
  ...["GOCACHE", "GOMODCACHE", "PIP_CACHE_DIR", "UV_CACHE_DIR", "YARN_CACHE_FOLDER", "NPM_CONFIG_CACHE", "SCCACHE_DIR"],
  ...["POETRY_CACHE_DIR", "PRE_COMMIT_HOME", "DENO_DIR", "BUN_INSTALL_CACHE_DIR", "PLAYWRIGHT_BROWSERS_PATH"],
];

/** What shells read or run out of a cache when they start: programs of prompts and plugins. `%USER` is the user's name. */
export const SHELL_CACHES: readonly string[] = [
  ...["p10k-instant-prompt-%USER.zsh", "p10k-instant-prompt-%USER.zsh.zwc", "p10k-dump-%USER.zsh", "p10k-dump-%USER.zsh.zwc"],
  ...["p10k-%USER", "gitstatus", "zsh", "antidote", "antibody", "zsh4humans", "oh-my-zsh", "prezto", "wal"],
  "heroku/autocomplete",
].map((name) => `$cache/${name}`);
