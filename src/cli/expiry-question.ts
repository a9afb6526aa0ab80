// The question before a session's limit, over the running agent: how much longer? Called by launch.ts for `--on-expiry ask`.
import type { TerminalAgent } from "../terminal/attach.ts";

const MINUTES: ReadonlyMap<string, number> = new Map([
  ["1", 15],
  ["2", 30],
  ["3", 60],
]);

/** Minutes to add; 0 lets the session end. */
export async function askExpiry(screen: TerminalAgent, prompt: string): Promise<number> {
  const key = await screen.ask({
    title: "time is nearly up",
    lines: [prompt],
    choices: [
      { key: "1", label: "15 more minutes" },
      { key: "2", label: "30 more minutes" },
      { key: "3", label: "1 more hour" },
      { key: "e", label: "let it end" },
    ],
  });
  return MINUTES.get(key ?? "") ?? 0;
}
