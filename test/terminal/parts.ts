// Parts of a screen for the tests of single ones: a terminal that takes everything, and what was written to it.
import type { BarState } from "../../src/terminal/bar-layout.ts";
import type { TerminalOutput } from "../../src/terminal/terminal-output.ts";

export const BAR: BarState = {
  agent: "claude",
  role: "readonly@123456789012",
  account: "123456789012",
  session: "sess_a8f3b21c",
  profile: "readonly",
  left: undefined,
  onExpiry: "stop",
  delivery: "endpoint",
  isolation: "standard",
  caveats: [],
};

export function writtenTo(): { readonly output: TerminalOutput; written(): string } {
  let all = "";
  const output: TerminalOutput = {
    isEmpty: () => true,
    onPressure: () => undefined,
    write: (bytes) => {
      all += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
    },
    together: (run) => run(),
    drained: async () => undefined,
  };
  return { output, written: () => all };
}
