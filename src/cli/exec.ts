// `agent-run exec`: a run for scripts, CI and MCP servers. Nothing of ours is seen: what is no terminal is the program's own, and a terminal is like yours.
import { basename } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { type Command, textValue, type Values } from "./command.ts";
import { launch } from "./launch.ts";
import { overridesOf, runOptions } from "./run-options.ts";
import { takenAsValue } from "./taken-as-value.ts";

export const exec: Command = {
  name: "exec",
  outside: true,
  usage: "exec [run options] [--actor <name>] -- <program> [arguments…]",
  summary: "run a program in a script, in CI or as an MCP server: no bar, no questions",
  description:
    "The program gets our stdin, stdout and stderr, one that is a terminal as a terminal: no bar, no keys, nothing asked. What\n" +
    "is wrong is said on stderr. Signals are passed on; the exit status is that of agent-run run.\n\n" +
    "An actor `mcp:<tool>` is a tool, and a tool has a role of its own: one that another tool used in the last 30 days is\n" +
    "refused, unless --share-role or the profile's share_role = true lets it share.",
  options: [
    ...runOptions.filter(({ name }) => name !== "no-bar"),
    { name: "actor", value: "<name>", help: "who it is, as the tag agent-actor: mcp:send-email (default: the program's name)" },
    { name: "share-role", help: "let this tool share the role of another one" },
  ],
  stopsAtFirstWord: true,
  examples: [
    ["agent-run exec -p deploy -- ./deploy.sh", "in a script or in CI"],
    ["agent-run exec --actor mcp:send-email -p send-email -- npx mail-server", "an MCP server, as `command` and `args` of its client"],
  ],
  async run(values, words, context) {
    const [program, ...args] = words[0] === "--" ? words.slice(1) : words;
    if (program === undefined)
      throw new AgentRunError("usage", "which program?", {
        hint: takenAsValue("agent-run exec", exec.options, values, context) ?? "agent-run exec -- ./script.sh",
        exitStatus: 2,
      });
    return await launch({
      agent: program,
      args,
      actor: actorOf(values) ?? basename(program),
      env: context.env,
      overrides: { ...overridesOf(values), ...(values["share-role"] === true ? { shareRole: true } : {}) },
      bar: false,
      plain: true,
      dryRun: values["dry-run"] === true,
      mayStepDown: false,
      context,
    });
  },
};

/** Refused and not cleaned: the name decides whose role it is. */
function actorOf(values: Values): string | undefined {
  const actor = textValue(values, "actor");
  if (actor === undefined || /^[A-Za-z0-9][\w.:@+-]{0,63}$/.test(actor)) return actor;
  throw new AgentRunError("usage", `--actor: '${actor}' is not of 1 to 64 letters, digits and _.:@+-`, {
    hint: "for example --actor mcp:send-email",
    exitStatus: 2,
  });
}
