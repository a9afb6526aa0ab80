// What the first process in a sandbox does before there is an agent: it makes sure that the sandbox will die with the launcher, then waits for its word.
// Used by plain.ts and shim.ts.
//
// bubblewrap asks the kernel for a SIGKILL at its parent's death (prctl(2), PR_SET_PDEATHSIG), its outer process for the launcher's and its init for the
// outer one's, each some way into its work; whoever was an orphan before asked in vain. So, in this order: init has asked, then the launcher lives. From
// there on either's death takes all with it. An orphan ends itself, and no agent was started.
import type { Command } from "../core/command.ts";
import { carried } from "./carried.ts";

/** Init sleeps only in wait(2), which comes after it has asked (bubblewrap.c, do_init). */
export const INIT_IS_TIED =
  `unset agent_run_init;while read -r agent_run_init </proc/1/stat||exit 126;do case $agent_run_init in *') S '*)break;;esac;` +
  'PATH="/usr/bin:/bin:$PATH" sleep 0.001;done;unset agent_run_init';

/**
 * The descriptor of a socket whose other end is the launcher's alone: who writes to it while nobody holds that end fails (EPIPE), and who reads from it
 * then reads its end.
 */
export const LAUNCHER_FD = 3;

/** The descriptor that keeps the agent's stderr until it starts: what bubblewrap says meanwhile goes to the launcher, who knows whether it matters. */
const STDERR_FD = 7;

/** What the sandbox says when it stands: no program's words have it in them. */
export const STANDS = 0;

/** The launcher's word that every gate was passed: the agent may start. */
export const RELEASED = "released";

const WAIT = `unset agent_run_word;read -r agent_run_word <&${LAUNCHER_FD};[ "$agent_run_word" = ${RELEASED} ]||exit 126;unset agent_run_word`;

const START = `exec 2>&${STDERR_FD} ${STDERR_FD}>&- ${LAUNCHER_FD}>&-`;

/** Nothing is changed by a terminal that another one shows: that one does it. */
const RAW = 'PATH="/usr/bin:/bin:$PATH" stty -opost -echo';

/**
 * The command for a sandbox without a terminal, whose first process it will be. A terminal's shim does the same by itself.
 * @param relayed which of its output streams are terminals of ours, whose bytes we relay
 */
export function tiedCommand(command: Command, relayed: readonly number[] = []): Command {
  const { env, script } = carried(command);
  const raw = relayed.map((descriptor) => `${RAW} <&${descriptor === 2 ? STDERR_FD : descriptor}`);
  const steps = [
    "set +ax",
    INIT_IS_TIED,
    `printf '\\0' >&${LAUNCHER_FD}||exit 126`,
    ...raw,
    WAIT,
    START,
    ...(script === "" ? [] : [script]),
  ];
  return {
    ...command,
    env,
    file: "/bin/sh",
    aside: { stderr: STDERR_FD, to: LAUNCHER_FD },
    args: ["-c", `${steps.join(";")};exec "$@"`, "sh", command.file, ...command.args],
  };
}
