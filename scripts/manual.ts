// The manual as pages: docs/commands.md and the man pages, from the same data as `--help`. Called by scripts/docs.ts and scripts/build.mjs.
import type { Command, Option } from "../src/cli/command.ts";
import { commands } from "../src/cli/commands.ts";
import { runOptions } from "../src/cli/run-options.ts";
import { configFile, resolvePaths } from "../src/core/paths.ts";
import * as roff from "./roff.ts";

/** Every command that people use, in the order of `--help`; the parts of one follow it. */
export async function visibleCommands(): Promise<Command[]> {
  const pages: Command[] = [];
  for (const entry of commands.filter(({ hidden }) => !hidden)) {
    const command = await entry.load();
    pages.push(command);
    for (const load of Object.values(command.parts ?? {})) pages.push(await load());
  }
  return pages;
}

/** The text of docs/commands.md. */
export function commandsPage(pages: readonly Command[]): string {
  return [
    "# Commands",
    "",
    "Made by `npm run docs` from what `--help` prints: change the command, not this page. `man agent-run` and `man agent-run-ps` show the same.",
    "",
    ...pages.map(({ name, summary }) => `- [agent-run ${name}](#agent-run-${name.replaceAll(" ", "-")}): ${prose(summary)}`),
    "",
    ...pages.flatMap(section),
  ].join("\n");
}

function section({ name, usage, summary, description, options, examples = [] }: Command): string[] {
  return [
    `## agent-run ${name}`,
    "",
    `${sentence(prose(summary))}`,
    "",
    "```text",
    `agent-run ${usage}`,
    "```",
    "",
    ...(description === undefined ? [] : [...prose(description).split("\n"), ""]),
    ...(options.length === 0 ? [] : ["| option | what |", "| --- | --- |", ...options.map(row), ""]),
    ...(examples.length === 0 ? [] : ["| example | what |", "| --- | --- |", ...examples.map(([line, what]) => cells(line, what)), ""]),
  ];
}

const row = (option: Option): string => cells(`${option.short === undefined ? "" : `-${option.short}, `}${longForm(option)}`, option.help);
const cells = (code: string, text: string): string => `| \`${code.replaceAll("|", "\\|")}\` | ${prose(text).replaceAll("|", "\\|")} |`;
const longForm = ({ name, value }: Option): string => `--${name}${value === undefined ? "" : ` ${value}`}`;
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
/** A text of the help in Markdown: `<name>` is no HTML, `*` no emphasis; code spans stay. */
const prose = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[<*]/g, "\\$&")))
    .join("");

export interface ManOptions {
  readonly version: string;
  /** As `2026-11-27`; empty where it is not known. */
  readonly date: string;
}

/** Every man page by its file's name: `agent-run.1`, and `agent-run-ps.1` for each command. */
export function manPages(pages: readonly Command[], options: ManOptions): ReadonlyMap<string, string> {
  const names = pages.map(manName);
  return new Map([
    ["agent-run.1", mainPage(pages, options)],
    ...pages.map((page) => [`${manName(page)}.1`, commandPage(page, names, options)] as const),
  ]);
}

/** `agent-run-policy-lint` */
export const manName = ({ name }: Pick<Command, "name">): string => `agent-run-${name.replaceAll(" ", "-")}`;

function mainPage(pages: readonly Command[], options: ManOptions): string {
  const run = pages.find(({ name }) => name === "run");
  // Nobody's own folders: what stands in the page is where they are for whoever reads it.
  const paths = resolvePaths({ HOME: "~", XDG_RUNTIME_DIR: "$XDG_RUNTIME_DIR" }, 0);
  return roff.page("agent-run", options, [
    roff.section("NAME", roff.name("agent-run", "an AI agent under a short-lived, restricted AWS role")),
    roff.section("SYNOPSIS", roff.synopsis("agent-run", ["[run options] <agent> [agent's arguments…]", "<command> [options]"])),
    roff.section("DESCRIPTION", roff.paragraphs(`${run?.description}\n\nBegin with agent-run demo, which needs no AWS account.`)),
    roff.section("COMMANDS", ...pages.map((page) => roff.entry(roff.reference(manName(page)), page.summary))),
    roff.section("RUN OPTIONS", ...runOptions.map(option)),
    ...(run?.examples === undefined ? [] : [examplesOf(run.examples)]),
    roff.section(
      "FILES",
      roff.entry(roff.italic(configFile(paths)), "Settings, and settings of profiles."),
      roff.entry(roff.italic(`${paths.config}/profiles/<name>/`), "Profiles of your own."),
      roff.entry(roff.italic(paths.state), "Audit, log, what was trusted and killed."),
      roff.entry(
        roff.italic(paths.runtime),
        "Control socket and the files of each session that runs; in the folder for temporary files where $XDG_RUNTIME_DIR is not set.",
      ),
    ),
    roff.section(
      "ENVIRONMENT",
      roff.entry(roff.bold("AGENT_RUN_HOME"), "Moves all three folders, for tests and for a second instance."),
      roff.entry(roff.bold("XDG_CONFIG_HOME"), "Moves the settings, as XDG_STATE_HOME and XDG_RUNTIME_DIR move the others."),
      roff.entry(roff.bold("AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …"), "Choose the base credentials and AWS, as in the AWS CLI."),
      roff.entry(roff.bold("NO_COLOR"), "No colour; TERM=dumb does the same, and without a terminal there is neither PTY nor bar."),
      roff.entry(roff.bold("AGENT_RUN, AGENT_RUN_SESSION, AGENT_RUN_PROFILE"), "Set for the agent."),
    ),
    roff.section("SEE ALSO", roff.references(pages.map(manName))),
  ]);
}

function commandPage(
  { name, usage, summary, description, options: own, examples }: Command,
  names: readonly string[],
  options: ManOptions,
): string {
  const self = `agent-run-${name.replaceAll(" ", "-")}`;
  const near = names.filter((each) => each !== self && (each.startsWith(`${self}-`) || self.startsWith(`${each}-`)));
  return roff.page(self, options, [
    roff.section("NAME", roff.name(self, summary)),
    roff.section("SYNOPSIS", roff.synopsis("agent-run", [usage])),
    ...(description === undefined ? [] : [roff.section("DESCRIPTION", roff.paragraphs(description))]),
    ...(own.length === 0 ? [] : [roff.section("OPTIONS", ...own.map(option))]),
    ...(examples === undefined ? [] : [examplesOf(examples)]),
    roff.section("SEE ALSO", roff.references(["agent-run", ...near])),
  ]);
}

function option({ name, short, value, help }: Option): string {
  const long = `${roff.bold(`--${name}`)}${value === undefined ? "" : ` ${roff.italic(value)}`}`;
  return roff.entry(short === undefined ? long : `${roff.bold(`-${short}`)}, ${long}`, help);
}

const examplesOf = (examples: NonNullable<Command["examples"]>): string =>
  roff.section("EXAMPLES", ...examples.map(([line, what]) => roff.entry(roff.bold(line), what)));
