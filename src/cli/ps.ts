// `agent-run ps`: the sessions that run now.
import { killReply } from "../control/requests.ts";
import { ask } from "../control/start-daemon.ts";
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { auditFolder, type Paths } from "../core/paths.ts";
import { sessionsElsewhere } from "../session/leftover.ts";
import { givenUp } from "../session/recovery.ts";
import { Tries } from "../session/tries.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { fitting, psRow } from "./ps-rows.ts";
import { progressLines } from "./revocation-lines.ts";
import { table } from "./table.ts";

/** As long as `agent-run kill` waits. */
const KILL_LIMIT_MS = 150_000;

export const ps: Command = {
  name: "ps",
  outside: true,
  usage: "ps [--watch] [--json]",
  summary: "the sessions that run now",
  description:
    "Identity is the role and its account; what is left is the time to the session's end, or with ↻ to its next renewal.\n" +
    "A terminal too narrow for all columns gets fewer. --watch shows them as they come and go, and ends one with a key, after a question.",
  options: [
    { name: "watch", help: "as a screen that keeps up, with keys" },
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run ps", "who runs, as which role, how long"],
    ["agent-run ps --watch", "keep an eye on them"],
    ["agent-run ps --json | jq '.[].session'", "the session ids"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "ps");
    const { paths, print } = context;
    const json = values["json"] === true;
    if (values["watch"] === true) return await watch(json, context);
    const sessions = (await statusOf(paths))?.sessions ?? [];
    for (const { session, host, at } of sessionsElsewhere(
      auditFolder(paths),
      sessions.map((one) => one.session),
    ))
      print.note(
        `${session} is of another machine, ${host}, which shares this state folder: it is seen, and ended, there; last recorded at ${at}`,
      );
    for (const session of new Tries(paths).givenUp()) print.warn(givenUp(paths, session));
    if (json) {
      print.json(sessions);
      return 0;
    }
    if (sessions.length === 0) {
      print.note("no session runs");
      return 0;
    }
    const now = systemClock.now();
    const [heading = [], ...rows] = fitting(
      sessions.map((session) => psRow(session, now)),
      print.width() ?? Number.POSITIVE_INFINITY,
    );
    const marked = rows.map((row, index) =>
      sessions[index]?.trouble === undefined ? row : [...row.slice(0, -1), print.paint("yellow", row.at(-1) ?? "")],
    );
    print.out(table([heading.map((text) => print.paint("bold", text)), ...marked], print.width()));
    return 0;
  },
};

async function watch(json: boolean, { paths, streams, env }: Context): Promise<number> {
  const { stdin, stdout } = streams;
  if (json || !stdin.isTTY || !stdout.isTTY || env["TERM"] === "dumb") {
    throw new AgentRunError("usage", json ? "not --watch and --json at once" : "--watch needs a terminal", {
      hint: "agent-run ps --json",
      exitStatus: 2,
    });
  }
  const { watchSessions } = await import("./ps-watch.tsx");
  await watchSessions({
    stdin,
    stdout,
    colour: !env["NO_COLOR"],
    look: async () => (await statusOf(paths))?.sessions ?? [],
    kill: (session) => killed(paths, session),
  });
  return 0;
}

async function killed(paths: Paths, session: string): Promise<string> {
  const reply = await ask(paths, { path: "/v1/kill", body: { session }, answer: killReply, limitMs: KILL_LIMIT_MS });
  const [one] = reply?.killed ?? [];
  if (one === undefined) return `${session} does not run any more`;
  const { endpointClosedMs: cutMs, agentGoneMs: goneMs, revocations = [] } = one;
  return `${session} killed: ${progressLines({ cutMs, goneMs, revocations }).join(", ")}`;
}
