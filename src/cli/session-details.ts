// What the details overlay says of a session: the daemon's view in the human's words, nothing left out for want of room. Called by running.ts.

import type { SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import type { Details } from "../terminal/overlay-views.ts";
import { counted } from "./counted.ts";

/** Labels and values, the most asked first. Times of day are local. */
export function sessionDetails(view: SessionView, now: Instant): Details {
  const atLimit = { refresh: "then renewed", stop: "then ended", ask: "you are asked before" }[view.onExpiry];
  return [
    ...(view.trouble === undefined ? [] : [["trouble", view.trouble] as const]),
    ...view.caveats.map((caveat) => ["note", caveat] as const),
    ["session", view.session],
    ["agent", view.actor],
    ["identity", view.arn],
    ["developer", `${view.developer}, project ${view.project}`],
    ["profile", `${view.profile}, isolation ${view.isolation}, delivery ${view.delivery}`],
    ["running", `${formatSpan(Math.max(1000, Math.floor((now - view.startedAt) / 1000) * 1000))}, since ${timeOf(view.startedAt)}`],
    ["limit", `${timeOf(view.limitAt)}, ${atLimit}`],
    [
      "keys",
      `${counted(view.fetches, "fetch", "fetches")}, ${counted(view.refreshes, "refresh", "refreshes")}; expire at ${timeOf(view.credentialsExpireAt)}`,
    ],
  ];
}

function timeOf(at: Instant): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
