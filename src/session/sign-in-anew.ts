// Base credentials that ended while the agent runs, got anew with the human at the session's own terminal. Called by at-terminal.ts.
import { systemClock } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import { signInPlaceOf } from "../credentials/sources/order.ts";
import { forgetBases, signIns } from "../credentials/sources.ts";
import { signInByDevice } from "../credentials/sso/device.ts";
import { Oidc } from "../credentials/sso/oidc.ts";
import type { SsoPlace } from "../credentials/sso/session.ts";
import { openSessionStore } from "../credentials/sso/session-store.ts";

interface AnewRequest {
  readonly base: { readonly credentials: string | undefined; readonly awsProfile: string | undefined; readonly env: Environment };
  /** agent-run's state folder. */
  readonly state: string;
  /** Shows where to go; resolves when the human gives it up, rejects when they are gone. */
  readonly ask: (prompt: string) => Promise<string>;
  /** Gets the session's credentials anew; may ask for an MFA code. */
  readonly renew: () => Promise<unknown>;
}

/**
 * Tries what the base gives now, since somebody may have signed in elsewhere; where Identity Center is what it comes from and that fails, signs in there by a
 * device code. Gives what is wrong, undefined when the session has new credentials. Never rejects.
 */
export async function signInAnew(request: AnewRequest): Promise<string | undefined> {
  const { base, renew } = request;
  try {
    forgetBases();
    try {
      await renew();
      return undefined;
    } catch (error) {
      const place = signInPlaceOf(base);
      const mended = error instanceof AgentRunError && (error.code === "base-credentials" || error.code === "keyring");
      if (!place || !mended) throw error;
      await byDevice(place, request);
      forgetBases();
      await renew();
      return undefined;
    }
  } catch (error) {
    // The bar has little room.
    return error instanceof AgentRunError
      ? error.message.replace(/^the (?=base credentials)/, "")
      : `the sign-in failed: ${messageOf(error)}`;
  }
}

async function byDevice(place: SsoPlace, { base: { env }, state, ask }: AnewRequest): Promise<void> {
  const given = new AbortController();
  const now = (): number => systemClock.now();
  const giveUp = (): void => given.abort();
  const session = await signInByDevice(
    new Oidc(place, env, now),
    // Each on a line of its own, as the launcher shows them.
    ({ url, userCode }) => void ask(`${url}\n${userCode}`).then(giveUp, giveUp),
    now,
    given.signal,
  );
  await openSessionStore(env, state)
    .write(session)
    .then(
      () => signIns.drop(session.startUrl),
      () => signIns.adopt(session),
    );
}
