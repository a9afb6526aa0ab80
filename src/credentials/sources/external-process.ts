// Programs that the human's own settings name, run as the human's own tools would: credential_process and mfa_process. Called by profile.ts and by session.
import { spawn } from "node:child_process";
import { objectOf } from "../../aws/ask.ts";
import { printable } from "../../aws/failure.ts";
import { AgentRunError } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import { databaseHome } from "../../core/user.ts";
import { type Found, type Search, sealParts } from "./source.ts";

/** It may wait for a touch of a key or a click in a window. */
const PATIENCE_MS = 60_000;
const MOST_OUTPUT = 65_536;

/**
 * Runs the command by `/bin/sh` with the human's environment and no terminal, and reads its JSON (AWS CLI guide, "Sourcing credentials with an external
 * process"). AWS's own provider for JavaScript runs it with this process's environment instead, so it is not used.
 * @throws AgentRunError `base-credentials` with the last line that the program said
 */
export async function fromProcess(command: string, profile: string, search: Search): Promise<Found> {
  const what = `the credential_process of aws profile '${profile}'`;
  const hint = `run it by hand to see what it says: aws configure get credential_process --profile ${profile}`;
  const output = await run({ command, env: search.env, home: search.files.home, patienceMs: PATIENCE_MS, what, hint });
  const parts = objectOf(output);
  if (parts["Version"] !== 1) throw new AgentRunError("base-credentials", `${what} did not print JSON with "Version": 1`, { hint });
  return {
    credentials: sealParts(parts, what, search.now(), hint),
    source: `AWS profile '${profile}' (credential_process)`,
    chained: false,
  };
}

/**
 * Runs the command likewise, outside every sandbox, and takes what it prints for an MFA code: `op item get aws --otp`, `ykman oath accounts code --single aws`.
 * @param where the setting that names it
 * @throws AgentRunError `base-credentials` with the last line that it said, `mfa` when what it printed is no code; that is not quoted
 */
export async function codeFromProcess(command: string, where: string, env: Environment, patienceMs = PATIENCE_MS): Promise<string> {
  const hint = `run it by hand to see what it says; it must print the code and nothing else`;
  const code = (await run({ command, env, home: env["HOME"] || databaseHome() || "/", patienceMs, what: where, hint })).trim();
  if (/^\d{6}$/.test(code)) return code;
  throw new AgentRunError("mfa", `${where} did not print six digits`, { hint });
}

interface Run {
  readonly command: string;
  readonly env: Environment;
  /** Where it runs. */
  readonly home: string;
  readonly patienceMs: number;
  /** What it is, as an error begins. */
  readonly what: string;
  readonly hint: string;
}

/** What it prints. Throws AgentRunError `base-credentials`. */
function run({ command, env, home, patienceMs, what, hint }: Run): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new AgentRunError("base-credentials", `${what} ${message}`, { hint }));
    // A group of its own, so that all of it can be ended when it takes too long.
    const child = spawn("/bin/sh", ["-c", command], {
      cwd: home,
      env: defined(env),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    const end = (): void => {
      try {
        if (child.pid) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => {
      end();
      fail(`gave nothing within ${patienceMs / 1000} s`);
    }, patienceMs);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (stdout.length > MOST_OUTPUT) end();
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr = (stderr + chunk).slice(-4096);
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(`cannot be run: ${error.message}`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(stdout);
      const said = printable(stderr.trim().split("\n").at(-1) ?? "").slice(0, 200);
      fail(`failed with ${signal ?? `exit status ${code}`}${said === "" ? "" : `: ${said}`}`);
    });
  });
}

const defined = (env: Environment): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
