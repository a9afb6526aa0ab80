// An IAM user's keys that agent-run keeps: in the system keyring or in a sealed file. Called by order.ts where the settings name them.
import { credentialsOf } from "../stored/keys.ts";
import { described, openStores, type Reference } from "../stored/stores.ts";
import type { Found, Search } from "./source.ts";

/** Throws AgentRunError `keyring` or `base-credentials`; never goes on to another source. */
export async function fromStored(reference: Reference, { env, own }: Search): Promise<Found> {
  const keys = await openStores(env, own.state, own.unlocking).read(reference);
  return { credentials: credentialsOf(keys), source: described(reference), chained: false };
}
