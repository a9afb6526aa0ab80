// What a command is: data (name, summary, options, examples) and a handler that gives the exit status. Each command file exports one.
import type { ParseArgsOptionsConfig } from "node:util";
import { AgentRunError, messageOf } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { type Environment, type Paths, resolvePaths } from "../core/paths.ts";
import { commandNames } from "./command-names.ts";
import { createPrinter, type Printer } from "./printer.ts";

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value in the help; absent for a flag. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** The process as main.ts, its only reader, found it. */
export interface Host {
  readonly env: Environment;
  /** May be gone. */
  readonly cwd: string;
  readonly uid: number;
  /** The folder that holds package.json, profiles/ and shell/. */
  readonly packageFolder: string;
  /** How to start this program again: node and the bundle's entry. */
  readonly self: readonly [string, ...string[]];
  readonly version: string;
  /** Each stream is made when it is first asked for, which takes milliseconds that a run on pipes does not need. */
  readonly streams: Streams;
  /** Called when an agent has run to its end. */
  readonly ran?: () => void;
}

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a handler gets beside its own arguments. */
export interface Context extends Host {
  readonly paths: Paths;
  readonly print: Printer;
}

/** The paths and the printer that follow from the process. */
export function contextOf(host: Host): Context {
  return { ...host, paths: resolvePaths(host.env, host.uid), print: createPrinter(host.streams, host.env) };
}

export interface Values {
  readonly [name: string]: string | boolean | string[] | undefined;
}

export interface Command {
  readonly name: string;
  /** After `agent-run`. */
  readonly usage: string;
  readonly summary: string;
  readonly description?: string;
  readonly options: readonly Option[];
  readonly examples?: readonly (readonly [command: string, what: string])[];
  /** Options end at the first word that is not one: what follows belongs to the program that is run. */
  readonly stopsAtFirstWord?: boolean;
  /** Needs agent-run's own files or its daemon, which a session's sandbox hides. */
  readonly outside?: boolean;
  /** Commands of its own, by their word; each is named with this one's name before its own. */
  readonly parts?: Readonly<Record<string, () => Promise<Command>>>;
  run(values: Values, words: readonly string[], context: Context): Promise<number>;
}

/**
 * Takes a command's own options out of `argv`.
 * @throws AgentRunError `usage`, exit status 2, with the option that was probably meant
 */
export function parseCommand(
  command: Pick<Command, "name" | "options" | "stopsAtFirstWord">,
  argv: readonly string[],
): { values: Values; words: string[] } {
  const end = command.stopsAtFirstWord ? firstWord(command.options, argv) : argv.length;
  const simple = command.stopsAtFirstWord ? simpleOptions(command.options, argv.slice(0, end)) : undefined;
  if (simple) return { values: simple, words: argv.slice(end) };
  const config: ParseArgsOptionsConfig = { help: { type: "boolean", short: "h" } };
  for (const option of command.options) {
    config[option.name] = {
      type: option.value === undefined ? "boolean" : "string",
      ...(option.short === undefined ? {} : { short: option.short }),
      ...(option.multiple ? { multiple: true } : {}),
    };
  }
  // An `import` of node:util makes an ES module of it and so calls every lazy getter that it has, which takes 5 ms of the launch.
  const { parseArgs } = process.getBuiltinModule("node:util");
  try {
    const { values, positionals } = parseArgs({ args: argv.slice(0, end), options: config, allowPositionals: true, strict: true });
    return { values: values as Values, words: [...positionals, ...argv.slice(end)] };
  } catch (error) {
    throw usageError(command, messageOf(error), argv[end]);
  }
}

/** Long options with their values apart, as most command lines of a run have them: what parses all others takes a millisecond to load. Else undefined. */
function simpleOptions(options: readonly Option[], args: readonly string[]): Values | undefined {
  const values: Record<string, string | boolean | string[]> = {};
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? "";
    const option = options.find(({ name }) => word === `--${name}`);
    if (!option) return undefined;
    if (option.value === undefined) {
      values[option.name] = true;
      continue;
    }
    index += 1;
    const value = args[index];
    if (value === undefined || value.startsWith("-")) return undefined;
    const before = values[option.name];
    values[option.name] = option.multiple ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  return values;
}

/** The index of the first argument that is neither an option nor an option's value; a `--` before it is skipped. */
function firstWord(options: readonly Option[], argv: readonly string[]): number {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "--") return index;
    if (!word.startsWith("-") || word === "-") return index;
    if (!word.includes("=") && takesValue(options, word)) index += 1;
  }
  return argv.length;
}

/** `--name`, `-n`, or a cluster `-xn` whose last letter takes the value. */
function takesValue(options: readonly Option[], word: string): boolean {
  if (word.startsWith("--")) return options.some((option) => option.value !== undefined && `--${option.name}` === word);
  for (let at = 1; at < word.length; at += 1) {
    const option = options.find((candidate) => candidate.short === word[at]);
    if (option?.value !== undefined) return at === word.length - 1;
  }
  return false;
}

/** @param next the first word after the options */
function usageError(command: Pick<Command, "name" | "options">, message: string, next: string | undefined): AgentRunError {
  const unknown = /Unknown option '(-{1,2}[^']+)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const near = nearest(unknown.replace(/^-+/, ""), ["help", ...command.options.map((option) => option.name)]);
    const help = `agent-run ${command.name} --help`;
    // `agent-run --json ps` is read as a run of the program ps.
    const before = command.name === "run" && commandNames.some((name) => name === next);
    const otherwise = before ? `options of a command stand after it: agent-run ${next} ${unknown}; those of a run: ${help}` : help;
    return new AgentRunError("usage", `unknown option '${unknown}'`, {
      hint: near ? `did you mean '--${near}'?` : otherwise,
      exitStatus: 2,
    });
  }
  const missing = /^Option '(?:-\w, )?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(message)?.[1];
  const first = missing === undefined ? (message.split(/\.\s/)[0] ?? message) : `${missing} needs a value`;
  return new AgentRunError("usage", first.charAt(0).toLowerCase() + first.slice(1), {
    hint: `agent-run ${command.name} --help`,
    exitStatus: 2,
  });
}

/** A command that takes no more than `most` words. Throws AgentRunError `usage`. */
export function atMost(words: readonly string[], most: number, command: string): void {
  const extra = words[most];
  if (extra !== undefined)
    throw new AgentRunError("usage", `unexpected argument '${extra}'`, { hint: `agent-run ${command} --help`, exitStatus: 2 });
}

/** An option's text; undefined where it was not given, or is a flag or a list. */
export function textValue(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}
