// What a session serves its agent: the endpoint and the session's folder, opened while AWS is asked, and the broker behind them once there is a grant; taken
// away together. Made by supply.ts.
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { newToken, type SessionId } from "../core/id.ts";
import { Secret } from "../core/secret.ts";
import { Broker, type BrokerEvent } from "../credentials/broker.ts";
import { type Endpoint, type FetchInfo, openEndpoint } from "../credentials/endpoint.ts";
import { childVariables, type DeliveryRequest, sessionFiles, writeSessionFolder } from "./delivery.ts";
import type { Grant, Place } from "./grant.ts";
import { removeFolder } from "./leftover.ts";
import type { Profile } from "./profile.ts";

export interface AccessOptions {
  readonly session: SessionId;
  readonly profile: Profile;
  readonly place: Place;
  /** In `env` delivery the child's environment holds them. */
  readonly keys: SessionCredentials | undefined;
  readonly folder: string;
  /** Of a session that is resumed: what its agent already knows. */
  readonly known: { readonly port?: number | undefined; readonly token?: string | undefined } | undefined;
  /** The human's PATH. */
  readonly path: string | undefined;
  readonly onFetch: (info: FetchInfo) => void;
}

export interface Serving {
  readonly clock: Clock;
  /** Credentials that last until then are not renewed. */
  readonly neededUntil: (() => Instant) | undefined;
  readonly onBrokerEvent: (event: BrokerEvent) => void;
}

export interface Access {
  /** Undefined before `serve`. */
  readonly broker: Broker | undefined;
  /** Absent in `env` delivery. */
  readonly endpoint: { readonly port: number; readonly token: string } | undefined;
  readonly childEnvironment: Record<string, string>;
  /** Every gate was passed: from now on the grant's credentials are served. Until then the endpoint refuses whoever has its token. */
  serve(grant: Grant, serving: Serving): void;
  /** From now on nothing is served: `why` is what clients are told. At once, without network. */
  refuse(why: string): void;
  /** Closes the endpoint, removes the folder, overwrites the secrets. Every step runs; gives what failed. */
  close(): Promise<string[]>;
}

/** The variables of a run that is only described: nothing is opened, and no secret is in them. */
export function describedVariables(
  options: Pick<AccessOptions, "session" | "profile" | "place" | "folder" | "path">,
): Record<string, string> {
  return childVariables(deliveryOf(options, undefined), undefined);
}

const notStarted = (): AgentRunError => new AgentRunError("session-not-found", "the session has not started");

/**
 * Opens it; nothing is served yet. What was opened is taken away again when a later step fails.
 * @throws AgentRunError `daemon` for the port, `runtime-folder` for the files
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { session, profile, folder } = options;
  let granted: { readonly grant: Grant; readonly broker: Broker } | undefined;
  const token = new Secret(options.known?.token ?? newToken());
  let endpoint: Endpoint | undefined;
  const close = async (): Promise<string[]> => {
    const steps: [string, () => unknown][] = [
      ["close the endpoint", () => endpoint?.close()],
      ["remove the session's files", () => removeFolder(folder)],
      ["overwrite the secrets", () => [token.wipe(), granted?.broker.stop(), granted?.grant.forget()]],
    ];
    const failed: string[] = [];
    for (const [what, run] of steps) {
      try {
        await run();
      } catch (error) {
        failed.push(`could not ${what}: ${messageOf(error)}`);
      }
    }
    return failed;
  };
  try {
    if (profile.delivery !== "env") {
      endpoint = await openEndpoint({
        session,
        token,
        port: options.known?.port,
        credentials: () => granted?.broker.current() ?? Promise.reject(notStarted()),
        onFetch: options.onFetch,
      });
    }
    const delivery = deliveryOf(options, endpoint && { url: endpoint.url, processUrl: endpoint.processUrl, token });
    writeSessionFolder(folder, sessionFiles(delivery));
    return {
      get broker() {
        return granted?.broker;
      },
      endpoint: endpoint && { port: endpoint.port, token: token.reveal() },
      childEnvironment: childVariables(delivery, options.keys),
      serve(grant, { clock, neededUntil, onBrokerEvent: onEvent }) {
        const obtain = () => grant.obtain();
        granted = { grant, broker: new Broker({ obtain, clock, initial: grant.credentials, onEvent, neededUntil }) };
      },
      refuse: (why) => endpoint?.refuse(why),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function deliveryOf(
  { session, profile, place, folder, path }: Pick<AccessOptions, "session" | "profile" | "place" | "folder" | "path">,
  endpoint: DeliveryRequest["endpoint"],
): DeliveryRequest {
  return {
    delivery: profile.delivery,
    folder,
    session,
    profile: profile.name,
    region: place.region,
    endpointUrl: place.endpointUrl,
    endpoint,
    path,
  };
}
