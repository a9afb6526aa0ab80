// What the first process in a sandbox does before there is an agent: it makes sure that the sandbox will die with the launcher, then waits for its word. And
// what waits for it where there is no sandbox.
// Used by plain.ts and shim.ts.
//
// bubblewrap asks the kernel for a SIGKILL at its parent's death (prctl(2), PR_SET_PDEATHSIG), its outer process for the launcher's and its init for the
// outer one's, each some way into its work; whoever was an orphan before asked in vain. So, in this order: init has asked, then the launcher lives. From
// there on either's death takes all with it. An orphan ends itself, and no agent was started.
import type { Command } from "../core/command.ts";
import { carried, shell } from "./carried.ts";

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

/** The command where there is no sandbox, held by a shell until the launcher's word: starting it takes milliseconds, while AWS is asked. */
export function heldCommand(command: Command): Command {
  const { env, script } = carried(command);
  const steps = ["set +ax", WAIT, `exec ${LAUNCHER_FD}>&-`, ...(script === "" ? [] : [script]), 'exec "$@"'];
  return { ...command, env, file: "/bin/sh", args: ["-c", steps.join(";"), "sh", command.file, ...command.args] };
}

/** Nothing is changed by a terminal that another one shows: that one does it. */
const RAW = 'PATH="/usr/bin:/bin:$PATH" stty -opost -echo';

/**
 * What a job's shell says to the launcher. The agent wants keys, or the terminal's modes; or it was stopped: then it waits for one of the answers below. Or
 * it ended, with the status that follows in three digits: dash itself leaves with 2, as in a sandbox it cannot give the terminal back to whom it was given by.
 */
export const WANTS = 1;
export const STOPPED = 2;
export const ENDED = /\x03(\d{3})/;

/** The answers: the agent gets the terminal; it goes on without it. */
export type Answer = "take" | "on";

/**
 * The agent as a job in the background of the terminal that leads this session, for whose words the descriptor to the launcher stays open. It is stopped by
 * the kernel when it reads (SIGTTIN, 21) or sets modes (SIGTTOU, 22). The shell's own stderr is nobody's, but bash looks there for the terminal that it is to
 * hand over. A function and no loop, which bash leaves when a job is stopped. `jobs` forgets one that has ended.
 */
const job = (): string[] => [
  "set -m",
  `{ (exec "$@" 2>&${STDERR_FD} ${STDERR_FD}>&- ${LAUNCHER_FD}>&-)& }`,
  `exec >/dev/null ${STDERR_FD}>&-`,
  "wait %1;agent_run_status=$?",
  "agent_run_next(){ jobs;kill -0 %1||return;case $agent_run_status in 149|150)agent_run_word=1;;*)agent_run_word=2;;esac",
  `printf "\\\\$agent_run_word" >&${LAUNCHER_FD}&&read -r agent_run_word <&${LAUNCHER_FD}||exit 126`,
  "if [ $agent_run_word = on ];then bg %1;wait %1;agent_run_status=$?",
  `else fg %1${shell() === "dash" ? "" : " 2>&0"};agent_run_status=$?;fi`,
  "agent_run_next;}",
  "agent_run_next",
  `printf "\\\\003%03d" $agent_run_status >&${LAUNCHER_FD}`,
];

/**
 * The command for a sandbox without a terminal, whose first process it will be. A terminal's shim does the same by itself.
 * @param isJob its stdin is a terminal of its session, for which it may have to wait
 * @param relayed which of its output streams are terminals of ours, whose bytes we relay
 */
export function tiedCommand(command: Command, relayed: readonly number[] = [], isJob = false): Command {
  const { env, script } = carried(command);
  const raw = relayed.map((descriptor) => `${RAW} <&${descriptor === 2 ? STDERR_FD : descriptor}`);
  const steps = [
    "set +ax",
    INIT_IS_TIED,
    `printf '\\0' >&${LAUNCHER_FD}||exit 126`,
    ...raw,
    WAIT,
    ...(isJob ? ["exec 2>/dev/null"] : [START]),
    ...(script === "" ? [] : [script]),
    ...(isJob ? job() : ['exec "$@"']),
  ];
  return {
    ...command,
    env,
    file: "/bin/sh",
    aside: { stderr: STDERR_FD, to: LAUNCHER_FD },
    args: ["-c", steps.join(";"), "sh", command.file, ...command.args],
  };
}
