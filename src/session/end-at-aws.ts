// How a session ends at AWS, beside its end on this machine: its keys denied where the profile wants it, and the tombstone that keeps it from coming back.
// Held by ending.ts.
import type { RecordData, RecordKind } from "../audit/record.ts";
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Cause, OpenMessage, RevocationReport } from "../control/protocol.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import type { Paths } from "../core/paths.ts";
import type { Grant } from "./grant.ts";
import type { Profile } from "./profile.ts";
import { copyOf, isRevoked, mayGoOn, revoke, wipe } from "./revocation.ts";
import { bury, locating } from "./tombstones.ts";

export interface EndAtAwsOptions {
  readonly id: SessionId;
  readonly open: OpenMessage;
  readonly profile: Profile;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly now: () => Instant;
  /** When the last key that AWS gave the session expires. */
  readonly keysExpireAt: () => Instant;
  readonly record: (kind: RecordKind, data: RecordData) => void;
  readonly onReport: (report: RevocationReport) => void;
  /** What the human must know. */
  readonly note: (text: string) => void;
  /** The session is denied in IAM, and its tombstone says where; what it was signed with lives on for the day when that can go. */
  readonly onRevoked: (session: SessionId, iam: Grant["iam"]) => void;
}

export class EndAtAws {
  readonly #options: EndAtAwsOptions;
  /** The newest keys, kept to see whether a deny holds. */
  #lastKeys: SessionCredentials | undefined;
  #revoking: Promise<readonly RevocationReport[]> | undefined;

  constructor(options: EndAtAwsOptions) {
    this.#options = options;
  }

  /** Takes a copy of the newest keys: who hands them out overwrites his own. */
  keep(keys: SessionCredentials | undefined): void {
    this.#lastKeys = copyOf(keys);
  }

  /** Keys are being denied, or were. */
  get isRevoking(): boolean {
    return this.#revoking !== undefined;
  }

  /** How it ended, a report for each role; empty where nothing was to be denied. */
  async reports(): Promise<readonly RevocationReport[]> {
    return (await this.#revoking) ?? [];
  }

  /**
   * Denies the session's keys where the profile wants it at an end of this cause.
   * @param end.handedOut whether the agent has, or may have, keys that work without us
   * @param end.since `performance.now()` when the end began
   */
  begin(cause: Cause, grant: Grant | undefined, end: { handedOut: boolean; revokeAll: boolean; since: number }): void {
    const { id, profile, clock, record, onReport, note } = this.#options;
    if (!grant || !isRevoked(profile, cause, end.handedOut)) {
      wipe(this.#lastKeys);
      return;
    }
    this.#revoking = revoke({
      session: id,
      profile,
      grant,
      keys: this.#lastKeys,
      keysExpireAt: this.#options.keysExpireAt(),
      revokeAll: end.revokeAll,
      briefly: cause !== "killed",
      clock,
      since: end.since,
      onReport: (report) => {
        record("revoke", { ...report });
        onReport(report);
      },
    }).then((reports) => {
      this.bury(
        grant,
        reports.filter(({ policy }) => policy !== undefined).map(({ role }) => role),
      );
      if (profile.grant === "assume-role" && mayGoOn(profile, grant.roleArn))
        note("the session policy lets it go on to other roles: sessions there that no chained_roles names are not denied");
      return reports;
    });
  }

  /** From here on it cannot come back, under this daemon or a later one. `roles`: where it is denied. */
  bury(grant: Grant | undefined, roles: string[]): void {
    const { id, paths, open, profile, now, keysExpireAt, note, onRevoked } = this.#options;
    const { region, endpointUrl, iam } = grant ?? {};
    const where = {
      until: keysExpireAt(),
      source: locating(open.source),
      ...(profile.awsProfile === undefined ? {} : { awsProfile: profile.awsProfile }),
      ...(profile.credentials === undefined ? {} : { credentials: profile.credentials }),
      ...(region === undefined ? {} : { region }),
      ...(endpointUrl === undefined ? {} : { endpointUrl }),
    };
    try {
      bury(paths, { session: id, at: now(), roles, ...(roles.length > 0 ? where : {}) });
      if (roles.length > 0 && iam) onRevoked(id, iam);
    } catch (error) {
      note(`the state folder does not remember that it was ended: ${messageOf(error)}`);
    }
  }
}
