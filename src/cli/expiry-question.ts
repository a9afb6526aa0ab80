// The questions about more time, over the running agent: before the limit, and for `agent-run extend`. Called by questions.ts.
import { formatSpan } from "../core/duration.ts";
import type { TerminalAgent } from "../terminal/attach.ts";

const EXTENSIONS = [
  { key: "1", minutes: 15, label: "15 more minutes" },
  { key: "2", minutes: 30, label: "30 more minutes" },
  { key: "3", minutes: 60, label: "1 more hour" },
] as const;

/**
 * Minutes to add; 0 leaves the limit as it is.
 * @param kind `expiry`: its time is nearly up; `extend`: somebody asked for more
 * @param minutes what was asked for; undefined lets the human choose
 */
export async function askForTime(
  screen: TerminalAgent,
  kind: "expiry" | "extend",
  prompt: string,
  minutes: number | undefined,
): Promise<number> {
  const offered = minutes === undefined ? EXTENSIONS : [{ key: "y", minutes, label: `${formatSpan(minutes * 60_000)} more` }];
  const no = kind === "expiry" ? { key: "e", label: "let it end" } : { key: "n", label: "no: the limit stays" };
  const key = await screen.question({
    title: kind === "expiry" ? "Time is nearly up" : "More time?",
    lines: [prompt],
    choices: [...offered, no].map((choice) => ({ key: choice.key, shown: choice.key, label: choice.label })),
    loud: false,
  });
  return offered.find((choice) => choice.key === key)?.minutes ?? 0;
}
