// `agent-run --version`, and with --json all that a report of a fault should name. Called by cli.ts.
import { AgentRunError } from "../core/error.ts";
import type { Context } from "./command.ts";

/** Set by the build; both are null where it was made from no clone. */
declare const AGENT_RUN_COMMIT: string | null;
declare const AGENT_RUN_DATE: string | null;

/** @throws AgentRunError `usage` for anything but `--json` */
export function printVersion(rest: readonly string[], { print, version }: Context): void {
  const unknown = rest.find((word) => word !== "--json");
  if (unknown !== undefined)
    throw new AgentRunError("usage", `unexpected argument '${unknown}'`, { hint: "agent-run --version --json", exitStatus: 2 });
  if (rest.length === 0) {
    const origin = [AGENT_RUN_COMMIT?.slice(0, 8), AGENT_RUN_DATE?.slice(0, 10)].filter(Boolean).join(", ");
    print.out(`agent-run ${version}${origin === "" ? "" : ` (${origin})`}`);
    return;
  }
  const { version: node, platform, arch } = process;
  print.json({ version, commit: AGENT_RUN_COMMIT, date: AGENT_RUN_DATE, node, platform, arch });
}
