// `agent-run policy`: lint, test and explain policies. Each is a command of its own, loaded when it is named.
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { type Command, parseCommand } from "./command.ts";
import { commandHelp } from "./command-help.ts";

const parts: Readonly<Record<string, () => Promise<Command>>> = {
  explain: async () => (await import("./policy-explain.ts")).policyExplain,
  lint: async () => (await import("./policy-lint.ts")).policyLint,
  test: async () => (await import("./policy-test.ts")).policyTest,
};

export const policy: Command = {
  name: "policy",
  usage: `policy <${Object.keys(parts).join("|")}> …`,
  summary: "lint, test and explain IAM policies",
  description: "agent-run policy <what> --help tells more.",
  options: [],
  stopsAtFirstWord: true,
  parts,
  examples: [["agent-run policy lint readonly", "what is risky in a profile, a file or a role"]],
  async run(_values, [first, ...rest], context) {
    const load = parts[first ?? ""];
    if (first === undefined || load === undefined) {
      const near = first === undefined ? undefined : nearest(first, Object.keys(parts));
      throw new AgentRunError(
        "usage",
        first === undefined ? "policy needs to be told what to do" : `policy: '${first}' is none of ${Object.keys(parts).join(", ")}`,
        {
          hint: near ? `did you mean 'agent-run policy ${near}'?` : "agent-run policy --help",
          exitStatus: 2,
        },
      );
    }
    const part = await load();
    const { values, words } = parseCommand(part, rest);
    if (values["help"] === true) {
      context.print.out(commandHelp(part, context.print.width()));
      return 0;
    }
    return part.run(values, words, context);
  },
};
