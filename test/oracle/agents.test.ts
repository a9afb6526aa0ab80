// Claude Code, Codex and Gemini CLI at their start screens, against the oracle. They are fetched by `npm run oracle:agents`, never by a test, and reach no
// network here: the home is empty but for what takes them past the questions of a first start, and their proxy is a port where nobody listens.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { node } from "../terminal/outer.ts";
import { openStage, type Stage } from "./program.ts";

const modules = join(import.meta.dirname, "..", "..", ".cache", "oracle-agents", "node_modules");
const platform = `${process.platform}-${process.arch}`;
const claude = join(modules, "@anthropic-ai", `claude-code-${platform}`, "claude");
const codex = join(modules, "@openai", "codex", "bin", "codex.js");
const gemini = join(modules, "@google", "gemini-cli", "bundle", "gemini.js");
const NOWHERE = "http://127.0.0.1:9";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** A home with these files and a project in it. */
function home(
  name: string,
  files: (project: string) => Record<string, string>,
): { readonly project: string; readonly env: Record<string, string> } {
  const folder = join(stage.folder, name);
  const project = join(folder, "project");
  mkdirSync(project, { recursive: true });
  for (const [file, content] of Object.entries(files(project))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return { project, env: { HOME: folder, COLORTERM: "truecolor", HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE } };
}

describe("coding agents look as they do alone", () => {
  it.skipIf(!existsSync(claude))(
    "Claude Code (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => {
      const { project, env } = home("claude", (path) => ({
        ".claude.json": JSON.stringify({
          hasCompletedOnboarding: true,
          theme: "dark",
          projects: { [path]: { hasTrustDialogAccepted: true } },
        }),
      }));
      // On Bedrock it asks nobody for settings before it shows itself.
      const bedrock = { CLAUDE_CODE_USE_BEDROCK: "1", CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1", AWS_REGION: "us-east-1" };
      await stage.compare(
        `cd ${project}; ${claude}`,
        [{ type: "", shows: "auto mode on" }, { type: "hello", shows: "hello" }, "\x15", { type: "?", shows: "for commands" }],
        { ...env, ...bedrock, DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
      );
    },
    240_000,
  );

  it.skipIf(!existsSync(codex))(
    "Codex (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => {
      const { project, env } = home("codex", (path) => ({
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
          `[projects."${path}"]`,
          'trust_level = "trusted"',
        ].join("\n"),
      }));
      await stage.compare(
        `cd ${project}; ${node} ${codex}`,
        [{ type: "", shows: "none default" }, { type: "hello", shows: "› hello" }, "\x15", { type: "?", shows: "Keyboard shortcuts" }],
        env,
      );
    },
    240_000,
  );

  it.skipIf(!existsSync(gemini))(
    "Gemini CLI (needs npm run oracle:agents): its start screen, typing, its shortcuts",
    async () => {
      const { project, env } = home("gemini", () => ({
        ".gemini/settings.json": JSON.stringify({
          security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
          general: { enableAutoUpdate: false },
          privacy: { usageStatisticsEnabled: false },
        }),
      }));
      await stage.compare(
        `cd ${project}; ${node} ${gemini}`,
        [{ type: "", shows: "Type your message" }, { type: "hello", shows: "hello" }, "\x15", { type: "?", shows: "Shortcuts" }],
        { ...env, GEMINI_API_KEY: "none", GEMINI_CLI_NO_RELAUNCH: "true" },
      );
    },
    240_000,
  );
});
