// One user has one daemon, whatever HOME a shell has: a launch with other folders than the daemon's is refused. Used by sessions.ts.
import { dirname } from "node:path";
import type { OpenMessage } from "../control/protocol.ts";
import { AgentRunError } from "../core/error.ts";
import { isSameFolder } from "../core/folder.ts";
import type { Paths } from "../core/paths.ts";

/**
 * With another's settings, a launch would get what nobody asked for; with another's state, nobody would find its records.
 * @throws AgentRunError `config` that names the variable which differs
 */
export function refuseOtherFolders(ours: Paths, theirs: Pick<OpenMessage, "settings" | "state">): void {
  for (const { what, variable, mine, other } of [
    { what: "its settings", variable: "XDG_CONFIG_HOME", mine: ours.config, other: theirs.settings },
    { what: "its records", variable: "XDG_STATE_HOME", mine: ours.state, other: theirs.state },
  ]) {
    if (other === undefined || isSameFolder(mine, other)) continue;
    throw new AgentRunError("config", `the daemon that runs has ${what} in ${mine}, and here they are in ${other}`, {
      hint:
        `HOME or ${variable} is another here: set it as where the daemon was started (${variable}=${dirname(mine)}); ` +
        "or agent-run daemon stop, once its sessions have ended (agent-run ps); for both at a time set AGENT_RUN_HOME here",
    });
  }
}
