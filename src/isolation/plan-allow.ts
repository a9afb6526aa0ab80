// The names that `isolation.allow` gives back. Used by plan.ts, and by session/settings.ts before there is a plan.
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { KNOWN_AGENTS } from "./agents.ts";
import { STRICT_SHOWS } from "./plan-strict.ts";
import { STORES } from "./stores.ts";

/** Keys that the kernel itself looks for there open files of AFS, and those that fscrypt's first version encrypted. */
export const SESSION_KEYRING = "session-keyring";

/** Every name that `isolation.allow` knows. */
export const allowNames: readonly string[] = [...[...STORES, ...KNOWN_AGENTS, ...STRICT_SHOWS].map(({ name }) => name), SESSION_KEYRING];

/** Throws AgentRunError `config` for a name that `isolation.allow` cannot give back. */
export function checkAllowed(name: string): void {
  if (allowNames.includes(name)) return;
  if (name === "aws") {
    throw new AgentRunError(
      "config",
      "isolation.allow: 'aws' can not be given back: the session's role is the agent's only access to AWS",
      {
        hint: "remove it from isolation.allow, and choose a profile whose role may do what the agent needs",
      },
    );
  }
  const close = nearest(name, allowNames);
  throw new AgentRunError("config", `isolation.allow: '${name}' is not a name that it knows`, {
    hint: close ? `did you mean '${close}'?` : `it knows ${allowNames.join(", ")}`,
  });
}
