// Claude Code, Codex and Gemini CLI as the tests start them: fetched by `npm run oracle:agents`, never by a test; no network, and past the questions of a
// first start. Used by agents.test.ts here and by test/end-to-end/agents-inside.test.ts.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A port where nobody listens: their proxy, and the address of their model. */
const NOWHERE = "http://127.0.0.1:9";
const modules = join(import.meta.dirname, "..", "..", ".cache", "oracle-agents", "node_modules");

export interface AgentProgram {
  readonly file: string;
  /** Files of the home, by the project that the agent is to trust. */
  readonly files: (project: string) => Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** What stands on its start screen once that is whole. */
  readonly shows: string;
}

export const agentPrograms = {
  claude: {
    file: join(modules, "@anthropic-ai", `claude-code-${process.platform}-${process.arch}`, "claude"),
    files: (project) => ({
      ".claude.json": JSON.stringify({
        hasCompletedOnboarding: true,
        theme: "dark",
        // An invitation to another renderer, which comes at some starts and not at others.
        fullscreenUpsellSeenCount: 1000,
        projects: { [project]: { hasTrustDialogAccepted: true } },
      }),
    }),
    // On Bedrock it asks nobody for settings before it shows itself.
    env: {
      CLAUDE_CODE_USE_BEDROCK: "1",
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    shows: "auto mode on",
  },
  codex: {
    file: join(modules, ".bin", "codex"),
    files: (project) => ({
      ".codex/config.toml": [
        "check_for_update_on_startup = false",
        'model = "none"',
        'model_provider = "none"',
        "[model_providers.none]",
        'name = "none"',
        `base_url = "${NOWHERE}/v1"`,
        'wire_api = "responses"',
        // It would copy itself into the home, 200 MB, and leave a process behind.
        "[features]",
        "daemon_auto_start = false",
        `[projects."${project}"]`,
        'trust_level = "trusted"',
      ].join("\n"),
    }),
    env: {},
    shows: "none default",
  },
  gemini: {
    file: join(modules, ".bin", "gemini"),
    files: () => ({
      ".gemini/settings.json": JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
        general: { enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
      }),
    }),
    env: { GEMINI_API_KEY: "none", GEMINI_CLI_NO_RELAUNCH: "true" },
    shows: "Type your message",
  },
} as const satisfies Record<string, AgentProgram>;

export type AgentName = keyof typeof agentPrograms;

export const isFetched = (name: AgentName): boolean => existsSync(agentPrograms[name].file);

/** Makes the agent at home in `home`, with a project that it trusts. Gives the variables that it wants. */
export function settle(name: AgentName, home: string, project: string): Record<string, string> {
  const { files, env } = agentPrograms[name];
  mkdirSync(project, { recursive: true });
  for (const [file, content] of Object.entries(files(project))) {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), content);
  }
  return { ...env, COLORTERM: "truecolor", HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE };
}
