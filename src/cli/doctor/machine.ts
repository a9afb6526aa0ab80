// What doctor finds out about this machine: by doing it, where doing it changes nothing. Called by doctor.ts.

import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import type { IsolationLevel } from "../../control/protocol.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { privateFolder } from "../../core/folder.ts";
import { controlSocket } from "../../core/paths.ts";
import { openSessionStore } from "../../credentials/sso/session-store.ts";
import { KEYRING_NAME, openKeyring } from "../../credentials/stored/keyring.ts";
import { wslVersion } from "../../isolation/mending.ts";
import { METADATA_ANSWERS, metadataService } from "../../isolation/metadata.ts";
import { preludeFile, sandboxInitFile } from "../../isolation/own-programs.ts";
import { probeIsolation } from "../../isolation/probe.ts";
import { statusOf } from "../ask-daemon.ts";
import type { Context } from "../command.ts";
import { counted } from "../counted.ts";
import { type Check, failing, ok, unknown, warning } from "./check.ts";

const METADATA_MEND =
  "run agents with --isolation strict, or give this machine a role that may do nothing; no level that shares its network can hide it";
const OLDEST_NODE = 24;
/** As much as a short session's records. */
const WRITTEN = 16_384;
/** sun_path of unix(7), its final NUL left out; macOS has 104. */
const LONGEST_SOCKET_PATH = process.platform === "darwin" ? 103 : 107;

/** @param credentials where the profile's base credentials are kept, where agent-run keeps them */
export async function machineChecks(context: Context, isolation: IsolationLevel, credentials: string | undefined): Promise<Check[]> {
  const here = [node(), system(), await sandbox(context, isolation), ...folders(context), await daemon(context), terminal(context)];
  return [...here, ...(await metadata(context, isolation)), await keyring(context, credentials)];
}

function node(): Check {
  const { version } = process;
  return Number(version.slice(1).split(".")[0]) >= OLDEST_NODE
    ? ok("node", `${version}`)
    : failing("node", `${version} is too old`, `install Node ${OLDEST_NODE} or newer: https://nodejs.org`);
}

function system(): Check {
  const { platform, arch } = process;
  if (platform === "win32")
    return failing("system", "Windows has neither PTYs nor a sandbox for it", "install it inside WSL2: wsl --install");
  if (platform === "darwin")
    return warning(
      "system",
      `macOS ${arch}: isolation by sandbox-exec, without a process namespace, and less tried than on Linux`,
      "read what it cannot do in docs/isolation.md, or run it in a Linux machine or container",
    );
  const wsl = wslVersion(release());
  if (wsl === 1)
    return failing(
      "system",
      "WSL 1 has neither namespaces nor PTYs as Linux has them",
      "in Windows, with your distribution's name: wsl --set-version Ubuntu 2",
    );
  return ok("system", `${platform} ${arch}${wsl === undefined ? "" : ", under WSL 2"}`);
}

async function sandbox({ env, packageFolder }: Context, level: IsolationLevel): Promise<Check> {
  const name = `isolation ${level}`;
  if (level === "none")
    return warning(name, "the agent reaches all that you reach", 'set isolation.level = "standard", or pass --isolation standard');
  const prelude = preludeFile(packageFolder, process.arch);
  const init = sandboxInitFile(packageFolder, process.arch);
  const asked = probeIsolation(level, { platform: process.platform, path: env["PATH"] ?? "", prelude, keyring: true, init });
  const probe = await asked.catch((error) => ({
    ok: false as const,
    why: messageOf(error),
    hint: (error instanceof AgentRunError ? error.hint : undefined) ?? "agent-run --dry-run true shows more",
  }));
  if (!probe.ok) return failing(name, probe.why, probe.hint);
  const own = !probe.keyring ? "no keyrings of the kernel's are here to leave" : "and a session keyring of its own";
  return ok(name, `a sandbox starts, with ${probe.bwrap}${process.platform === "linux" ? `, ${own}` : ""}`);
}

async function metadata({ env }: Context, level: IsolationLevel): Promise<Check[]> {
  if (level === "strict") return [];
  const address = await metadataService(env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
  return address === undefined ? [] : [warning("metadata service", `${METADATA_ANSWERS} (${address})`, METADATA_MEND)];
}

function folders({ paths }: Context): Check[] {
  const folder = (name: string, path: string, code: "runtime-folder" | "state-folder"): Check => {
    try {
      privateFolder(path, code);
      accessSync(path, constants.W_OK);
      return takesAFile(path) ?? ok(name, path);
    } catch (error) {
      const hint = error instanceof AgentRunError ? error.hint : undefined;
      return failing(
        name,
        error instanceof Error ? error.message : String(error),
        hint ?? `make it writable for you alone: chmod 700 ${path}`,
      );
    }
  };
  /** A full file system says so to who writes. What is written is gone at once. */
  const takesAFile = (path: string): Check | undefined => {
    const file = join(path, `.doctor-${process.pid}`);
    try {
      writeFileSync(file, Buffer.alloc(WRITTEN), { mode: 0o600, flag: "wx", flush: true });
      return undefined;
    } catch (error) {
      const name = path === paths.state ? "state folder" : "runtime folder";
      return failing(name, `${path} takes no file: ${messageOf(error)}`, `make room: df -h ${path}; df -i ${path}`);
    } finally {
      rmSync(file, { force: true });
    }
  };
  const socket = controlSocket(paths);
  const tooLong = Buffer.byteLength(socket) > LONGEST_SOCKET_PATH;
  return [
    folder("runtime folder", paths.runtime, "runtime-folder"),
    folder("state folder", paths.state, "state-folder"),
    ...(tooLong
      ? [failing("control socket", `its path is too long: ${socket}`, "set XDG_RUNTIME_DIR or AGENT_RUN_HOME to a shorter path")]
      : []),
  ];
}

async function daemon({ paths, version }: Context): Promise<Check> {
  try {
    const status = await statusOf(paths);
    if (!status) return ok("daemon", "not running; it is started by the first session");
    const text = `runs as process ${status.pid}, version ${status.version}, ${counted(status.sessions.length, "session")}`;
    if (status.version === version) return ok("daemon", text);
    return status.sessions.length === 0
      ? ok("daemon", `${text}; the next run replaces it by ${version}`)
      : warning("daemon", `${text}; this command is ${version}`, "end its sessions, then agent-run daemon stop");
  } catch (error) {
    return failing("daemon", error instanceof Error ? error.message : String(error), "agent-run daemon stop, then agent-run daemon start");
  }
}

function terminal({ streams, env }: Context): Check {
  const { stdin, stdout } = streams;
  if (!stdin.isTTY || !stdout.isTTY) return ok("terminal", "none here: an agent would run on pipes, without a bar");
  const size = `${stdout.columns}×${stdout.rows}`;
  if (env["TERM"] === "dumb")
    return warning("terminal", `TERM is dumb, ${size}: an agent would run on pipes, without a bar`, "set TERM to what the terminal is");
  if ((stdout.rows ?? 0) < 3) return warning("terminal", `${size} leaves no row for the bar`, "make the window higher");
  return ok("terminal", `${env["TERM"] ?? "unknown"}, ${size}`);
}

/** Asked as a run asks it. Where nothing of the profile is kept there, its absence is no fault. */
async function keyring({ env, paths }: Context, credentials: string | undefined): Promise<Check> {
  const name = "keyring";
  const needed = credentials?.startsWith("keyring:") === true || openSessionStore(env, paths.state).places().length > 0;
  try {
    const items = await openKeyring(env).list();
    return ok(name, `the ${KEYRING_NAME} answers; ${counted(items.length, "item")} of agent-run`);
  } catch (error) {
    const hint = error instanceof AgentRunError ? error.hint : undefined;
    return needed
      ? failing(name, messageOf(error), hint ?? "agent-run credentials list")
      : ok(name, `${messageOf(error)}; nothing that this profile uses is kept there`);
  }
}

/** Whether others could write it, and so choose the role, is what reading the profile refuses. */
export function configCheck({ paths }: Context): Check {
  const file = join(paths.config, "config.toml");
  if (!existsSync(file)) return ok("config", `no ${file}: the defaults hold`);
  try {
    accessSync(file, constants.R_OK);
    accessSync(dirname(file), constants.X_OK);
    return ok("config", file);
  } catch (error) {
    return unknown("config", error instanceof Error ? error.message : String(error), `check its owner and mode: ls -l ${file}`);
  }
}
