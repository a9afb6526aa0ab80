// `agent-run env`: the environment that an agent would get here, with a reason for each change. Asks nobody and starts nothing.
import { basename } from "node:path";
import { newSessionId } from "../core/id.ts";
import { sessionFolder } from "../core/paths.ts";
import { oneLine } from "../core/printable.ts";
import { regionOfBase } from "../credentials/sources/order.ts";
import { forwarderVariables } from "../isolation/forwarder-variables.ts";
import { childVariables } from "../session/delivery.ts";
import { childEnvironment } from "../session/environment.ts";
import { noRegion } from "../session/no-region.ts";
import { loadProfile } from "../session/profile.ts";
import { resolveExecutable } from "../terminal/executable.ts";
import type { Command, Context } from "./command.ts";
import { environmentTable } from "./dry-run.ts";
import { explain, isolationPlan } from "./isolate.ts";
import { overridesOf, runOptions } from "./run-options.ts";
import { sourceEnvironment } from "./source-environment.ts";

export const env: Command = {
  name: "env",
  usage: "env [run options] [--explain] [--json] [<agent>]",
  summary: "the environment an agent would get, with a reason for each change",
  description:
    "Shows which variables are removed, set or kept on purpose; values are not shown. --explain adds what the agent\ncan reach on this machine.",
  options: [
    ...runOptions.filter((option) => option.name !== "dry-run" && option.name !== "no-bar"),
    { name: "explain", help: "also what the agent can reach, and why" },
    { name: "json", help: "as JSON" },
  ],
  stopsAtFirstWord: true,
  async run(values, words, context) {
    const { paths, packageFolder, print } = context;
    const profile = loadProfile(paths, packageFolder, overridesOf(values), { cwd: context.cwd });
    for (const note of profile.notes) print.warn(note);
    // No session is opened: its id and folder only stand for those of a real one.
    const session = newSessionId();
    const folder = sessionFolder(paths, session);
    const region = regionOfBase({ region: profile.region, env: sourceEnvironment(context.env), awsProfile: profile.awsProfile });
    if (region === undefined) print.warn(noRegion(profile.name));
    const set = childVariables(
      {
        delivery: profile.delivery,
        folder,
        session,
        profile: profile.name,
        region,
        endpointUrl: profile.endpointUrl ?? context.env["AWS_ENDPOINT_URL"],
        endpoint: undefined,
        path: undefined,
      },
      undefined,
    );
    const forwarder = forwarderVariables(profile.isolation.level, profile.isolation.network ?? [], []);
    const { changes } = childEnvironment({
      ...{ human: context.env, set: { ...set, ...forwarder }, pass: profile.pass, allow: profile.isolation.allow },
    });
    const plan =
      values["explain"] === true
        ? await isolationPlan(
            { env: context.env, actor: basename(words[0] ?? "agent"), file: programOf(words[0], context), context },
            profile.isolation,
          )
        : undefined;
    if (values["json"] === true) {
      print.json({ changes, ...(plan ? { isolation: plan } : {}) });
      return 0;
    }
    print.out(environmentTable(changes, print.width()));
    if (plan) {
      print.out("");
      for (const line of explain(plan)) print.text(oneLine(line));
    }
    return 0;
  },
};

/** The agent's program, where there is one: which it is may say whose. */
function programOf(word: string | undefined, { env: { PATH }, cwd }: Context): string | undefined {
  try {
    return word === undefined ? undefined : resolveExecutable(word, PATH, cwd);
  } catch {
    return undefined;
  }
}
