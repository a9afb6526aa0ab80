// `agent-run ps --watch`: the sessions as they come and go, and a key to end one. Ink draws it; loaded by ps.ts for this alone.
import { Box, render, Text, useApp, useInput, useWindowSize } from "ink";
import { useEffect, useReducer, useRef, useState } from "react";
import type { SessionView } from "../control/protocol.ts";
import { type Instant, systemClock } from "../core/clock.ts";
import { cleanText } from "../terminal/clean-text.ts";
import { PS_HEADING, psRow } from "./ps-rows.ts";
import { table } from "./table.ts";

export interface WatchOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly colour: boolean;
  /** The sessions now. */
  look(): Promise<readonly SessionView[]>;
  /** Ends one and says how that went, in one line. */
  kill(session: string): Promise<string>;
}

const LOOK_MS = 1000;
const KEYS = "↑ ↓ choose   x end it   q leave";

/** Shows it until the human leaves. The terminal is then as it was: it is drawn on the alternate screen. */
export async function watchSessions(options: WatchOptions): Promise<void> {
  const { stdin, stdout } = options;
  const shown = render(<Watch {...options} />, { stdin, stdout, alternateScreen: true, interactive: true, patchConsole: false });
  await shown.waitUntilExit();
}

function Watch({ look, kill, colour }: WatchOptions) {
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const { sessions, now, trouble } = useSessions(look);
  /** Changed at once: several keys can come before it is drawn again. Who is asked about stays the same whatever comes and goes meanwhile. */
  const { current: choice } = useRef<{ chosen?: string | undefined; asked?: SessionView | undefined; said: string }>({ said: "" });
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const place = (): number => Math.max(0, sessions.map(({ session }) => session).indexOf(choice.chosen ?? ""));
  const say = (text: string): void => {
    choice.said = text;
    redraw();
  };
  const press = (key: string): void => {
    const { asked } = choice;
    if (asked !== undefined) {
      if (key === "y" || key === "n" || key === "escape") choice.asked = undefined;
      if (key !== "y") return;
      say(`ending ${asked.session} …`);
      kill(asked.session).then(say, (error: Error) => say(error.message));
    } else if (key === "q" || key === "escape") exit();
    else if (key === "k") choice.chosen = sessions[Math.max(0, place() - 1)]?.session;
    else if (key === "j") choice.chosen = sessions[Math.min(sessions.length - 1, place() + 1)]?.session;
    else if (key === "x") choice.asked = sessions[place()];
  };
  useInput((input, key) => {
    const named = key.escape ? "escape" : key.upArrow ? "k" : key.downArrow ? "j" : undefined;
    for (const one of named === undefined ? input : [named]) press(one);
    redraw();
  });
  const { asked, said } = choice;
  const at = place();

  const [heading = "", ...lines] = table([PS_HEADING, ...sessions.map((session) => psRow(session, now).map(cleanText))]).split("\n");
  // Heading, a line between, what is said and the keys.
  const room = Math.max(1, rows - 4);
  const first = Math.min(Math.max(0, at - room + 1), Math.max(0, lines.length - room));
  const question = asked === undefined ? undefined : `end ${asked.session} (${cleanText(asked.actor)})? y yes   n no`;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Text bold wrap="truncate">
        {heading}
      </Text>
      {lines.length === 0 ? <Text>no session runs</Text> : null}
      {lines.slice(first, first + room).map((line, index) => {
        const session = sessions[first + index];
        return (
          <Text key={session?.session} inverse={first + index === at} wrap="truncate" {...tone(session, colour)}>
            {line}
          </Text>
        );
      })}
      <Box flexGrow={1} />
      <Text wrap="truncate">{trouble || said || " "}</Text>
      <Text bold={question !== undefined} wrap="truncate" {...(question !== undefined && colour ? { color: "yellow" } : {})}>
        {question ?? KEYS}
      </Text>
    </Box>
  );
}

function tone(session: SessionView | undefined, colour: boolean): { color?: string } {
  return colour && session?.trouble !== undefined ? { color: "yellow" } : {};
}

/** What the daemon says, asked again and again while it is shown. */
function useSessions(look: WatchOptions["look"]): { sessions: readonly SessionView[]; now: Instant; trouble: string } {
  const [state, setState] = useState({ sessions: [] as readonly SessionView[], now: systemClock.now(), trouble: "" });
  useEffect(() => {
    let timer: NodeJS.Timeout | undefined;
    let left = false;
    const again = async (): Promise<void> => {
      const found = await look().then(
        (sessions) => ({ sessions, trouble: "" }),
        (error: Error) => ({ sessions: [], trouble: error.message }),
      );
      if (left) return;
      setState({ ...found, now: systemClock.now() });
      timer = setTimeout(() => void again(), LOOK_MS);
    };
    void again();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [look]);
  return state;
}
