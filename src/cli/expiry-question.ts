// The question before a session's limit, over the running agent: how much longer? Called by running.ts for `--on-expiry ask`.
import type { TerminalAgent } from "../terminal/attach.ts";

const EXTENSIONS = [
  { key: "1", minutes: 15, label: "15 more minutes" },
  { key: "2", minutes: 30, label: "30 more minutes" },
  { key: "3", minutes: 60, label: "1 more hour" },
] as const;

/** Minutes to add; 0 lets the session end. */
export async function askExpiry(screen: TerminalAgent, prompt: string): Promise<number> {
  const key = await screen.question({
    title: "Time is nearly up",
    lines: [prompt],
    choices: [
      ...EXTENSIONS.map((choice) => ({ key: choice.key, shown: choice.key, label: choice.label })),
      { key: "e", shown: "e", label: "let it end" },
    ],
    loud: false,
  });
  return EXTENSIONS.find((choice) => choice.key === key)?.minutes ?? 0;
}
