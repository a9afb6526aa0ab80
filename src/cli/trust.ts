// `agent-run trust`: what a repository's .agent-run.toml says, and the human's word that exactly this may hold.
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { oneLine, printable } from "../core/printable.ts";
import { findRepositoryFile, parseRepository, readText } from "../session/repository.ts";
import { contentHash, distrust, trustedFiles, trust as trustFile } from "../session/trust.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { confirm } from "./confirm.ts";
import { unknownActions } from "./known-actions.ts";
import { table } from "./table.ts";

/** What the human is asked about stays on one screen. */
const LONGEST_VALUE = 240;
const MOST_UNKNOWN = 5;

export const trust: Command = {
  name: "trust",
  outside: true,
  usage: "trust [--yes | --list | --remove] [--json] [<folder or file>]",
  summary: "let a repository's .agent-run.toml choose a profile or narrow it",
  description:
    "A repository's .agent-run.toml is ignored until you have read it and said so. Your word is for exactly this content: after any change it is ignored again. " +
    "It can choose one of your profiles, and narrow; it cannot name roles or credentials, give files or variables, or lengthen anything.",
  options: [
    { name: "yes", short: "y", help: "do not ask" },
    { name: "list", help: "what is trusted" },
    { name: "remove", help: "trust it no longer" },
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run trust", "show the file of this repository, and ask"],
    ["agent-run trust --list", "what is trusted"],
    ["agent-run trust --remove ~/work/shop", "ignore it from now on"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "trust");
    if (values["list"] === true) return list(values["json"] === true, context);
    const [word] = words;
    if (values["remove"] === true) return remove(word, context);
    const file = fileOf(word, context);
    const text = readText(file);
    const settings = parseRepository(file, text);
    const { paths, print } = context;
    if (trustedFiles(paths).some((one) => one.file === file && one.sha256 === contentHash(text))) {
      if (values["json"] === true) print.json({ file, sha256: contentHash(text), settings, trusted: true });
      else print.note(`${file} is trusted already, as it is`);
      return 0;
    }
    if (values["json"] !== true) {
      print.out(`${file}:`);
      print.out(printable(text.trimEnd()));
    }
    const unknown = unknownActions(settings.narrow ?? {}, context.packageFolder);
    for (const { list, action, hint } of unknown.slice(0, MOST_UNKNOWN)) {
      print.warn(`narrow.${list}: no action of aws is called '${shortened(printable(action))}': ${shortened(printable(hint))}`);
    }
    if (unknown.length > MOST_UNKNOWN) print.warn(`${unknown.length - MOST_UNKNOWN} more are no actions of aws`);
    // A file can be so long that what counts in it has left the screen.
    if (values["json"] !== true && Object.keys(settings).length > 0) {
      print.out("in effect:");
      for (const [key, value] of Object.entries(settings)) print.out(`  ${key} = ${shortened(oneLine(JSON.stringify(value)))}`);
    }
    if (values["yes"] !== true && !(await confirm(context, "trust exactly this?", "--yes"))) {
      print.note("it stays ignored");
      return 1;
    }
    const entry = trustFile(paths, file, text, new Date());
    if (values["json"] === true) print.json({ ...entry, settings, trusted: true });
    else print.note(`trusted, as it is now; a change of it asks again`);
    return 0;
  },
};

function fileOf(word: string | undefined, { cwd }: Context): string {
  const place = word === undefined ? cwd : resolve(cwd, word);
  // The place and not what a link there leads to: a run looks there too.
  if (word?.endsWith(".toml") && existsSync(place)) return join(realpathSync(dirname(place)), basename(place));
  const file = existsSync(place) ? findRepositoryFile(place) : undefined;
  if (file !== undefined) return file;
  throw new AgentRunError("config", `there is no .agent-run.toml in ${place} or above it in its repository`, {
    hint: "agent-run trust <folder>, or write one: docs/profiles.md says what it can hold",
    exitStatus: 1,
  });
}

function list(json: boolean, { paths, print }: Context): number {
  const known = trustedFiles(paths).map((one) => ({ ...one, state: stateOf(one.file, one.sha256) }));
  if (json) print.json(known);
  else if (known.length === 0) print.note("nothing is trusted yet");
  else print.out(table([["FILE", "TRUSTED", "NOW"], ...known.map(({ file, at, state }) => [printable(file), at.slice(0, 10), state])]));
  return 0;
}

function stateOf(file: string, sha256: string): "unchanged" | "changed" | "gone" {
  if (!existsSync(file)) return "gone";
  try {
    return contentHash(readText(file)) === sha256 ? "unchanged" : "changed";
  } catch {
    // A pipe, say, or closed to us: not what was trusted, and no reason to be silent about the others.
    return "changed";
  }
}

const shortened = (text: string): string =>
  text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters)`;

function remove(word: string | undefined, context: Context): number {
  const place = resolve(context.cwd, word ?? ".");
  const candidates = [place, `${place}/.agent-run.toml`, ...(existsSync(place) ? [findRepositoryFile(place) ?? ""] : [])];
  const file = candidates.find((candidate) => distrust(context.paths, candidate));
  if (file === undefined) {
    throw new AgentRunError("config", `nothing of ${place} is trusted`, { hint: "agent-run trust --list", exitStatus: 1 });
  }
  context.print.note(`${file} is ignored from now on`);
  return 0;
}
