// What a session serves its agent: the broker, the endpoint and the session's folder, opened together and taken away together. Made by session.ts.
import type { Clock, Instant } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import { newToken, type SessionId } from "../core/id.ts";
import { Secret } from "../core/secret.ts";
import { type Broker, type BrokerEvent, createBroker } from "../credentials/broker.ts";
import { type Endpoint, type FetchInfo, openEndpoint } from "../credentials/endpoint.ts";
import { childVariables, type DeliveryRequest, sessionFiles, writeSessionFolder } from "./delivery.ts";
import type { Grant } from "./grant.ts";
import { removeFolder } from "./leftover.ts";
import type { Profile } from "./profile.ts";

export interface AccessOptions {
  readonly session: SessionId;
  readonly profile: Profile;
  readonly grant: Grant;
  readonly folder: string;
  readonly clock: Clock;
  /** Of a session that is resumed: what its agent already knows. */
  readonly known: { readonly port?: number | undefined; readonly token?: string | undefined } | undefined;
  /** The human's PATH. */
  readonly path: string | undefined;
  /** Credentials that last until then are not renewed. */
  readonly neededUntil: (() => Instant) | undefined;
  readonly onFetch: (info: FetchInfo) => void;
  readonly onBrokerEvent: (event: BrokerEvent) => void;
}

export interface Access {
  readonly broker: Broker;
  /** Absent in `env` delivery. */
  readonly endpoint: { readonly port: number; readonly token: string } | undefined;
  readonly childEnvironment: Record<string, string>;
  /** From now on nothing is served: `why` is what clients are told. At once, without network. */
  refuse(why: string): void;
  /** Removes the session's folder. Throws what the file system says. */
  removeFiles(): void;
  /** Closes the endpoint, removes the folder, overwrites the secrets. Every step runs; gives what failed. */
  close(): Promise<string[]>;
}

/** The variables of a run that is only described: nothing is opened, and no secret is in them. */
export function describedVariables(
  options: Pick<AccessOptions, "session" | "profile" | "grant" | "folder" | "path">,
): Record<string, string> {
  return childVariables(deliveryOf(options, undefined), undefined);
}

/**
 * Opens it. What was opened is taken away again when a later step fails.
 * @throws AgentRunError `daemon` for the port, `runtime-folder` for the files
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { session, profile, grant, folder, clock } = options;
  const broker = createBroker({
    obtain: () => grant.obtain(),
    clock,
    initial: grant.credentials,
    onEvent: options.onBrokerEvent,
    neededUntil: options.neededUntil,
  });
  const token = new Secret(options.known?.token ?? newToken());
  let endpoint: Endpoint | undefined;
  const removeFiles = (): void => removeFolder(folder);
  const close = async (): Promise<string[]> => {
    const steps: [string, () => unknown][] = [
      ["close the endpoint", () => endpoint?.close()],
      ["remove the session's files", removeFiles],
      ["overwrite the secrets", () => [token.wipe(), broker.stop(), grant.forget()]],
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
        credentials: () => broker.current(),
        onFetch: options.onFetch,
      });
    }
    const delivery = deliveryOf(options, endpoint && { url: endpoint.url, processUrl: endpoint.processUrl, token });
    writeSessionFolder(folder, sessionFiles(delivery));
    return {
      broker,
      endpoint: endpoint && { port: endpoint.port, token: token.reveal() },
      childEnvironment: childVariables(delivery, grant.credentials),
      refuse: (why) => endpoint?.refuse(why),
      removeFiles,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function deliveryOf(
  { session, profile, grant, folder, path }: Pick<AccessOptions, "session" | "profile" | "grant" | "folder" | "path">,
  endpoint: DeliveryRequest["endpoint"],
): DeliveryRequest {
  return {
    delivery: profile.delivery,
    folder,
    session,
    profile: profile.name,
    region: grant.region,
    endpointUrl: grant.endpointUrl,
    endpoint,
    path,
  };
}
