// The agents known by name: what each must be able to write, and which of those files run or steer something later. Read by plan.ts.

export interface KnownAgent {
  readonly name: string;
  /** Other names of its command. */
  readonly commands: readonly string[];
  /** Folders that it writes, made for it when absent. `~` is home. */
  readonly state: readonly string[];
  /** Files that it writes, made for it with this content when absent. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** A variable that moves the first state folder. */
  readonly variable: string | undefined;
  /** Read-only inside: hooks, settings and executables that later run as the human. With `content` (files) or `folder` also when absent. */
  readonly protect: readonly Protected[];
  /** Not there inside: doors to the human's editor. */
  readonly hide: readonly string[];
  /** How it is told to do without the sandbox of its own that it has. */
  readonly sandbox?: string;
}

export interface Protected {
  /** Below the first state folder, or from `~`. */
  readonly path: string;
  /** What a stand-in holds while the session runs and the human has none: a text for a file, `folder` for an empty folder. */
  readonly standIn?: { readonly file: string } | "folder";
}

const JSON_FILE = { file: "{}\n" } as const;
const EMPTY_FILE = { file: "" } as const;

function agent(name: string, state: readonly string[], protect: readonly Protected[], more: Partial<KnownAgent> = {}): KnownAgent {
  return { name, commands: [name], state, files: [], variable: undefined, protect, hide: [], ...more };
}

export const KNOWN_AGENTS: readonly KnownAgent[] = [
  agent(
    "claude",
    ["~/.claude", "~/.local/state/claude"],
    [
      { path: "settings.json", standIn: JSON_FILE },
      { path: "commands", standIn: "folder" },
      { path: "agents", standIn: "folder" },
      { path: "skills", standIn: "folder" },
      { path: "settings.local.json", standIn: JSON_FILE },
      ...["hooks", "plugins", "output-styles", "rules"].map((path) => ({ path, standIn: "folder" as const })),
      ...["scripts", "bin", "local"].map((path) => ({ path })),
    ],
    {
      files: [{ path: "~/.claude.json", content: "{}\n" }],
      variable: "CLAUDE_CONFIG_DIR",
      hide: ["~/.claude/ide"],
      sandbox: `--settings '{"sandbox":{"enabled":false}}'`,
    },
  ),
  agent(
    "codex",
    ["~/.codex"],
    [
      { path: "config.toml", standIn: EMPTY_FILE },
      { path: "hooks.json", standIn: JSON_FILE },
      { path: "rules", standIn: "folder" },
      ...["prompts", "skills", "bin", "packages", "hooks"].map((path) => ({ path })),
    ],
    { variable: "CODEX_HOME", sandbox: "--sandbox danger-full-access" },
  ),
  agent(
    "gemini",
    ["~/.gemini"],
    [
      { path: "settings.json", standIn: JSON_FILE },
      { path: ".env", standIn: EMPTY_FILE },
      { path: "extensions", standIn: "folder" },
      { path: "commands", standIn: "folder" },
      { path: "policies", standIn: "folder" },
      { path: "hooks" },
    ],
  ),
  agent("aider", ["~/.aider"], []),
  agent("opencode", ["~/.local/share/opencode", "~/.local/state/opencode"], [{ path: "bin" }, { path: "plugin" }]),
  agent("amp", ["~/.local/share/amp", "~/.amp"], [{ path: "bin" }]),
  agent(
    "cursor-agent",
    ["~/.cursor", "~/.config/cursor"],
    [
      { path: "mcp.json", standIn: JSON_FILE },
      { path: "hooks.json", standIn: JSON_FILE },
      ...["hooks", "extensions", "rules", "commands", "cli-config.json", "permissions.json"].map((path) => ({ path })),
    ],
    { commands: ["cursor-agent", "cursor"] },
  ),
  agent(
    "goose",
    ["~/.config/goose", "~/.local/share/goose", "~/.local/state/goose"],
    [{ path: "config.yaml", standIn: EMPTY_FILE }, { path: "permission.yaml", standIn: EMPTY_FILE }, { path: "custom_providers" }],
  ),
];

/** What package managers and compilers keep between runs. `~` is home; a variable names a folder; `scratch` ones are there, empty, when the human has none. */
export const CACHES: readonly { readonly path: string; readonly variable?: string; readonly scratch?: true }[] = [
  { path: "~/.cache", variable: "XDG_CACHE_HOME", scratch: true },
  { path: "~/.npm", variable: "npm_config_cache", scratch: true },
  { path: "~/.node-gyp" },
  { path: "~/.local/share/pnpm/store" },
  { path: "~/.pnpm-store" },
  { path: "~/.yarn/berry" },
  { path: "~/.bun/install/cache" },
  { path: "~/.cargo/registry" },
  { path: "~/.cargo/git" },
  { path: "~/go/pkg" },
  { path: "~/.ccache", variable: "CCACHE_DIR" },
  { path: "~/.m2/repository" },
  { path: "~/.gradle/caches" },
  { path: "~/.gradle/daemon" },
  { path: "~/.gradle/native" },
  { path: "~/.gradle/wrapper/dists" },
  { path: "~/.ivy2/cache" },
  { path: "~/.nuget/packages" },
  { path: "~/.composer/cache" },
  { path: "~/.pub-cache/hosted" },
  { path: "~/.stack" },
  { path: "~/.cabal/packages" },
  { path: "~/.conda/pkgs" },
  { path: "~/.terraform.d/plugin-cache" },
];

/** More variables that name a cache folder. */
export const CACHE_VARIABLES: readonly string[] = [
  ...["GOCACHE", "GOMODCACHE", "PIP_CACHE_DIR", "UV_CACHE_DIR", "YARN_CACHE_FOLDER", "NPM_CONFIG_CACHE", "SCCACHE_DIR"],
  ...["POETRY_CACHE_DIR", "PRE_COMMIT_HOME", "DENO_DIR", "BUN_INSTALL_CACHE_DIR", "PLAYWRIGHT_BROWSERS_PATH"],
];
