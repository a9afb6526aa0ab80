// What a session is made with. Given by sessions.ts to session.ts, which hands it on to its parts.
import type { Lease } from "../control/lease.ts";
import type { DaemonMessage, LauncherMessage, OpenMessage } from "../control/protocol.ts";
import type { Clock } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import type { Paths } from "../core/paths.ts";
import type { Grant } from "./grant.ts";
import type { Profile } from "./profile.ts";
import type { SessionAudit } from "./session-audit.ts";

export interface SessionOptions {
  readonly id: SessionId;
  readonly open: OpenMessage;
  readonly profile: Profile;
  readonly lease: Lease<DaemonMessage, LauncherMessage>;
  readonly audit: SessionAudit;
  /** What is wrong with writing the audit right now. */
  readonly auditTrouble: () => string | undefined;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly version: string;
  /** The session is denied in IAM, and its tombstone says where; what it was signed with lives on for the day when that can go. */
  readonly onRevoked: (session: SessionId, iam: Grant["iam"]) => void;
}
