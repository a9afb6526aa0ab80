// `agent-run demo`: a run as any other, but on the local cloud, with keys that open nothing else.
import { basename, delimiter, join } from "node:path";
import type { Environment } from "../core/paths.ts";
import { resolveExecutable } from "../terminal/executable.ts";
import { shownKey } from "../terminal/overlay-views.ts";
import type { Command, Context } from "./command.ts";
import { type DemoCloud, startDemoCloud } from "./demo-cloud.ts";
import { isTerminal } from "./is-terminal.ts";
import { launch } from "./launch.ts";
import { overridesOf, runOptions } from "./run-options.ts";

/** Where the demo's own profile differs from a run's default. */
const DEMO_HELP: Readonly<Record<string, string>> = {
  profile: "what it may do: demo (default), readonly or your own",
  ttl: "time limit: 15m, 1h30m (default: the profile's, 15m)",
};

export const demo: Command = {
  name: "demo",
  outside: true,
  usage: "demo [run options] [command…]",
  summary: "try everything on a local cloud, no AWS account needed",
  description:
    "Starts a small AWS of our own on this machine, makes a role in it, and runs a shell (in a terminal), a scripted agent\n" +
    "(without one) or the command that you name under that role, as agent-run does with a real account.",
  options: runOptions
    .filter(({ name }) => name !== "role" && name !== "aws-profile")
    .map((option) => ({ ...option, help: DEMO_HELP[option.name] ?? option.help })),
  stopsAtFirstWord: true,
  examples: [
    ["agent-run demo", "a shell under the restricted role"],
    ["agent-run demo --ttl 1m --on-expiry stop", "see it end"],
    ["agent-run demo aws s3 ls", "one command"],
  ],
  async run(values, words, context) {
    const overrides = overridesOf(values);
    using cloud = await startDemoCloud(context);
    const interactive = isTerminal(0) && isTerminal(1);
    const env = demoEnvironment(context, cloud);
    const [agent, ...args] = commandOf(words[0] === "--" ? words.slice(1) : words, interactive, context);
    return await launch({
      agent,
      args,
      actor: words.length > 0 ? basename(agent) : interactive ? "demo-shell" : "demo-agent",
      env,
      overrides: { profile: "demo", role: cloud.roleArn, ...overrides },
      bar: values["no-bar"] !== true,
      dryRun: values["dry-run"] === true,
      // A level that was asked for by name is given or refused, here too.
      mayStepDown: overrides.isolation === undefined,
      ...(words.length > 0 ? {} : { intro: (killKey) => intro(env, killKey, context) }),
      context,
    });
  },
};

/** Says where something of this machine is, and gives no access. */
const METADATA_ADDRESS = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/** The human's environment with the local cloud's administrator in place of all AWS access. */
function demoEnvironment({ env, packageFolder, self }: Context, cloud: DemoCloud): Environment {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("AWS_") || name === METADATA_ADDRESS);
  return {
    ...Object.fromEntries(others),
    AWS_ACCESS_KEY_ID: cloud.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.secretAccessKey,
    AWS_ENDPOINT_URL: cloud.url,
    AWS_REGION: cloud.region,
    PATH: [join(packageFolder, "shell", "demo"), env["PATH"]].filter(Boolean).join(delimiter),
    // For shell/demo/demo-aws. Not AGENT_RUN_*: those are taken out of the agent's environment.
    DEMO_AWS_NODE: self[0],
    DEMO_AWS_MAIN: self[1],
  };
}

function commandOf(words: readonly string[], interactive: boolean, { env, self }: Context): [string, ...string[]] {
  const [first, ...rest] = words;
  if (first !== undefined) return [first, ...rest];
  return interactive ? [env["SHELL"] || "/bin/sh"] : [...self, "demo-agent"];
}

function intro(env: Environment, killKey: string | undefined, { cwd, packageFolder }: Context): string {
  const withoutOurs = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== join(packageFolder, "shell", "demo"));
  const aws = hasAws(withoutOurs.join(delimiter), cwd) ? "aws" : "demo-aws";
  const suggestions = [
    [`${aws} sts get-caller-identity`, "who the agent is"],
    [`${aws} s3 ls s3://acme-data`, "a read that works"],
    [`${aws} s3 rm s3://acme-data/reports/q3.txt`, "a delete that is denied"],
    [`${aws} ec2 describe-instances`, "works; terminating one does not"],
    killKey === undefined ? ["exit", "ends it"] : [shownKey(killKey), "asks, and ends it all; exit leaves"],
  ] as const;
  const width = Math.max(...suggestions.map(([what]) => what.length));
  return [
    "",
    "This shell holds no access of yours: only a short-lived role on a small cloud that lives in this machine.",
    ...(aws === "aws" ? [] : ["The AWS CLI is not on your PATH; demo-aws stands in for it."]),
    "Try:",
    ...suggestions.map(([what, why]) => `  ${what.padEnd(width)}  ${why}`),
    "",
    "",
  ].join("\n");
}

function hasAws(path: string, cwd: string): boolean {
  try {
    resolveExecutable("aws", path, cwd);
    return true;
  } catch {
    return false;
  }
}
