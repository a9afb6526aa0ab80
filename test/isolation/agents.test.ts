// What the agents known by name can write, read and not see, each at both levels: by the files that their own documentation names.
import { describe, expect, it } from "vitest";
import { KNOWN_AGENTS } from "../../src/isolation/agents.ts";
import { nearestAbove } from "../../src/isolation/path.ts";
import { type IsolationInput, placesToLookAt, planIsolation } from "../../src/isolation/plan.ts";
import type { Child, Facts, Found } from "../../src/isolation/plan-facts.ts";

interface Files {
  /** Logins, histories, sessions: written by the agent. */
  readonly state: readonly string[];
  /** Settings, hooks, programs: they steer or run something later. */
  readonly settings: readonly string[];
  /** Made, empty and read-only, where the human has none. */
  readonly madeUp: readonly string[];
}

/** Below home. Variables of the agents' own are not set. */
const FILES: Readonly<Record<string, Files>> = {
  claude: {
    state: [".claude/.credentials.json", ".claude/projects/app/one.jsonl", ".claude.json", ".local/state/claude/lock"],
    settings: [
      ".claude/settings.json",
      ".claude/hooks/check.sh",
      ".claude/agents/a.md",
      ".claude/skills/s/SKILL.md",
      ".claude/plugins/p.json",
      ".claude/daemon.json",
      ".claude/scheduled_tasks.json",
      ".claude/keybindings.json",
      ".claude/state/unattended-serving-consent.json",
      ".claude/state/device-mcp-consent.json",
      ".config/anthropic/configs/default.json",
    ],
    madeUp: [
      ...[".claude/settings.json", ".claude/commands", ".claude/hooks", ".claude/plugins", ".claude/workflows", ".claude/routines"],
      ...[".claude/.config.json", ".claude/keybindings.json"],
    ],
  },
  codex: {
    state: [".codex/auth.json", ".codex/history.jsonl", ".codex/sessions/2026/one.jsonl"],
    settings: [
      ".codex/config.toml",
      ".codex/work.config.toml",
      ".codex/hooks.json",
      ".codex/.env",
      ".codex/environments.toml",
      ".codex/agents/a.toml",
      ".codex/rules/r",
      ".codex/packages/app-server-daemon/current",
      ".codex/skills/mine/SKILL.md",
    ],
    madeUp: [".codex/config.toml", ".codex/hooks.json", ".codex/.env", ".codex/environments.toml", ".codex/agents", ".codex/rules"],
  },
  gemini: {
    state: [".gemini/oauth_creds.json", ".gemini/google_accounts.json", ".gemini/tmp/app/logs.json"],
    settings: [
      ".gemini/settings.json",
      ".gemini/.env",
      ".gemini/extensions/e/gemini-extension.json",
      ".gemini/policies/auto-saved.toml",
      ".gemini/trusted_hooks.json",
      ".gemini/acknowledgments/agents.json",
      ".gemini/policy_integrity.json",
      ".gemini/tmp/bin/rg",
    ],
    madeUp: [
      ".gemini/settings.json",
      ".gemini/.env",
      ".gemini/extensions",
      ".gemini/policies",
      ".gemini/skills",
      ".gemini/agents",
      ".gemini/trusted_hooks.json",
      ".gemini/acknowledgments",
    ],
  },
  aider: {
    state: [".aider/analytics.json", ".aider/caches/models.json"],
    settings: [".aider/oauth-keys.env", ".aider.conf.yml", ".aider.model.settings.yml"],
    madeUp: [".aider/oauth-keys.env"],
  },
  opencode: {
    state: [".local/share/opencode/auth.json", ".local/share/opencode/storage/session/one.json", ".local/state/opencode/tui"],
    settings: [
      ".config/opencode/opencode.json",
      ".config/opencode/plugins/p.ts",
      ".local/share/opencode/bin/rg",
      ".cache/opencode/packages/p/index.js",
      ".cache/opencode/bin/gopls",
      ".opencode/plugin/p.ts",
    ],
    madeUp: [".config/opencode", ".config/opencode/.gitignore"],
  },
  amp: {
    state: [".local/share/amp/secrets.json", ".local/share/amp/history.jsonl"],
    settings: [".config/amp/settings.json", ".config/amp/plugins/p.ts", ".amp/bin/amp"],
    madeUp: [".config/amp/settings.json", ".config/amp/plugins", ".config/amp/tools"],
  },
  "cursor-agent": {
    state: [".cursor/chats/one/store.db", ".config/cursor/auth.json"],
    settings: [".cursor/cli-config.json", ".cursor/mcp.json", ".cursor/hooks.json", ".cursor/hooks/h.sh", ".config/cursor/cli-config.json"],
    madeUp: [".cursor/mcp.json", ".cursor/hooks.json"],
  },
  goose: {
    state: [".config/goose/secrets.yaml", ".local/share/goose/sessions/sessions.db", ".local/state/goose/logs/cli/one.log"],
    settings: [
      ".config/goose/config.yaml",
      ".config/goose/permission.yaml",
      ".config/goose/custom_providers/p.json",
      ".config/goose/recipes/r.yaml",
    ],
    madeUp: [".config/goose/config.yaml", ".config/goose/permission.yaml"],
  },
};

const HOME = "/home/dev";
const OTHER = "some-agent";

function planFor(
  agent: string,
  level: "standard" | "strict",
  files: readonly string[],
  more: Partial<IsolationInput> = {},
  leads: ReadonlyMap<string, string> = new Map(),
) {
  const input: IsolationInput = {
    ...{ level, agent, platform: "linux", home: HOME, homes: [HOME], uid: 1000, project: `${HOME}/app`, cwd: `${HOME}/app` },
    ...{ packageFolder: "/opt/agent-run", sessionFolder: undefined, programs: [], allow: [], write: [], hide: [] },
    paths: { config: `${HOME}/.config/agent-run`, state: `${HOME}/.local/state/agent-run`, runtime: "/run/user/1000/agent-run" },
    env: { HOME, PATH: "/usr/bin" },
    ...more,
  };
  const there = ["app/readme.md", ...files].map((file) => `${HOME}/${file}`);
  const kindOf = (path: string): Found["kind"] | undefined => {
    if (there.includes(path)) return "file";
    return there.some((file) => file.startsWith(`${path}/`)) ? "folder" : undefined;
  };
  const found = new Map<string, Found>();
  const listings = new Map<string, readonly Child[]>();
  const list = (folder: string): void => {
    const names = there.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1).split("/")[0] ?? "");
    const children = [...new Set(names)].map((name): Child => {
      return kindOf(`${folder}/${name}`) === "file" ? { name, kind: "file", runs: false } : { name, kind: "folder" };
    });
    listings.set(folder, children);
  };
  list(HOME);
  for (const [path, real] of leads) found.set(path, { kind: "file", real, own: true });
  for (const { path, list: wanted } of placesToLookAt(input)) {
    const kind = kindOf(path);
    if (kind === undefined) continue;
    found.set(path, { kind, real: path, own: true });
    if (wanted) list(path);
  }
  const facts: Facts = {
    ...{ homes: [HOME], project: input.project, cwd: input.cwd, found, listings },
    ...{ links: [], sockets: [], git: [], resolver: undefined, windowsDrives: [] },
  };
  const { entries, warnings } = planIsolation(input, facts);
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return Object.assign((file: string) => byPath.get(`${HOME}/${file}`) ?? nearestAbove(`${HOME}/${file}`, byPath), {
    warnings,
    entries,
    found,
  });
}

describe.each(["standard", "strict"] as const)("at %s", (level) => {
  it.each(KNOWN_AGENTS.map((known) => known.name))(
    "%s writes its own state, reads its settings, and no other agent sees either",
    (agent) => {
      const { state, settings } = FILES[agent] ?? { state: [], settings: [] };
      expect(state.length, "its files are listed here").toBeGreaterThan(0);
      const own = planFor(agent, level, [...state, ...settings]);
      for (const file of state) expect(own(file)?.access, file).toBe("writable");
      for (const file of settings) expect(own(file)?.access, file).toBe("read-only");
      const other = planFor(OTHER, level, [...state, ...settings]);
      // Home at strict is empty but for what is listed.
      for (const file of [...state, ...settings]) expect(other(file)?.access, file).toBe(level === "strict" ? "empty" : "hidden");
      const given = planFor(OTHER, level, [...state, ...settings], { allow: [agent] });
      for (const file of settings) expect(given(file)?.access, file).toBe("read-only");
    },
  );

  it.each(KNOWN_AGENTS.map((known) => known.name))(
    "%s has state that lasts, and can not make settings, where the human has none",
    (agent) => {
      const { state = [], madeUp = [] } = FILES[agent] ?? {};
      const own = planFor(agent, level, []);
      for (const file of state) {
        const entry = own(file);
        expect(entry, file).toMatchObject({ access: "writable" });
        expect(entry?.standIn, file).toBeDefined();
      }
      for (const file of madeUp)
        expect(own(file), file).toMatchObject({ path: `${HOME}/${file}`, access: "read-only", standIn: expect.anything() });
    },
  );

  it.each(KNOWN_AGENTS.map((known) => known.name))(
    "%s gets each entry as the kind that is there, and a stand-in only where nothing is",
    (agent) => {
      const { state = [], settings = [] } = FILES[agent] ?? {};
      for (const files of [[], state, settings, [...state, ...settings]]) {
        const { entries, found } = planFor(agent, level, files);
        for (const { path, kind, reason, standIn } of entries.filter((entry) => entry.path.startsWith(`${HOME}/.`))) {
          const there = found.get(path)?.kind;
          // A folder that is a mount only for what is made up in it may be there.
          const isAround = reason.startsWith("a mount of its own");
          if (there !== undefined) expect({ path, kind, standIn: isAround ? undefined : standIn }).toEqual({ path, kind: there });
          else if (standIn !== undefined) expect({ path, kind }).toEqual({ path, kind: standIn === "folder" ? "folder" : "file" });
        }
      }
    },
  );
});

it.each([
  ["claude", "CLAUDE_CONFIG_DIR", "login", "writable"],
  ["claude", "CLAUDE_CONFIG_DIR", "settings.json", "read-only"],
  ["claude", "CLAUDE_CODE_PLUGIN_CACHE_DIR", "cache/p/hooks/h.sh", "read-only", "assembled"],
  ["claude", "ANTHROPIC_CONFIG_DIR", "credentials/work.json", "read-only", "assembled"],
  ["codex", "CODEX_HOME", "login", "writable"],
  ["codex", "CODEX_HOME", "config.toml", "read-only"],
  ["codex", "CODEX_SQLITE_HOME", "state_5.sqlite", "writable"],
  ["gemini", "GEMINI_CLI_HOME", ".gemini/login", "writable"],
  ["gemini", "GEMINI_CLI_HOME", ".gemini/settings.json", "read-only"],
  ["cursor-agent", "CURSOR_CONFIG_DIR", "login", "writable"],
  ["cursor-agent", "CURSOR_CONFIG_DIR", "hooks.json", "read-only"],
  ["cursor-agent", "CURSOR_DATA_DIR", "login", "writable"],
  ["cursor-agent", "CURSOR_DATA_DIR", "mcp.json", "read-only"],
  ["goose", "GOOSE_PATH_ROOT", "config/login", "writable"],
  ["goose", "GOOSE_PATH_ROOT", "config/config.yaml", "read-only"],
  ["goose", "GOOSE_PATH_ROOT", "data/sessions/sessions.db", "writable"],
  ["goose", "GOOSE_PATH_ROOT", "state/logs/one.log", "writable"],
  ["goose", "GOOSE_PATH_ROOT", ".agents/plugins/p/run.sh", "read-only", "assembled"],
  ["opencode", "OPENCODE_CONFIG_DIR", "plugins/p.ts", "read-only"],
])("%s has what %s moves: %s in there is %s, and no other agent sees it", (agent, variable, name, access, absent = access) => {
  const file = `moved/${name}`;
  const env = { HOME, PATH: "/usr/bin", [variable]: `${HOME}/moved` };
  for (const level of ["standard", "strict"] as const) expect(planFor(agent, level, [file], { env })(file)?.access, level).toBe(access);
  expect(planFor(agent, "standard", [], { env })(file)?.access, "where nothing is there yet").toBe(absent);
  expect(planFor(OTHER, "standard", [file], { env })(file)?.access).toBe("hidden");
});

it.each([
  ["opencode", "OPENCODE_CONFIG"],
  ["opencode", "OPENCODE_TUI_CONFIG"],
  ["amp", "AMP_SETTINGS_FILE"],
  ["aider", "AIDER_MODEL_SETTINGS_FILE"],
  ["gemini", "GEMINI_CLI_TRUSTED_FOLDERS_PATH"],
])("%s reads the file that %s names, and can not write it where it lies in a writable folder", (agent, variable) => {
  const env = { HOME, PATH: "/usr/bin", [variable]: `${HOME}/app/conf/named` };
  for (const level of ["standard", "strict"] as const)
    expect(planFor(agent, level, ["app/conf/named", "app/conf/other"], { env })("app/conf/named")).toMatchObject({ access: "read-only" });
  expect(planFor(agent, "standard", ["app/conf/named"], { env })("app/conf/other")?.access).toBe("writable");
});

it("opencode writes the database that OPENCODE_DB names where nothing else lies beside it, and is told of where it can not", () => {
  const planOf = (name: string, files: readonly string[]) =>
    planFor("opencode", "standard", files, { env: { HOME, PATH: "/usr/bin", OPENCODE_DB: name } });
  const alone = planOf(`${HOME}/db/mine.db`, ["db/mine.db", "db/mine.db-wal"]);
  expect(alone("db/mine.db-wal")?.access).toBe("writable");
  expect(alone.warnings).toEqual([]);
  const beside = planOf(`${HOME}/.config/mine.db`, [".config/mine.db", ".config/fish/config.fish"]);
  expect(beside(".config/fish/config.fish")?.access).toBe("read-only");
  expect(beside.warnings).toEqual([
    `${HOME}/.config/mine.db can not be written, as ${HOME}/.config holds more than that database: give it a folder of its own`,
  ]);
  expect(planOf(`${HOME}/mine.db`, ["mine.db"])("mine.db")?.access).toBe("read-only");
  for (const name of ["mine.db", ":memory:"]) expect(planOf(name, []).warnings).toEqual([]);
});

describe("Cursor's other command, `agent`,", () => {
  const cursors = `${HOME}/.local/share/cursor-agent/versions/2026.11.20-abc/cursor-agent`;
  const planOf = (program: string, real: string) =>
    planFor("agent", "standard", [".cursor/chats/one"], { programs: [program] }, new Map([[program, real]]));

  it("is taken for Cursor's where it leads to Cursor's program", () => {
    expect(planOf(`${HOME}/.local/bin/agent`, cursors)(".cursor/chats/one")?.access).toBe("writable");
    expect(planOf(cursors, cursors)(".cursor/mcp.json")?.access).toBe("read-only");
  });

  it("is not where it leads elsewhere, whatever its own path says", () => {
    for (const real of ["/usr/bin/agent", `${HOME}/code/cursor-agent`, `${HOME}/app/cursor-agent/versions/agent`])
      expect(planOf(`${HOME}/.local/bin/agent`, real)(".cursor/chats/one")?.access, real).toBe("hidden");
  });
});

it("goose's and opencode's folders follow XDG's variables", () => {
  const env = { HOME, PATH: "/usr/bin", XDG_CONFIG_HOME: `${HOME}/c`, XDG_DATA_HOME: `${HOME}/d` };
  const goose = planFor("goose", "standard", [], { env });
  expect(goose("c/goose/secrets.yaml")?.access).toBe("writable");
  expect(goose("c/goose/config.yaml")?.access).toBe("read-only");
  const opencode = planFor("opencode", "standard", [], { env });
  expect(opencode("d/opencode/auth.json")?.access).toBe("writable");
  expect(opencode("c/opencode/opencode.json")).toMatchObject({ path: `${HOME}/c/opencode`, access: "read-only", standIn: "folder" });
});
