// What a session's agent is given: the grant that AWS made, what serves it, and the count of what was handed out. Held by session.ts.
import type { ConsoleReply } from "../control/requests.ts";
import type { Broker } from "../credentials/broker.ts";
import { type Access, openAccess } from "./access.ts";
import { openConsole } from "./console-access.ts";
import type { Grant, Place } from "./grant.ts";
import { removeFolder } from "./leftover.ts";
import type { Life } from "./life.ts";
import { policyMark } from "./profile-policy.ts";
import type { SessionOptions } from "./session-options.ts";
import { Tally } from "./tally.ts";

export interface SupplyOptions extends Pick<SessionOptions, "id" | "open" | "profile" | "clock" | "audit"> {
  /** The session's own. */
  readonly folder: string;
  readonly life: Life;
  /** Something changed that the launcher shows or keeps. */
  readonly onChange: () => void;
}

export class Supply {
  readonly tally: Tally;
  readonly #options: SupplyOptions;
  #grant: Grant | undefined;
  #access: Access | undefined;
  #opening: Promise<Access> | undefined;
  #handedOver = false;
  #consoleOpened = false;

  constructor(options: SupplyOptions) {
    this.#options = options;
    const { audit, open, clock, onChange } = options;
    // A launcher that resumes its session says how many fetches there were before.
    this.tally = new Tally((kind, data) => audit.append(kind, data), open.resume?.fetches ?? 0, clock, onChange);
  }

  get grant(): Grant | undefined {
    return this.#grant;
  }

  /** Undefined before anything is served. */
  get broker(): Broker | undefined {
    return this.#access?.broker;
  }

  get consoleOpened(): boolean {
    return this.#consoleOpened;
  }

  /** The launcher was told that the agent may start. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /** Whether the agent has, or may have, keys that work without us. */
  get handedOut(): boolean {
    const { open, profile } = this.#options;
    return this.#consoleOpened || this.tally.fetches > 0 || (this.#handedOver && (profile.delivery === "env" || open.resume !== undefined));
  }

  take(grant: Grant): void {
    const { profile, audit } = this.#options;
    this.#grant = grant;
    this.tally.keys(grant.credentials.expiresAt);
    audit.append("identity", {
      base: grant.base.arn,
      source: grant.base.source,
      arn: grant.identity.arn,
      role: grant.roleArn,
      tags: grant.tags,
      caveats: [...grant.caveats],
      sessionPolicy: policyMark(profile.sessionPolicy, profile.sessionPolicyArns),
    });
  }

  /** Opens what the agent is served, once; nothing is served yet. Throws AgentRunError as `openAccess`. */
  open(place: Place, keys: Grant["credentials"] | undefined): Promise<Access> {
    const { id, open, profile, folder } = this.#options;
    this.#opening ??= openAccess({
      session: id,
      profile,
      place,
      keys,
      folder,
      known: open.resume,
      path: open.source["PATH"],
      onFetch: (info) => this.tally.fetched(info),
    }).then((access) => {
      this.#access = access;
      return access;
    });
    return this.#opening;
  }

  /** The agent is about to be started. In `env` delivery nobody can give it other keys later, so the session ends with them at the latest. */
  handOver(access: Access, grant: Grant): void {
    const { profile, clock, life } = this.#options;
    if (profile.delivery === "env") life.endBy(grant.credentials.expiresAt);
    access.serve(grant, {
      clock,
      neededUntil: profile.onExpiry === "refresh" ? undefined : () => life.limitAt,
      onBrokerEvent: (event) => {
        this.tally.broker(event);
        this.#options.onChange();
      },
    });
    this.#handedOver = true;
  }

  /** New credentials from a base that was signed in to anew. Throws what the base or STS says. */
  async renew(): Promise<void> {
    await this.#grant?.reopen();
    await this.broker?.refresh();
  }

  /**
   * The AWS console as this session's role. From then on a browser holds what the session's keys give, too.
   * @throws AgentRunError as `openConsole`
   */
  async console(): Promise<ConsoleReply> {
    const { id, profile, life, audit, onChange } = this.#options;
    const reply = await openConsole(id, profile, life.isActive ? this.#grant : undefined, this.broker);
    this.#consoleOpened = true;
    audit.append("console", { keysExpireAt: new Date(reply.keysExpireAt).toISOString() });
    onChange();
    return reply;
  }

  /** From now on nothing is served: `why` is what clients are told. At once, without network. */
  refuse(why: string): void {
    this.#access?.refuse(why);
  }

  /** Removes the session's folder; not that of an agent which runs while its session could not come back. Throws what the file system says. */
  removeFiles(): void {
    if (this.#access || !this.#options.open.resume) removeFolder(this.#options.folder);
  }

  /** Takes away all that was opened, what is being opened still too, and overwrites the secrets. Gives what failed. */
  async close(): Promise<string[]> {
    await this.#opening?.catch(() => undefined);
    const failed = (await this.#access?.close()) ?? [];
    this.#grant?.forget();
    this.tally.close();
    return failed;
  }
}
