// Level `none`: nothing is around the agent. Apart from isolate.ts, so that such a launch loads nothing of what plans and makes sandboxes. Used by the launcher.
import type { Isolation } from "./isolate.ts";

export const notIsolated: Isolation = {
  level: "none",
  plan: undefined,
  remembered: new Map(),
  sealed: false,
  wrap: (command) => command,
  check: () => {},
  putBack: () => [],
  release: () => [],
};
