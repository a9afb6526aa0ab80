// `agent-run ps`: the sessions that run now.
import { systemClock } from "../core/clock.ts";
import { formatLeft, formatSpan } from "../core/duration.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command } from "./command.ts";
import { printable } from "./printer.ts";
import { table } from "./table.ts";

export const ps: Command = {
  name: "ps",
  outside: true,
  usage: "ps [--json]",
  summary: "the sessions that run now",
  options: [{ name: "json", help: "as JSON, for programs" }],
  examples: [
    ["agent-run ps", "who runs, as which role, how long"],
    ["agent-run ps --json | jq '.[].session'", "the session ids"],
  ],
  async run(values, words, { paths, print }) {
    atMost(words, 0, "ps");
    const sessions = (await statusOf(paths))?.sessions ?? [];
    if (values["json"] === true) {
      print.json(sessions);
      return 0;
    }
    if (sessions.length === 0) {
      print.note("no session runs");
      return 0;
    }
    const now = systemClock.now();
    const rows = sessions.map((session) => [
      session.session,
      printable(session.actor),
      session.profile,
      printable(`${session.role}@${session.account}`),
      printable(session.project),
      formatSpan(now - session.startedAt),
      `${formatLeft(session.limitAt - now)}${session.onExpiry === "refresh" ? " ↻" : ""}`,
      String(session.fetches),
      session.trouble === undefined ? session.state : print.paint("yellow", `${session.state}: ${printable(session.trouble)}`),
    ]);
    const heading = ["SESSION", "AGENT", "PROFILE", "ROLE", "PROJECT", "AGE", "LEFT", "FETCHES", "STATE"].map((text) =>
      print.paint("bold", text),
    );
    print.out(table([heading, ...rows]));
    return 0;
  },
};
