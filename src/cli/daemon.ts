// `agent-run daemon`: the background process, by hand. `run` is what `start` and every launcher start.

import { readFileSync } from "node:fs";
import { stopReply } from "../control/protocol.ts";
import { ask, connectOrStart } from "../control/start-daemon.ts";
import { systemClock } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { closeInherited } from "../core/inherited.ts";
import { controlSocket, daemonLog } from "../core/paths.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { counted } from "./counted.ts";
import { heldText } from "./mfa-lines.ts";
import { startCommand } from "./start-command.ts";

const STOP_LIMIT_MS = 60_000;
const LOG_LINES = 50;
/** spawn-daemon.ts opened the log for it. */
const STDERR = 2;

const actions: Record<string, (context: Context, json: boolean) => Promise<number>> = {
  async run(context) {
    const { paths, packageFolder, version, streams } = context;
    const { stderr } = streams;
    // Whoever waits for a pipe of the launch to close must not wait for the daemon.
    closeInherited(() => false);
    const [{ runDaemon }, { createKeeper, KEPT }, { createSessions }, { fileLog, streamLog }] = await Promise.all([
      import("../daemon/daemon.ts"),
      import("../daemon/keeper.ts"),
      import("../session/sessions.ts"),
      import("../daemon/log.ts"),
    ]);
    const log = stderr.isTTY ? streamLog(stderr, systemClock) : fileLog(daemonLog(paths), systemClock, { opened: STDERR });
    const keep = createKeeper(startCommand(context), context.env[KEPT]);
    const host = createSessions({ paths, packageFolder, version, clock: systemClock, log: (text) => log.line(text), keep });
    const leaving = await runDaemon({ paths, version, host, log });
    return leaving === "broken" ? 1 : 0;
  },

  async start(context) {
    const daemon = await connectOrStart(context.paths, { startCommand: startCommand(context), version: context.version });
    if (daemon.note !== undefined) context.print.warn(daemon.note);
    context.print.text(`the daemon runs (pid ${daemon.pid}, version ${daemon.version})`);
    return 0;
  },

  async stop({ paths, print }) {
    const status = await statusOf(paths);
    if (status === undefined) {
      print.note("no daemon runs");
      return 0;
    }
    const reply = await ask(paths, { path: "/v1/stop", body: { onlyIdle: false }, answer: stopReply, limitMs: STOP_LIMIT_MS });
    const ended = reply?.ended ?? 0;
    print.text(`the daemon leaves${ended > 0 ? `; ${ended} ${ended === 1 ? "session was" : "sessions were"} ended` : ""}`);
    return 0;
  },

  async status({ paths, print }, json) {
    const status = await statusOf(paths);
    if (json) print.json(status ?? null);
    else if (status === undefined) print.text("no daemon runs; one is started when it is needed");
    else {
      const { pid, version, startedAt, sessions, mfa = [] } = status;
      print.text(`pid ${pid}, version ${version}, up ${formatSpan(systemClock.now() - startedAt)}, ${counted(sessions.length, "session")}`);
      print.text(`socket ${controlSocket(paths)}`);
      print.text(`log    ${daemonLog(paths)}`);
      for (const held of mfa) print.text(heldText(held));
    }
    return status === undefined ? 1 : 0;
  },

  async logs({ paths, print }) {
    let text: string;
    try {
      text = readFileSync(daemonLog(paths), "utf8");
    } catch {
      print.note(`there is no log yet: ${daemonLog(paths)}`);
      return 0;
    }
    for (const line of text.trimEnd().split("\n").slice(-LOG_LINES)) print.out(line);
    return 0;
  },
};

export const daemon: Command = {
  name: "daemon",
  outside: true,
  usage: "daemon start|stop|status|logs [--json]",
  summary: "the background process that holds the credentials",
  description:
    "One daemon a user. Every run starts it when it is not there, and it leaves by itself when it has had nothing to do\n" +
    "for ten minutes. It holds credentials in memory only; stopping it ends every session.",
  options: [{ name: "json", help: "with status: as JSON" }],
  async run(values, words, context) {
    atMost(words, 1, "daemon");
    const action = actions[words[0] ?? "status"];
    if (!action)
      throw new AgentRunError("usage", `daemon knows no '${words[0]}'`, { hint: "agent-run daemon start|stop|status|logs", exitStatus: 2 });
    return action(context, values["json"] === true);
  },
};
