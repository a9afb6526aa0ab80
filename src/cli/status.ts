// `agent-run status`: the session around you, or all of yours, in one line for a person, a prompt, tmux or a program. Asks nobody: reads what sessions
// leave in their folders.
import { systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { readStatusFiles, type SessionStatus, visibleRuntime } from "../session/status-file.ts";
import { atMost, type Command, type Context, textValue } from "./command.ts";

const FORMATS = ["text", "prompt", "bash", "zsh", "tmux", "json"] as const;
type Format = (typeof FORMATS)[number];

/** Less than this left is shown as a warning, less than the second as an alarm. */
const SOON_MIN = 15;
const NOW_MIN = 5;

export const status: Command = {
  name: "status",
  usage: "status [--format text|prompt|bash|zsh|tmux|json]",
  summary: "the session you are in, or those that run, in one line",
  description:
    "Inside a session it tells of that one, elsewhere of all of yours. The formats for prompts print nothing where no session\n" +
    "runs; `bash` and `zsh` mark colours as those shells want them in a prompt. Their text has no character that a shell or\n" +
    "tmux would read as its own. They are answered by sh, without starting Node.",
  options: [
    { name: "format", value: "<kind>", help: "text (default), prompt, bash, zsh, tmux or json" },
    { name: "json", help: "the same as --format json" },
  ],
  examples: [
    ["agent-run status", "what runs, and how long it has left"],
    ["agent-run status --format prompt", "claude readonly a8f3b21c 42m, with a colour, for PS1"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "status");
    const format = values["json"] === true ? "json" : formatOf(textValue(values, "format") ?? "text");
    const now = Math.floor(systemClock.now() / 1000);
    const sessions = visible(context);
    if (format === "json") context.print.json(sessions.map((session) => ({ ...session, minutesLeft: minutesLeft(session, now) })));
    else if (format === "text") {
      if (sessions.length === 0) context.print.note("no session runs");
      for (const session of sessions) context.print.text(`${session.session} ${segment(session, now)}`);
    } else if (sessions.length > 0) {
      const [first] = sessions;
      const more = sessions.length > 1 ? ` +${sessions.length - 1}` : "";
      if (first)
        context.print.raw(
          `${coloured(segment(first, now, `${first.session.slice("sess_".length)} `), minutesLeft(first, now), format, context)}${more}`,
        );
    }
    return 0;
  },
};

function formatOf(text: string): Format {
  const found = FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new AgentRunError("usage", `--format: '${text}' is none of ${FORMATS.join(", ")}`, {
    hint: "agent-run status --help",
    exitStatus: 2,
  });
}

/** Inside a session only its own folder is there to read. */
function visible({ env, paths }: Context): SessionStatus[] {
  const own = env["AGENT_RUN_SESSION"];
  return readStatusFiles(visibleRuntime(env, paths.runtime)).filter(({ session }) => own === undefined || session === own);
}

const minutesLeft = ({ endsAt }: SessionStatus, now: number): number => Math.max(0, Math.ceil((endsAt - now) / 60));

/** `claude readonly 42m` with the session before the time where it stands nowhere else; a session that is refreshed says so, as its time is not an end. */
function segment(session: SessionStatus, now: number, name = ""): string {
  const minutes = minutesLeft(session, now);
  const left = minutes >= 60 ? `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m` : `${minutes}m`;
  return `${session.actor} ${session.profile} ${name}${left}${session.onExpiry === "refresh" ? "+" : ""}`;
}

function coloured(text: string, minutes: number, format: "prompt" | "bash" | "zsh" | "tmux", { env }: Context): string {
  if (env["NO_COLOR"]) return text;
  const { ansi, name } =
    minutes < NOW_MIN ? { ansi: 31, name: "red" } : minutes < SOON_MIN ? { ansi: 33, name: "yellow" } : { ansi: 32, name: "green" };
  if (format === "tmux") return `#[fg=${name}]${text}#[default]`;
  if (format === "zsh") return `%F{${name}}${text}%f`;
  // 001 and 002 tell readline that what is between them takes no room.
  if (format === "bash") return `\u0001\u001b[${ansi}m\u0002${text}\u0001\u001b[39m\u0002`;
  return `\u001b[${ansi}m${text}\u001b[39m`;
}
