// What others see of a session: the bar, `ps`, the daemon's status. Called by session.ts.
import type { IsolationLevel, OpenMessage, SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import type { Grant } from "./grant.ts";
import type { Profile } from "./profile.ts";
import type { SessionState } from "./state.ts";

/** For the bar and `ps`, from then on. */
const CONSOLE_CAVEAT = "console opened: a browser may act as this session too";

export interface Figures {
  readonly isolation: IsolationLevel;
  readonly startedAt: Instant;
  readonly fetches: number;
  readonly refreshes: number;
  readonly consoleOpened: boolean;
  readonly trouble: string | undefined;
  /** A sign-in of the human would mend it. */
  readonly signIn?: boolean;
  /** What the agent's place on this machine leaves open. */
  readonly exposure: string | undefined;
  /** When the last of all keys that the session had will have expired; 0 before there are any. */
  readonly credentialsExpireAt: Instant;
}

/** Before there is a grant, what is only known from it is empty. */
export function viewOf(
  { id, open, profile }: { readonly id: SessionId; readonly open: OpenMessage; readonly profile: Profile },
  state: SessionState,
  grant: Grant | undefined,
  { trouble, consoleOpened, exposure, ...figures }: Figures,
): SessionView {
  return {
    session: id,
    actor: open.actor,
    profile: profile.name,
    role: grant?.roleArn.split("/").at(-1) ?? profile.role ?? "",
    account: grant?.account ?? "",
    arn: grant?.identity.arn ?? "",
    developer: grant?.developer ?? open.developer,
    project: grant?.project ?? "",
    delivery: profile.delivery,
    onExpiry: state.window.onExpiry,
    state: state.phase,
    ...("cause" in state ? { cause: state.cause } : {}),
    limitAt: state.window.limitAt,
    endsAt: state.window.onExpiry === "refresh" ? state.window.lastLimitAt : state.window.limitAt,
    ...figures,
    ...(consoleOpened ? { consoleOpened } : {}),
    ...(trouble === undefined ? {} : { trouble }),
    caveats: [...(grant?.caveats ?? []), ...(consoleOpened ? [CONSOLE_CAVEAT] : []), ...(exposure === undefined ? [] : [exposure])],
  };
}
