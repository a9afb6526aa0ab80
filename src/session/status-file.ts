// How a session stands, as one line in its folder, so that a shell's prompt can show it without starting a program. Written by session.ts and starting.ts, read by cli/status.ts
// and by the prompt functions of shell/.
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ExpiryAction, SessionView } from "../control/protocol.ts";
import { expiryActions } from "../control/protocol.ts";
import type { Environment } from "../core/paths.ts";

const STATUS_FILE = "status";

export interface SessionStatus {
  readonly session: string;
  /** Seconds since 1970. */
  readonly endsAt: number;
  readonly onExpiry: ExpiryAction;
  readonly actor: string;
  readonly profile: string;
}

/** Fields are separated by one space; names keep only what cannot be taken for anything else by a shell or a terminal. */
const plain = (name: string): string => name.replaceAll(/[^\w.-]/g, "_").slice(0, 64) || "_";

/**
 * Writes it anew, whole or not at all: a prompt reads it at any time. A disk that is full costs the prompt its figure and nothing else.
 * @param folder the session's folder
 */
export function writeStatusFile(folder: string, view: SessionView): void {
  const file = join(folder, STATUS_FILE);
  const line = [Math.floor(view.limitAt / 1000), view.onExpiry, plain(view.actor), plain(view.profile)].join(" ");
  try {
    writeFileSync(`${file}.new`, `${line}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch {
    // Shown nowhere but in a prompt.
  }
}

/**
 * The runtime folder as seen from here: inside a session the variables that move it are gone, but the session's own files are named.
 * @param usual what `resolvePaths` says
 */
export function visibleRuntime(env: Environment, usual: string): string {
  const own = env["AGENT_RUN_SESSION"];
  const folder = dirname(env["AWS_CONFIG_FILE"] ?? "/");
  return own !== undefined && basename(folder) === own ? dirname(folder) : usual;
}

/** The sessions that have such a line, the one that ends first first. @param runtime the runtime folder */
export function readStatusFiles(runtime: string): SessionStatus[] {
  let names: string[];
  try {
    names = readdirSync(runtime)
      .filter((name) => /^sess_[0-9a-f]{8}$/.test(name))
      .sort();
  } catch {
    return [];
  }
  return names
    .flatMap((session): SessionStatus[] => {
      try {
        const file = join(runtime, session, STATUS_FILE);
        // A pipe in its place would hold up the prompt.
        if (!statSync(file).isFile()) return [];
        const [line = ""] = readFileSync(file, "utf8").split("\n");
        const [endsAt = "", expiry, actor = "", profile = ""] = line.trim().split(" ");
        const onExpiry = expiryActions.find((action) => action === expiry);
        if (onExpiry === undefined || !/^\d{1,12}$/.test(endsAt)) return [];
        // Made plain again: an agent without a sandbox could have written it.
        return [{ session, endsAt: Number(endsAt), onExpiry, actor: plain(actor), profile: plain(profile) }];
      } catch {
        return [];
      }
    })
    .sort((left, right) => left.endsAt - right.endsAt);
}
