// The sign-ins of agent-run's own, in the memory of this process: read from the keyring once, renewed here, written back. Held by sources.ts.
import type { Clock } from "../../core/clock.ts";
import type { Environment } from "../../core/paths.ts";
import { Oidc } from "./oidc.ts";
import type { SsoPlace, SsoSession } from "./session.ts";
import { openSessionStore } from "./session-store.ts";

/** Less than this left, and it is renewed. */
const RENEW_BEFORE_MS = 5 * 60_000;

export interface OwnSessions {
  /**
   * A session that is valid now; undefined where there is none, or none that lives.
   * @throws AgentRunError `keyring` where it may be there and cannot be read, `sts-unreachable`
   */
  find(place: SsoPlace, env: Environment, state: string): Promise<SsoSession | undefined>;
  /** Keeps one that no keyring has: for as long as this process lives. */
  adopt(session: SsoSession): void;
  /** Identity Center takes its token no more. */
  rejected(session: SsoSession): void;
  /** Takes one out of memory. Gives it, where it was nowhere else. */
  drop(startUrl: string): SsoSession | undefined;
  /** Those that are in no keyring, and still live. */
  onlyHere(): SsoSession[];
  /** The keyring may hold others now. */
  forget(): void;
}

/** Sessions that are held in memory and renewed there; the keyring has what was written back. */
export function createOwnSessions(clock: Clock): OwnSessions {
  const held = new Map<string, SsoSession>();
  const onlyHere = new Set<string>();
  const renewing = new Map<string, Promise<SsoSession | undefined>>();
  const dropped = new Map<string, number>();

  const lives = (session: SsoSession, spareMs = 0): boolean => session.expiresAt - spareMs > clock.now();

  const renew = async (session: SsoSession, env: Environment, state: string): Promise<SsoSession | undefined> => {
    const before = dropped.get(session.startUrl);
    const answer = await new Oidc(session, env, () => clock.now()).renew(session).catch((error: unknown) => {
      if (lives(session)) return { session };
      throw error;
    });
    // Signed out, or in anew, meanwhile: it is brought back nowhere.
    if (dropped.get(session.startUrl) !== before) return undefined;
    if ("session" in answer) {
      if (answer.session !== session) await keep(answer.session, env, state);
      return answer.session;
    }
    if (lives(session)) return session;
    held.delete(session.startUrl);
    return undefined;
  };

  /** What cannot be written back lives here alone. */
  const keep = async (session: SsoSession, env: Environment, state: string): Promise<void> => {
    held.set(session.startUrl, session);
    if (onlyHere.has(session.startUrl)) return;
    await openSessionStore(env, state)
      .write(session)
      .catch(() => onlyHere.add(session.startUrl));
  };

  const search = async (place: SsoPlace, env: Environment, state: string): Promise<SsoSession | undefined> => {
    const known = held.get(place.startUrl);
    if (known && lives(known, RENEW_BEFORE_MS)) return known;
    const renewed = known && (await renew(known, env, state));
    if (renewed) return renewed;
    // Somebody may have signed in anew, or renewed it elsewhere, since.
    const stored = await openSessionStore(env, state).read(place.startUrl);
    if (!stored || stored.accessToken.equals(known?.accessToken.reveal() ?? "")) return undefined;
    held.set(stored.startUrl, stored);
    onlyHere.delete(stored.startUrl);
    return lives(stored, RENEW_BEFORE_MS) ? stored : renew(stored, env, state);
  };

  return {
    find(place, env, state) {
      let running = renewing.get(place.startUrl);
      if (!running) {
        running = search(place, env, state).finally(() => renewing.delete(place.startUrl));
        renewing.set(place.startUrl, running);
      }
      return running;
    },
    adopt(session) {
      held.set(session.startUrl, session);
      onlyHere.add(session.startUrl);
    },
    rejected(session) {
      if (held.get(session.startUrl) === session) held.delete(session.startUrl);
    },
    drop(startUrl) {
      const session = held.get(startUrl);
      held.delete(startUrl);
      dropped.set(startUrl, (dropped.get(startUrl) ?? 0) + 1);
      return onlyHere.delete(startUrl) ? session : undefined;
    },
    onlyHere: () =>
      [...held.values()].filter(
        (session) => onlyHere.has(session.startUrl) && (lives(session) || (session.renewal?.until ?? 0) > clock.now()),
      ),
    forget() {
      for (const startUrl of held.keys()) if (!onlyHere.has(startUrl)) held.delete(startUrl);
    },
  };
}
