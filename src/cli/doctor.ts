// `agent-run doctor`: what of this machine, account and agents a session will meet, each with what mends it. Changes nothing.

import { AgentRunError, messageOf } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { loadProfile, type Profile } from "../session/profile.ts";
import { atMost, type Command, type Context, textValue } from "./command.ts";
import { counted } from "./counted.ts";
import { accountChecks } from "./doctor/account.ts";
import { agentChecks } from "./doctor/agent.ts";
import { type Check, type CheckState, failing, ok, warning } from "./doctor/check.ts";
import { configCheck, machineChecks } from "./doctor/machine.ts";
import { mfaChecks } from "./doctor/mfa.ts";
import { setAsideChecks } from "./doctor/set-aside.ts";
import { signInChecks } from "./doctor/sign-in.ts";

const MARKS = { ok: ["✓", "green"], warning: ["!", "yellow"], error: ["✗", "red"], unknown: ["?", "cyan"] } as const;

interface Area {
  readonly area: string;
  readonly checks: readonly Check[];
}

export const doctor: Command = {
  name: "doctor",
  outside: true,
  usage: "doctor [-p <profile>] [--json]",
  summary: "check this machine, your account and your agents, with what mends each",
  description:
    "Starts a sandbox that does nothing, opens a session of the profile's role for nothing but the identity gate, and reads the\n" +
    "settings of agents. Nothing is changed. Exit status 1 when something will not work.",
  options: [
    { name: "profile", short: "p", value: "<name>", help: "the profile to check (default: yours)" },
    { name: "aws-profile", value: "<name>", help: "the AWS profile with your own (base) credentials" },
    { name: "offline", help: "leave AWS out" },
    { name: "json", help: "as JSON" },
  ],
  examples: [
    ["agent-run doctor", "checks all"],
    ["agent-run doctor --offline --json", "checks the machine and the agents, for a script"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "doctor");
    const { profile, checks } = profileOf(context, textValue(values, "profile"));
    const json = values["json"] === true;
    const areas: Area[] = [];
    // Each when it is known: AWS can take its time to answer, or not to.
    const found = (area: string, checks: readonly Check[]): void => {
      areas.push({ area, checks });
      if (!json) print(area, checks, context);
    };
    found("machine", [
      ...(await machineChecks(context, profile?.isolation.level ?? "standard", profile?.credentials)),
      configCheck(context),
      ...setAsideChecks(context.paths),
      ...checks,
    ]);
    if (profile && values["offline"] !== true) {
      const asked = textValue(values, "aws-profile");
      const base = { credentials: asked === undefined ? profile.credentials : undefined, awsProfile: asked ?? profile.awsProfile };
      found("aws", [
        ...(await signInChecks(context, base)),
        ...(await mfaChecks(context, { ...profile, ...base })),
        ...(await accountChecks(context, profile, asked)),
      ]);
    }
    if (profile) found("agent", agentChecks(context, profile));
    const counts = count(areas.flatMap(({ checks }) => checks));
    if (json) context.print.json({ areas, ...counts });
    else
      context.print.text(
        `${counts.ok} ok, ${counted(counts.warning, "warning")}, ${counted(counts.error, "error")}, ${counts.unknown} not known`,
      );
    return counts.error > 0 ? 1 : 0;
  },
};

/** The profile as a run in this folder has it: what a repository's file says counts, where it is trusted. */
function profileOf({ paths, packageFolder, cwd }: Context, name: string | undefined): { profile: Profile | undefined; checks: Check[] } {
  try {
    const profile = loadProfile(paths, packageFolder, name === undefined ? {} : { profile: name }, { cwd });
    const narrowed = profile.repository === undefined ? "" : ", as this repository's .agent-run.toml has it";
    const notes = profile.notes.map((note) => warning("repository", note, "agent-run trust"));
    return { profile, checks: [ok("profile", `${profile.name}, in ${profile.folder}${narrowed}`), ...notes] };
  } catch (error) {
    const hint = error instanceof AgentRunError ? error.hint : undefined;
    return { profile: undefined, checks: [failing("profile", messageOf(error), hint ?? "agent-run profiles list")] };
  }
}

function count(checks: readonly Check[]): Record<CheckState, number> {
  const counts = { ok: 0, warning: 0, error: 0, unknown: 0 };
  for (const { state } of checks) counts[state] += 1;
  return counts;
}

function print(area: string, checks: readonly Check[], { print: to }: Context): void {
  to.out(to.paint("bold", area));
  for (const { name, state, text, fix } of checks) {
    const [mark, style] = MARKS[state];
    to.text(`  ${to.paint(style, mark)} ${name}: ${oneLine(text)}`);
    if (fix !== undefined) to.text(`      ${oneLine(fix)}`);
  }
}
