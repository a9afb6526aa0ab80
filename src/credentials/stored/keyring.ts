// The system keyring: the secret service on Linux, the keychain on macOS. Asked in a child that may hang or crash, for 3 s at most. Called by stores.ts and
// by sso/session-store.ts.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { printable } from "../../aws/failure.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import { Secret } from "../../core/secret.ts";
import { KEYRING_PROGRAM } from "./keyring-program.ts";

/** What our items are filed under. */
const SERVICE = "agent-run";
/** A keyring that starts answers within 50 ms; one that does not may never. */
export const PATIENCE_MS = 3000;
const MOST_OUTPUT = 1_048_576;
/** Where the session's bus is, and what a service that the bus starts for us needs. */
const VARIABLES = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME", "USER", "LOGNAME", "LANG", "DISPLAY", "WAYLAND_DISPLAY"];

/** As the human knows it. */
export const KEYRING_NAME = process.platform === "darwin" ? "macOS keychain" : "secret service";

export interface KeyringItem {
  readonly account: string;
  /** Of an item that holds a key pair. */
  readonly accessKeyId: string | undefined;
}

export interface Keyring {
  /** The item's text; undefined where there is none, and only then. */
  get(account: string): Promise<Secret | undefined>;
  set(account: string, secret: Secret): Promise<void>;
  /** Whether there was one. */
  remove(account: string): Promise<boolean>;
  /** All of ours. Their secrets stay in the child. */
  list(): Promise<KeyringItem[]>;
}

/**
 * The keyring of the human whose environment this is.
 * @throws AgentRunError, by each call: `keyring`, which says whether it is absent, locked or does not answer
 */
export function openKeyring(env: Environment, patienceMs = PATIENCE_MS): Keyring {
  const call = (act: string, account?: string, secret?: Secret): Promise<unknown> =>
    ask(JSON.stringify({ act, service: SERVICE, account, secret: secret?.reveal() }), env, patienceMs);
  return {
    async get(account) {
      const text = await call("get", account);
      if (text === null) return undefined;
      if (typeof text !== "string") throw nonsense();
      return new Secret(text);
    },
    async set(account, secret) {
      await call("set", account, secret);
    },
    async remove(account) {
      return (await call("remove", account)) === true;
    },
    async list() {
      const items = await call("list");
      if (!Array.isArray(items)) throw nonsense();
      return items.map(({ account, accessKeyId }) => ({
        account: String(account),
        accessKeyId: typeof accessKeyId === "string" ? accessKeyId : undefined,
      }));
    },
  };
}

function ask(request: string, env: Environment, patienceMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let library: string;
    try {
      library = createRequire(import.meta.url).resolve("@napi-rs/keyring");
    } catch (error) {
      return reject(
        failure(
          `the library for it is not installed: ${messageOf(error).split("\n")[0]}`,
          "install agent-run again, with its optional packages",
        ),
      );
    }
    // No core file of it, and no debugger in it: for milliseconds it holds what the keyring keeps.
    const program = [process.execPath, "--disable-sigusr1", "-e", KEYRING_PROGRAM, library];
    const child = spawn("/bin/sh", ["-c", 'ulimit -c 0; exec "$@"', "agent-run", ...program], {
      cwd: "/",
      env: Object.fromEntries(VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
      stdio: ["pipe", "pipe", "ignore"],
    });
    let output = "";
    const end = (): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => {
      end();
      reject(noAnswer(patienceMs));
    }, patienceMs);
    child.stdin.on("error", () => undefined);
    child.stdin.end(request);
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      output += part;
      if (output.length > MOST_OUTPUT) end();
    });
    child.on("error", (error) => {
      end();
      reject(failure(`cannot be asked: ${error.message}`, "agent-run doctor"));
    });
    child.on("close", () => {
      clearTimeout(timer);
      const answer = answerOf(output);
      output = "";
      if (answer === undefined) reject(nonsense());
      else if ("error" in answer) reject(explained(String(answer.error)));
      else resolve(answer.ok);
    });
  });
}

function answerOf(output: string): { readonly ok: unknown } | { readonly error: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === "object" && value !== null && ("ok" in value || "error" in value) ? (value as { ok: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

const ELSEWHERE = "or keep the keys in a sealed file: agent-run credentials add <name> --store file";

const failure = (what: string, hint: string): AgentRunError => new AgentRunError("keyring", `the ${KEYRING_NAME} ${what}`, { hint });

const noAnswer = (patienceMs: number): AgentRunError =>
  failure(
    `did not answer within ${patienceMs / 1000} s`,
    `unlock it or start it anew (where it asks for its password in a window, answer there first), ${ELSEWHERE}`,
  );

const nonsense = (): AgentRunError => failure("gave no answer that makes sense", "agent-run doctor");

/** What the library said, which names no item's content, as what the human can do about it. */
function explained(text: string): AgentRunError {
  if (/prompt was dismissed|IsLocked|is locked/i.test(text))
    return failure("is locked", `unlock it, as by logging in to your desktop, ${ELSEWHERE}`);
  if (/not provided by any|ServiceUnknown|NameHasNoOwner/.test(text))
    return failure("is not there: no program on this D-Bus provides one", `install and start gnome-keyring or KWallet, ${ELSEWHERE}`);
  if (/autolaunch|DBUS_SESSION_BUS_ADDRESS|Failed to connect|connect to socket|NoServer/i.test(text))
    return failure(
      "cannot be reached: there is no D-Bus session here",
      `log in to a desktop session, or start one with dbus-run-session, ${ELSEWHERE}`,
    );
  if (/Did not receive a reply|NoReply|TimedOut|Timeout/i.test(text)) return failure("does not answer", `start it anew, ${ELSEWHERE}`);
  return failure(`failed: ${printable(text).slice(0, 200)}`, ELSEWHERE.replace(/^or /, ""));
}
