// What doctor finds in the settings of agents and of the project that would undo what we do for them: other credentials, other sandboxes. Read only. Called by doctor.ts.
import { join } from "node:path";
import { parse } from "smol-toml";
import { plainFile } from "../../core/plain-file.ts";
import { evaluate } from "../../policy/evaluate.ts";
import type { Profile } from "../../session/profile.ts";
import type { Context } from "../command.ts";
import { type Check, failing, ok, warning } from "./check.ts";

/** Variables that put another identity in the place of the session's. */
const IDENTITY =
  /^(AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|DEFAULT_PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_.*|BEARER_TOKEN_.*))$/;

/** Of a file that is read; ~/.claude.json grows. */
const LONGEST = 16_777_216;

export function agentChecks(context: Context, profile: Profile): Check[] {
  const home = context.env["HOME"] ?? "";
  const found = [
    ...["settings.json", "settings.local.json"]
      .flatMap((name) => [join(home, ".claude", name), join(context.cwd, ".claude", name)])
      .flatMap(claude),
    ...bedrock(context, profile, home),
    ...codex(join(home, ".codex", "config.toml")),
    ...[
      join(context.cwd, ".env"),
      join(context.cwd, ".envrc"),
      join(home, ".gemini", ".env"),
      join(context.cwd, ".gemini", ".env"),
    ].flatMap(dotenv),
    ...[join(context.cwd, ".mcp.json"), join(home, ".claude.json")].flatMap(servers),
  ];
  return found.length > 0 ? found : [ok("agent settings", "none of claude, codex, gemini or this project puts other credentials in place")];
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The project's are there as whoever writes in it has made them. */
const text = (file: string): string | undefined => plainFile(file, LONGEST);

function json(file: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text(file) ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const named = (variables: unknown): string[] => (isObject(variables) ? Object.keys(variables).filter((name) => IDENTITY.test(name)) : []);

/** Claude Code's settings reference: `env`, `awsAuthRefresh`, `awsCredentialExport`, `sandbox`. */
function claude(file: string): Check[] {
  const settings = json(file);
  if (!settings) return [];
  const checks = named(settings["env"]).map((name) =>
    failing("claude", `${file} sets ${name}, which takes the place of the session's credentials`, `remove env.${name} from ${file}`),
  );
  for (const key of ["awsAuthRefresh", "awsCredentialExport"]) {
    if (settings[key] !== undefined)
      checks.push(
        failing("claude", `${file} has ${key}: claude would sign in by itself and leave the session`, `remove ${key} from ${file}`),
      );
  }
  const sandbox = settings["sandbox"];
  if (isObject(sandbox) && sandbox["enabled"] === true)
    checks.push(
      warning(
        "claude",
        `${file} switches claude's own sandbox on, which does not start inside ours`,
        `set sandbox.enabled to false in ${file}`,
      ),
    );
  return checks;
}

function bedrock(context: Context, profile: Profile, home: string): Check[] {
  const env = json(join(home, ".claude", "settings.json"))?.["env"];
  const wanted = context.env["CLAUDE_CODE_USE_BEDROCK"] ?? (isObject(env) ? env["CLAUDE_CODE_USE_BEDROCK"] : undefined);
  if (!wanted || wanted === "0") return [];
  const { outcome } = evaluate(
    {
      principal: "arn:aws:sts::123456789012:assumed-role/any/sess_00000000",
      action: "bedrock:InvokeModelWithResponseStream",
      resource: "arn:aws:bedrock:us-east-1::foundation-model/anthropic.any",
      context: {},
    },
    { identity: [profile.sessionPolicy.document] },
  );
  return outcome === "allowed"
    ? [ok("claude on bedrock", `profile '${profile.name}' lets it invoke models`)]
    : [
        failing(
          "claude on bedrock",
          `CLAUDE_CODE_USE_BEDROCK is set, and profile '${profile.name}' allows no bedrock:InvokeModel*: claude itself would not answer`,
          "agent-run -p bedrock claude",
        ),
      ];
}

/** Codex's configuration reference: `shell_environment_policy.set`. */
function codex(file: string): Check[] {
  let settings: unknown;
  try {
    settings = parse(text(file) ?? "");
  } catch {
    return [];
  }
  const policy = isObject(settings) ? settings["shell_environment_policy"] : undefined;
  return named(isObject(policy) ? policy["set"] : undefined).map((name) =>
    failing(
      "codex",
      `${file} sets ${name}, which takes the place of the session's credentials`,
      `remove shell_environment_policy.set.${name}`,
    ),
  );
}

function dotenv(file: string): Check[] {
  const names = [...(text(file) ?? "").matchAll(/^[ \t]*(?:export[ \t]+)?([A-Z_]+)[ \t]*=/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => IDENTITY.test(name));
  if (names.length === 0) return [];
  return [
    warning(
      "project",
      `${file} sets ${names.join(", ")}: a program that reads it leaves the session`,
      `take ${names.join(", ")} out of ${file}`,
    ),
  ];
}

function servers(file: string): Check[] {
  const found = json(file)?.["mcpServers"];
  if (!isObject(found)) return [];
  return Object.entries(found).flatMap(([server, settings]) =>
    named(isObject(settings) ? settings["env"] : undefined).map((name) =>
      warning("mcp", `${file}: server ${server} gets ${name}, and so another identity`, `take ${name} out of its env`),
    ),
  );
}
