// Where sign-ins of agent-run's own are kept: in the keyring, with a note in the state folder that says for which place there is one and holds no secret.
// Called by own-sessions.ts and the login commands.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { makeFolder } from "../../core/folder.ts";
import type { Environment } from "../../core/paths.ts";
import { openKeyring } from "../stored/keyring.ts";
import { readSignIn, type SsoPlace, type SsoSession, sessionText } from "./session.ts";

const PREFIX = "sso ";

export interface SessionStore {
  /** Places that the keyring has a sign-in for, or had when it was kept. */
  places(): SsoPlace[];
  /** The keyring is asked only where a note says that there is one. Throws AgentRunError `keyring`, or `base-credentials` for an item that is garbage. */
  read(startUrl: string): Promise<SsoSession | undefined>;
  /** Throws AgentRunError `keyring` or `state-folder`; nothing is kept then. */
  write(session: SsoSession): Promise<void>;
  /** Whether there was one. Throws AgentRunError `keyring`. */
  remove(startUrl: string): Promise<boolean>;
}

/**
 * The sessions in the human's keyring, and in `state` a note of each place, without a secret.
 * @param env the human's, which leads to the keyring
 */
export function openSessionStore(env: Environment, state: string): SessionStore {
  const keyring = openKeyring(env);
  const folder = join(state, "sso");
  const noteOf = (startUrl: string): string => join(folder, `${createHash("sha256").update(startUrl).digest("hex").slice(0, 32)}.json`);
  return {
    places: () => notes(folder),
    async read(startUrl) {
      if (!notes(folder).some((place) => place.startUrl === startUrl)) return undefined;
      const text = await keyring.get(PREFIX + startUrl);
      if (text === undefined) return undefined;
      const session = readSignIn(text.reveal());
      text.wipe();
      if (session?.startUrl === startUrl) return session;
      throw new AgentRunError("base-credentials", `the keyring's item for ${startUrl} does not hold what agent-run stores there`, {
        hint: "agent-run login",
      });
    },
    async write(session) {
      const text = sessionText(session);
      try {
        await keyring.set(PREFIX + session.startUrl, text);
      } finally {
        text.wipe();
      }
      try {
        const note = noteOf(session.startUrl);
        makeFolder(folder);
        writeFileSync(`${note}.${process.pid}`, `${JSON.stringify({ startUrl: session.startUrl, region: session.region })}\n`, {
          mode: 0o600,
        });
        renameSync(`${note}.${process.pid}`, note);
      } catch (error) {
        await keyring.remove(PREFIX + session.startUrl);
        throw new AgentRunError("state-folder", `cannot write in ${folder}: ${messageOf(error)}`, {
          hint: `make ${state} writable for you, or set AGENT_RUN_HOME`,
          cause: error,
        });
      }
    },
    async remove(startUrl) {
      const there = await keyring.remove(PREFIX + startUrl);
      rmSync(noteOf(startUrl), { force: true });
      return there;
    },
  };
}

function notes(folder: string): SsoPlace[] {
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  } catch {
    return [];
  }
  return files.flatMap((file): SsoPlace[] => {
    try {
      const { startUrl, region } = Object(JSON.parse(readFileSync(join(folder, file), "utf8"))) as Record<string, unknown>;
      return typeof startUrl === "string" && typeof region === "string" ? [{ startUrl, region }] : [];
    } catch {
      return [];
    }
  });
}
