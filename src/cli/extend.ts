// `agent-run extend`: more time for a session. Asked from anywhere, granted only by the human at that session's own terminal.
import { extendReply } from "../control/requests.ts";
import { ask } from "../control/start-daemon.ts";
import { parseDuration } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { isSessionId, typedSession } from "../core/id.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command } from "./command.ts";

/** Longer than a human is given for an answer. */
const ANSWER_LIMIT_MS = 150_000;

export const extend: Command = {
  name: "extend",
  outside: true,
  usage: "extend <session> [duration] [--json]",
  summary: "ask for more time for a session, at its own terminal",
  description:
    "The question comes up in the terminal where the session runs, over its agent, and is answered there: whoever only\n" +
    "reaches this command, an agent included, cannot give itself time. No session goes past its profile's max_ttl.\n" +
    "Without a duration the human there chooses one. Exit status 1 when the answer is no.",
  options: [{ name: "json", help: "the answer as JSON" }],
  examples: [
    ["agent-run extend sess_a8f3b21c 30m", "asks for half an hour more"],
    ["agent-run extend sess_a8f3b21c", "asks how much more it should be"],
  ],
  async run(values, words, { paths, print }) {
    atMost(words, 2, "extend");
    const [typed, duration] = words;
    if (typed === undefined)
      throw new AgentRunError("usage", "which session?", {
        hint: "agent-run extend <session> [duration]; agent-run ps lists them",
        exitStatus: 2,
      });
    const session = typedSession(typed);
    if (!isSessionId(session)) throw nosuch(session);
    const byMs = duration === undefined ? undefined : parseDuration(duration, "duration");
    const body = { session, ...(byMs === undefined ? {} : { byMs }) };
    const status = await statusOf(paths);
    if (!status?.sessions.some((each) => each.session === session)) throw nosuch(session);
    if (values["json"] !== true) print.note(`asking at the terminal of ${session}`);
    const reply = await ask(paths, { path: "/v1/extend", body, answer: extendReply, limitMs: ANSWER_LIMIT_MS });
    if (reply === undefined) throw nosuch(session);
    const until = new Date(reply.limitAt).toLocaleTimeString("en-GB");
    if (values["json"] === true) print.json(reply);
    else print.text(reply.extended ? `${reply.session} goes on until ${until}` : `the answer was no: ${reply.session} ends at ${until}`);
    return reply.extended ? 0 : 1;
  },
};

const nosuch = (session: string): AgentRunError =>
  new AgentRunError("session-not-found", `no session '${session}' runs here`, { hint: "agent-run ps", exitStatus: 1 });
