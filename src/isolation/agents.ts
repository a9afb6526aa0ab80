// The agents known by name: what each must be able to write, and which of those files run or steer something later. Read by plan.ts.

export interface KnownAgent {
  readonly name: string;
  /** Other names of its command. */
  readonly commands: readonly string[];
  /** Folders that it writes, made for it when absent. `~` is home, `$config` and its like are XDG's. */
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
  /** Below the first state folder; or elsewhere, with `~` or `$config` before it: then other agents do not see it. */
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
      { path: ".env", standIn: EMPTY_FILE },
      { path: "agents", standIn: "folder" },
      ...["prompts", "skills", "plugins", "bin", "packages", "hooks"].map((path) => ({ path })),
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
      ...["policies", "skills", "agents"].map((path) => ({ path, standIn: "folder" as const })),
      { path: "hooks" },
    ],
  ),
  agent(
    "aider",
    ["~/.aider"],
    [
      // Read as variables at each start, aider's options among them: which tests and linters to run.
      { path: "oauth-keys.env", standIn: EMPTY_FILE },
      ...[".aider.conf.yml", ".aider.model.settings.yml", ".aider.model.metadata.json"].map((name) => ({ path: `~/${name}` })),
    ],
  ),
  agent(
    "opencode",
    ["$data/opencode", "$state/opencode"],
    // It makes its settings' folder at each start with this file in it, and ends where it can not.
    [
      ...["bin", "plugin"].map((path) => ({ path })),
      { path: "$config/opencode", standIn: "folder" },
      { path: "$config/opencode/.gitignore", standIn: { file: "node_modules\n" } },
    ],
  ),
  agent(
    "amp",
    // It sets the mode of its settings' folder at each start, and ends where it can not.
    ["$data/amp", "~/.amp", "$config/amp"],
    [
      { path: "$config/amp/settings.json", standIn: JSON_FILE },
      ...["plugins", "tools", "commands", "skills"].map((name) => ({ path: `$config/amp/${name}`, standIn: "folder" as const })),
      ...["bin", "~/.amp/bin", "$config/amp/settings.jsonc"].map((path) => ({ path })),
    ],
  ),
  agent(
    "cursor-agent",
    ["~/.cursor", "$config/cursor"],
    [
      { path: "mcp.json", standIn: JSON_FILE },
      { path: "hooks.json", standIn: { file: '{"version":1,"hooks":{}}\n' } },
      ...["hooks", "extensions", "rules", "commands", "skills", "agents", "plugins"].map((path) => ({ path })),
      ...["cli-config.json", "permissions.json", "sandbox.json", "$config/cursor/cli-config.json"].map((path) => ({ path })),
    ],
    { commands: ["cursor-agent", "cursor"], variable: "CURSOR_CONFIG_DIR" },
  ),
  agent(
    "goose",
    ["$config/goose", "$data/goose", "$state/goose"],
    [
      { path: "config.yaml", standIn: EMPTY_FILE },
      { path: "permission.yaml", standIn: EMPTY_FILE },
      ...["custom_providers", "recipes", "plugins"].map((path) => ({ path })),
    ],
  ),
];
