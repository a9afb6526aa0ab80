// The agents known by name: what each must be able to write, and which of those files run or steer something later. Read by plan.ts.

export interface KnownAgent {
  readonly name: string;
  /** The names of its command. */
  readonly commands: readonly string[];
  /** A command whose name says too little: it counts only where the program that it leads to is the agent's. */
  readonly generic?: { readonly command: string; readonly leadsTo: RegExp };
  /**
   * Folders that it writes and that hold its settings, made for it when absent. `~` is home, `$config` and its like are XDG's, `%NAME` is what that
   * variable of the agent's own says.
   */
  readonly roots: readonly string[];
  /** More folders that it writes, made for it when absent. */
  readonly state: readonly string[];
  /** Files that it writes, made for it with this content when absent. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Variables with the path of a database that it keeps elsewhere: its folder is written where there is nothing else in it. */
  readonly databases: readonly string[];
  /** Read-only inside: hooks, settings and executables that later run as the human. With a stand-in also when absent. */
  readonly protect: readonly Protected[];
  /** Folders below the roots whose files its other sessions run or obey unasked: empty for the run, and gone at the end. */
  readonly fresh: readonly string[];
  /** It does not start where it can not write what is fresh: on macOS, where nothing can stand in for a folder, it is written, and told. */
  readonly needsFresh?: true;
  /** What it must write though it counts in later sessions: told at the end where it was made or changed. */
  readonly told: readonly Told[];
  /** Not there inside: doors to the human's editor. */
  readonly hide: readonly string[];
  /** How it is told to do without the sandbox of its own that it has. */
  readonly sandbox?: string;
}

export interface Protected {
  /** Below a root; or elsewhere, with `~`, `$config` or `%NAME` before it: then other agents do not see it. */
  readonly path: string;
  /** What a stand-in holds while the session runs and the human has none: a text for a file, `folder` for an empty folder; `fresh` is one to write in. */
  readonly standIn?: "folder" | "fresh" | FileStandIn;
  /** Where the human has one, it is written as any state is. */
  readonly onlyAbsent?: true;
  /** Without a stand-in: where the human has none, the agent makes it at its own start. Of others what is made in a run is moved away at its end. */
  readonly itsOwn?: true;
}

export interface FileStandIn {
  readonly file: string;
  readonly mode?: number;
}

export interface Told {
  /** As in `Protected`; a part `*` is every entry of a folder. */
  readonly path: string;
  /** Of a JSON file that is written all the time: what counts, by the names on the way; `*` is every name. */
  readonly keys?: readonly (readonly string[])[];
}

const JSON_FILE = { file: "{}\n" } as const;
const EMPTY_FILE = { file: "" } as const;

const folders = (names: string): Protected[] => names.split(" ").map((path) => ({ path, standIn: "folder" }));
const where = (names: string): Protected[] => names.split(" ").map((path) => ({ path }));
const fetched = (names: string): Protected[] => names.split(" ").map((path) => ({ path, standIn: "fresh" }));
const told = (paths: string): Told[] => paths.split(" ").map((path) => ({ path }));

function agent(name: string, roots: readonly string[], protect: readonly Protected[], more: Partial<KnownAgent> = {}): KnownAgent {
  return { name, commands: [name], roots, state: [], files: [], databases: [], protect, fresh: [], told: [], hide: [], ...more };
}

/** Of `~/.claude.json`: programs that it starts, and what it no longer asks. */
const CLAUDE_KEYS = [
  ["mcpServers", "*"],
  ...["mcpServers", "allowedTools", "enabledMcpjsonServers", "hasTrustDialogAccepted", "hasClaudeMdExternalIncludesApproved"].map((key) => [
    "projects",
    "*",
    key,
  ]),
  ["bypassPermissionsModeAccepted"],
  ["customApiKeyResponses", "approved"],
  ["env"],
];

export const KNOWN_AGENTS: readonly KnownAgent[] = [
  agent(
    "claude",
    ["%CLAUDE_CONFIG_DIR", "~/.claude"],
    [
      { path: "settings.json", standIn: JSON_FILE },
      { path: "settings.local.json", standIn: JSON_FILE },
      ...folders("commands agents skills hooks plugins output-styles rules workflows routines"),
      // Read anew whenever it changes: a key could come to mean yes in a session outside.
      { path: "keybindings.json", standIn: { file: '{"bindings":[]}\n' } },
      ...where("daemon.json launch.json scheduled_tasks.json loop.md cowork_plugins scripts bin local"),
      // What the human has agreed to: that others may have commands run here, and which of this machine's MCP servers.
      ...where("state/unattended-serving-consent.json state/device-mcp-consent.json state/device-mcp-snapshot.json"),
      // Logins by name, and the addresses that they are sent to.
      ...where("$config/anthropic %ANTHROPIC_CONFIG_DIR"),
      // It takes the place of ~/.claude.json as soon as it is there, unless it is empty and nobody may write it.
      { path: ".config.json", standIn: { file: "", mode: 0o400 }, onlyAbsent: true },
      { path: "%CLAUDE_CODE_PLUGIN_CACHE_DIR" },
    ],
    {
      state: ["~/.local/state/claude"],
      files: [{ path: "~/.claude.json", content: "{}\n" }],
      // In the last two its sessions find one another, and leave messages that are taken for a colleague's.
      fresh: ["daemon", "jobs", "shell-snapshots", "session-env", "sessions", "teams"],
      told: [
        { path: "~/.claude.json", keys: CLAUDE_KEYS },
        { path: ".claude.json", keys: CLAUDE_KEYS },
        { path: ".config.json", keys: CLAUDE_KEYS },
        // It offers the newest in the place of a damaged one.
        { path: "backups/*", keys: CLAUDE_KEYS },
        ...told("remote-settings.json remote-settings-consent.json remote-settings-helper-consent state/hybrid-settings.json"),
        ...told("policy-limits.json state/settings-review.json"),
        ...told("CLAUDE.md projects/*/memory/* agent-memory/*/*"),
      ],
      hide: ["~/.claude/ide", "%CLAUDE_CONFIG_DIR/ide"],
      sandbox: `--settings '{"sandbox":{"enabled":false}}'`,
    },
  ),
  agent(
    "codex",
    ["%CODEX_HOME", "~/.codex"],
    [
      { path: "config.toml", standIn: EMPTY_FILE },
      { path: "hooks.json", standIn: JSON_FILE },
      { path: "rules", standIn: "folder" },
      { path: ".env", standIn: EMPTY_FILE },
      // Programs that it starts to run commands elsewhere.
      { path: "environments.toml", standIn: EMPTY_FILE },
      { path: "agents", standIn: "folder" },
      // It copies itself to the first for a daemon that outlives it, and does not start where it can not; it unpacks skills of its own, and runs git on
      // repositories of plugins in the last.
      ...fetched("packages skills .tmp"),
      ...where("prompts plugins bin hooks managed_config.toml requirements.toml"),
    ],
    {
      state: ["%CODEX_SQLITE_HOME"],
      // Its daemon's socket takes commands from whoever connects; shells read the snapshots, and look for programs in `tmp`.
      needsFresh: true,
      fresh: ["app-server-control", "app-server-daemon", "shell_snapshots", "tmp"],
      told: told("AGENTS.md AGENTS.override.md memories/* memories/.git/config memories/.git/hooks cloud-config-bundle-cache.json"),
      sandbox: "--sandbox danger-full-access",
    },
  ),
  agent(
    "gemini",
    ["%GEMINI_CLI_HOME/.gemini", "~/.gemini"],
    [
      { path: "settings.json", standIn: JSON_FILE },
      { path: ".env", standIn: EMPTY_FILE },
      { path: "trusted_hooks.json", standIn: JSON_FILE },
      ...folders("extensions commands policies skills agents acknowledgments"),
      ...where("hooks policy_integrity.json"),
      { path: "%GEMINI_CLI_TRUSTED_FOLDERS_PATH" },
      // It keeps a program there that it fetches.
      { path: "tmp/bin", standIn: "fresh" },
    ],
    {
      told: told("trustedFolders.json GEMINI.md tmp/*/memory/* history/*/.git/config history/*/.git/hooks"),
    },
  ),
  agent(
    "aider",
    ["~/.aider"],
    [
      // Read as variables at each start, aider's options among them: which tests and linters to run.
      { path: "oauth-keys.env", standIn: EMPTY_FILE },
      ...where("~/.aider.conf.yml ~/.aider.model.settings.yml ~/.aider.model.metadata.json"),
      ...where("%AIDER_MODEL_SETTINGS_FILE %AIDER_MODEL_METADATA_FILE %AIDER_ENV_FILE"),
    ],
  ),
  agent(
    "opencode",
    ["$data/opencode"],
    // It makes its settings' folder at each start with this file in it, and ends where it can not.
    [
      ...where("plugin"),
      // Programs and packages that it fetches.
      ...fetched("bin $cache/opencode/bin $cache/opencode/packages $cache/opencode/node_modules"),
      { path: "$config/opencode", standIn: "folder" },
      { path: "$config/opencode/.gitignore", standIn: { file: "node_modules\n" } },
      { path: "%OPENCODE_CONFIG_DIR", standIn: "folder" },
      { path: "%OPENCODE_CONFIG_DIR/.gitignore", standIn: { file: "node_modules\n" } },
      ...where("%OPENCODE_CONFIG %OPENCODE_TUI_CONFIG ~/.opencode"),
    ],
    { state: ["$state/opencode"], databases: ["OPENCODE_DB"], told: told("auth.json snapshot/*/config snapshot/*/*/config") },
  ),
  agent(
    "amp",
    ["$data/amp"],
    [
      { path: "$config/amp/settings.json", standIn: JSON_FILE },
      ...folders("$config/amp/plugins $config/amp/tools $config/amp/commands $config/amp/skills"),
      ...fetched("bin"),
      ...where("~/.amp/bin $config/amp/settings.jsonc %AMP_SETTINGS_FILE"),
    ],
    // It sets the mode of its settings' folder at each start, and ends where it can not.
    { state: ["~/.amp", "$config/amp"], told: told("$config/amp/AGENTS.md") },
  ),
  agent(
    "cursor-agent",
    ["%CURSOR_CONFIG_DIR", "%CURSOR_DATA_DIR", "~/.cursor"],
    [
      { path: "mcp.json", standIn: JSON_FILE },
      { path: "hooks.json", standIn: { file: '{"version":1,"hooks":{}}\n' } },
      ...where("hooks extensions rules commands skills agents plugins"),
      ...where("permissions.json sandbox.json"),
      { path: "cli-config.json", itsOwn: true },
      { path: "$config/cursor/cli-config.json", itsOwn: true },
    ],
    {
      commands: ["cursor-agent", "cursor"],
      generic: { command: "agent", leadsTo: /\/cursor-agent\/versions\/[^/]+\/[^/]+$/ },
      state: ["$config/cursor"],
      told: told("cli-config.json $config/cursor/cli-config.json projects/*/mcp-approvals.json projects/*/.workspace-trusted"),
    },
  ),
  agent(
    "goose",
    ["%GOOSE_PATH_ROOT/config", "$config/goose"],
    [
      // An empty text is no YAML map, and goose would refuse to start.
      { path: "config.yaml", standIn: JSON_FILE },
      { path: "permission.yaml", standIn: JSON_FILE },
      ...where("custom_providers recipes plugins prompts %GOOSE_PATH_ROOT/.agents"),
    ],
    {
      state: ["%GOOSE_PATH_ROOT/data", "%GOOSE_PATH_ROOT/state", "$data/goose", "$state/goose"],
      told: told(".goosehints memory/* permissions/tool_permissions.json"),
    },
  ),
];
