// `agent-run kill`: ends sessions from anywhere; says what is cut and what is not.
import { killReply } from "../control/protocol.ts";
import { ask } from "../control/start-daemon.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { atMost, type Command } from "./command.ts";

/** Longer than the longest grace that a profile is likely to give its agent. */
const KILL_LIMIT_MS = 120_000;

export const kill: Command = {
  name: "kill",
  outside: true,
  usage: "kill <session>|--all [--json]",
  summary: "end a session now, from anywhere",
  description:
    "At once, and without network: the session's endpoint serves no credential any more. Then the agent is asked to\n" +
    "leave (SIGHUP, SIGTERM), and after its grace ended (SIGKILL); then the session's files and secrets are wiped.\n" +
    "Keys that the agent had fetched before stay valid at AWS until they expire: the report says until when.",
  options: [
    { name: "all", help: "every session of yours on this machine" },
    { name: "json", help: "the report as JSON" },
  ],
  examples: [
    ["agent-run kill sess_a8f3b21c", "ends this one; agent-run ps lists them"],
    ["agent-run kill --all", "ends all"],
  ],
  async run(values, words, { paths, print }) {
    atMost(words, 1, "kill");
    const all = values["all"] === true;
    const [session] = words;
    if (all === (session !== undefined)) {
      throw new AgentRunError("usage", all ? "both a session and --all" : "which session?", {
        hint: "agent-run kill <session>, or agent-run kill --all",
        exitStatus: 2,
      });
    }
    const reply = await ask(paths, "POST", "/v1/kill", { session: session ?? "all" }, killReply, KILL_LIMIT_MS);
    const killed = reply?.killed ?? [];
    if (!all && killed.length === 0) {
      throw new AgentRunError("session-not-found", `no session '${session}' runs here`, { hint: "agent-run ps", exitStatus: 1 });
    }
    if (values["json"] === true) {
      print.json(killed);
      return 0;
    }
    if (killed.length === 0) print.note("no session runs");
    for (const one of killed) {
      print.out(`${one.session} killed`);
      print.out(`  local access cut after ${formatSpan(one.endpointClosedMs)}`);
      if (one.agentGoneMs !== undefined) print.out(`  agent gone after ${formatSpan(one.agentGoneMs)}`);
      if (one.keysExpireAt !== undefined)
        print.out(`  not revoked at AWS: keys it fetched stay valid until ${new Date(one.keysExpireAt).toISOString()}`);
      for (const note of one.notes) print.out(`  ${note}`);
    }
    return 0;
  },
};
