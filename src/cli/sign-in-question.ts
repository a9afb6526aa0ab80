// Where to sign in and which code to confirm, over the running agent. Called by questions.ts.
import type { TerminalAgent } from "../terminal/attach.ts";

/**
 * Stands until `over`, or until the human gives it up.
 * @param prompt the address, and on a second line the code
 */
export async function askToSignIn(screen: TerminalAgent, prompt: string, over: AbortSignal): Promise<void> {
  const [url = "", code = ""] = prompt.split("\n");
  await screen.question(
    {
      title: "Sign in again",
      lines: ["Open this in a browser, on any device:", url, `and confirm the code  ${code}`, "", "The agent goes on meanwhile."],
      choices: [{ key: "escape", shown: "Esc", label: "not now", brief: "not now" }],
      loud: false,
    },
    over,
  );
}
