// Where our files are: configuration, state and runtime folders, and what is in them. Nothing else knows these names.
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { SessionId } from "./id.ts";
import { databaseHome } from "./user.ts";

export interface Paths {
  /** Settings and the user's profiles; written by the human only. */
  readonly config: string;
  /** Audit, log, compile cache; survives a reboot. */
  readonly state: string;
  /** Control socket, lock, per-session files; 0700, ours alone. */
  readonly runtime: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The three folders for this user (XDG Base Directory 0.8). `AGENT_RUN_HOME` moves all three, for tests and for a second instance.
 * Who is started without XDG_RUNTIME_DIR, as by cron or by a client that hands on few variables, must meet the same daemon: the folder that systemd makes (pam_systemd(8))
 * is taken where it is there. Nothing is created or checked here: see `privateFolder`.
 */
export function resolvePaths(env: Environment, uid: number, isThere: (path: string) => boolean = existsSync): Paths {
  const own = env["AGENT_RUN_HOME"];
  if (own) return { config: join(own, "config"), state: join(own, "state"), runtime: join(own, "run") };
  // Of a user without an entry: a folder that is not theirs, which is refused.
  const home = absolute(env["HOME"]) ?? databaseHome() ?? "/";
  const usual = `/run/user/${uid}`;
  const runtime = env["XDG_RUNTIME_DIR"] || (isThere(usual) ? usual : undefined);
  return {
    config: join(absolute(env["XDG_CONFIG_HOME"]) ?? join(home, ".config"), "agent-run"),
    state: join(absolute(env["XDG_STATE_HOME"]) ?? join(home, ".local", "state"), "agent-run"),
    runtime: runtime ? join(runtime, "agent-run") : join(tmpdir(), `agent-run-${uid}`),
  };
}

/** A relative path is ignored, as XDG wants it: it would lead to settings and records in whatever folder we stand in, where agents write. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

export const configFile = (paths: Paths): string => join(paths.config, "config.toml");
export const userProfiles = (paths: Paths): string => join(paths.config, "profiles");
export const trustFile = (paths: Paths): string => join(paths.state, "trust.json");
export const toolsFile = (paths: Paths): string => join(paths.state, "tools.json");
export const auditFolder = (paths: Paths): string => join(paths.state, "audit");
export const daemonLog = (paths: Paths): string => join(paths.state, "daemon.log");
export const controlSocket = (paths: Paths): string => join(paths.runtime, "control.sock");
export const daemonLock = (paths: Paths): string => join(paths.runtime, "daemon.lock");
/** Whoever has two runtime folders for one state folder would have two daemons, which take one another's sessions for lost. */
export const stateLock = (paths: Paths, host: string): string => join(paths.state, `daemon-${host}.lock`);
/** Names the runtime folder of the daemon of that machine that has the state folder. */
export const stateRuntime = (paths: Paths, host: string): string => join(paths.state, `daemon-${host}.runtime`);
export const sessionFolder = (paths: Paths, session: SessionId): string => join(paths.runtime, session);
