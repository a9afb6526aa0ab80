// What could come next on a command line. Pure: the lists of names are asked for by need. Called by cli/completion.ts for every shell.
import type { Command, Option } from "../command.ts";

export interface Candidate {
  readonly word: string;
  readonly help: string;
}

/** Where names come from; each is asked only when such a name is wanted. */
export interface Names {
  commands(): readonly Candidate[];
  command(name: string): Promise<Command | undefined>;
  /** The command that a line without a command's name is: `run`. */
  run(): Promise<Command>;
  agents(): readonly string[];
  profiles(): readonly string[];
  awsProfiles(): readonly string[];
  sessions(): readonly string[];
}

/** Words after a command's name, where they are always the same. */
const SUBCOMMANDS: Readonly<Record<string, readonly string[]>> = {
  completion: ["bash", "zsh", "fish"],
  daemon: ["start", "stop", "status", "logs"],
  policy: ["lint", "test", "explain"],
  profiles: ["list", "show", "new", "path"],
  "shell-init": ["bash", "zsh", "fish"],
};
const TAKES_SESSION = ["audit", "console", "extend", "kill"];
const TAKES_PROFILE = ["setup"];

/** Values of options, where they are always the same: from the help's own words. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "on-expiry": ["refresh", "stop", "ask"],
  delivery: ["endpoint", "process", "env"],
  isolation: ["strict", "standard", "none"],
};

/**
 * The candidates for the last of `words`, which may be empty; those that begin with it. None where a file name or the agent's own argument stands.
 * @param words what stands after `agent-run`, as the shell cut it; bash cuts at `=`
 */
export async function complete(words: readonly string[], names: Names): Promise<Candidate[]> {
  const joined = joinedAtEquals(words);
  const last = joined.at(-1) ?? "";
  const found = await candidates(joined, last, names);
  return found.filter(({ word }) => word.startsWith(last));
}

async function candidates(words: readonly string[], last: string, names: Names): Promise<Candidate[]> {
  const [first = ""] = words;
  const named = words.length > 1 ? await names.command(first) : undefined;
  const command = named ?? (await names.run());
  const before = words.slice(named ? 1 : 0, -1);
  const wanted = optionOf(command.options, before.at(-1));
  if (wanted) return valuesOf(wanted, names);
  const inline = /^--([\w-]+)=/.exec(last);
  const option = inline && command.options.find(({ name, value }) => name === inline[1] && value !== undefined);
  if (option) return valuesOf(option, names).map(({ word, help }) => ({ word: `--${option.name}=${word}`, help }));
  const given = positionals(command.options, before);
  if (!named && given.length > 0) return [];
  if (last.startsWith("-")) return optionsOf(command.options);
  if (!named) return [...(words.length === 1 ? names.commands() : []), ...plain(names.agents(), "run it under a restricted role")];
  if (given.length > 0) return [];
  if (command.name in SUBCOMMANDS) return plain(SUBCOMMANDS[command.name] ?? [], "");
  if (TAKES_SESSION.includes(command.name)) return plain(names.sessions(), "session");
  if (TAKES_PROFILE.includes(command.name)) return plain(names.profiles(), "profile");
  return [];
}

/** `--profile`, `=`, `x` is one word: bash cuts it in three. */
function joinedAtEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const last = joined.at(-1);
    if (last?.startsWith("--") && (word === "=" || last.endsWith("="))) joined[joined.length - 1] = last + word;
    else joined.push(word);
  }
  return joined;
}

/** The option that waits for a value. */
function optionOf(options: readonly Option[], word: string | undefined): Option | undefined {
  return options.find(
    ({ name, short, value }) => value !== undefined && word !== undefined && (word === `--${name}` || word === `-${short}`),
  );
}

function positionals(options: readonly Option[], words: readonly string[]): string[] {
  return words.filter((word, index) => !word.startsWith("-") && !optionOf(options, words[index - 1]));
}

function valuesOf({ name, help }: Option, names: Names): Candidate[] {
  if (name === "profile") return plain(names.profiles(), "profile");
  if (name === "aws-profile") return plain(names.awsProfiles(), "AWS profile");
  return plain(VALUES[name] ?? [], help);
}

const plain = (words: readonly string[], help: string): Candidate[] => words.map((word) => ({ word, help }));

const optionsOf = (options: readonly Option[]): Candidate[] => [
  ...options.map(({ name, help }) => ({ word: `--${name}`, help })),
  { word: "--help", help: "what it does" },
];
