// What README and docs claim is held against the code: links and files, command lines, settings, exit statuses, options, packages.
import { chmodSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type Command, parseCommand } from "../src/cli/command.ts";
import { namesCommand } from "../src/cli/command-names.ts";
import { commands } from "../src/cli/commands.ts";
import { run } from "../src/cli/run.ts";
import { overridesOf, runOptions } from "../src/cli/run-options.ts";
import { deliveries, expiryActions } from "../src/control/protocol.ts";
import { formatSpan } from "../src/core/duration.ts";
import { AgentRunError } from "../src/core/error.ts";
import { resolvePaths } from "../src/core/paths.ts";
import { routes } from "../src/daemon/routes.ts";
import { allowNames } from "../src/isolation/plan-allow.ts";
import { loadProfile } from "../src/session/profile.ts";
import { configSettings, profileSettings, repositorySettings } from "../src/session/settings.ts";
import { resolveExecutable } from "../src/terminal/executable.ts";

const root = join(import.meta.dirname, "..");
const files = ["README.md", "CHANGELOG.md", ...globSync("{docs,profiles,shell,test/transcripts}/**/*.md", { cwd: root }).sort()];
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const [readme, concepts, isolation, dependencies] = ["README.md", "docs/concepts.md", "docs/isolation.md", "docs/dependencies.md"].map(
  read,
) as [string, string, string, string];

interface Fence {
  readonly language: string;
  readonly text: string;
}

const FENCE = /^ *```(\w*)\n(.*?)^ *```$/gms;
const fences = (text: string): Fence[] => [...text.matchAll(FENCE)].map(([, language = "", body = ""]) => ({ language, text: body }));
/** Code spans, those of a table with their escaped bars. */
const spans = (text: string): string[] => [...text.replace(FENCE, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
/** The cells of a table's row, without the padding that a formatter adds; undefined for any other line. */
const cells = (line: string): string[] | undefined =>
  line.startsWith("|")
    ? line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    : undefined;

/** Rows of the table whose heading begins with `first`, each as its cells. */
function table(text: string, first: string): string[][] {
  const lines = text.split("\n").map(cells);
  const rest = lines.slice(lines.findIndex((row) => row?.[0] === first) + 2);
  const end = rest.indexOf(undefined);
  return rest.slice(0, end < 0 ? undefined : end).flatMap((row) => (row ? [row] : []));
}

/** The words of a command line, as a shell would cut it. */
const shellWords = (line: string): string[] =>
  [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ""));

describe("files that the docs name", () => {
  it.each(files)("%s links to what is there", (file) => {
    const targets = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    for (const target of targets.filter((each) => !/^[a-z]+:/.test(each))) {
      const [path = "", anchor] = target.split("#");
      const place = path === "" ? file : join(dirname(file), path);
      expect(existsSync(join(root, place)), `${file} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(place)), `${file} links to ${target}`).toContain(anchor);
    }
  });

  it.each(files)("%s names files of the repository that are there", (file) => {
    const named = spans(read(file)).filter((span) => /^(src|test|bench|docs|profiles|scripts|shell|bin|dist)\/[\w./-]+$/.test(span));
    for (const name of named) expect(existsSync(join(root, name)), `${file} names ${name}`).toBe(true);
    const sources = new Set(globSync("src/**/*.{ts,tsx}", { cwd: root }).map((path) => path.split("/").at(-1)));
    const bare = spans(read(file)).filter((span) => /^[\w-]+\.tsx?$/.test(span));
    for (const name of bare) expect(sources, `${file} names ${name}`).toContain(name);
  });

  it.each(files)("%s holds no absolute path of a machine", (file) => {
    expect(read(file)).not.toContain(root);
    expect(read(file)).not.toMatch(/(?<![\w.~-])\/(home|Users|root|work)\/\w/);
  });
});

function anchorsOf(text: string): string[] {
  const headings = [...text.replace(FENCE, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}

/** Whether the usage has a word after the command's name: `setup <profile>`, `daemon start|stop`, `trust [<file>]`. */
const takesWords = ({ usage }: Command): boolean => /^\S+ [<a-z]| \[<[a-z ]+>\]/.test(usage);

describe("command lines in the docs", () => {
  const lines = files.flatMap((file) => {
    const shell = fences(read(file)).filter(({ language }) => language === "sh" || language === "bash");
    const all = [...spans(read(file)), ...shell.flatMap(({ text }) => text.split("\n").map((line) => line.trim()))];
    // Of a pipe the first command; a table's cell writes the bar with a backslash.
    return all.filter((line) => line.startsWith("agent-run ")).map((line) => [line.replace(/ \\?\| .*/, ""), file] as const);
  });

  it("are found at all", () => {
    expect(lines.length).toBeGreaterThan(20);
  });

  it.each(lines)("`%s` in %s is one that the program takes", async (line) => {
    const [, ...argv] = shellWords(line);
    if (argv[0] === "--version") return;
    const command: Command | undefined = namesCommand(argv[0]) ? await commands.find(({ name }) => name === argv[0])?.load() : run;
    if (!command) throw new Error(`no command ${argv[0]}`);
    const { values, words } = parseCommand(command, command === run ? argv : argv.slice(1));
    expect(() => overridesOf(values)).not.toThrow();
    // A session's name stands where one is wanted, and nothing where none is.
    if (words[0]?.startsWith("sess_")) expect(words[0]).toMatch(/^sess_[0-9a-f]{8}$/);
    else if (command !== run && !command.stopsAtFirstWord && !takesWords(command)) expect(words).toEqual([]);
  });

  it("the examples of each command's own help parse, and use the commands that are there", async () => {
    for (const { load, hidden } of commands) {
      const { examples = [], name } = await load();
      if (!hidden && name !== "env" && name !== "daemon") expect(examples.length, name).toBeGreaterThan(0);
      for (const [example] of examples) {
        const [first, ...argv] = shellWords(example.split(" | ")[0] ?? "");
        expect(first).toBe("agent-run");
        const command = namesCommand(argv[0]) ? await commands.find((each) => each.name === argv[0])?.load() : run;
        expect(() => overridesOf(parseCommand(command ?? run, command === run ? argv : argv.slice(1)).values), example).not.toThrow();
      }
    }
  });

  it("name every command that people use, and every option of a run", () => {
    const text = `${readme}\n${concepts}`;
    for (const { name, hidden } of commands) if (!hidden && name !== "run") expect(text, name).toContain(`agent-run ${name}`);
    for (const { name } of runOptions) expect(text, name).toMatch(new RegExp(`--${name}(?![\\w-])`));
  });

  it("of npm are scripts of package.json", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = files.flatMap((file) =>
      [...read(file).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, long, short]) => long ?? short ?? ""),
    );
    expect(new Set(named)).toEqual(
      new Set([
        "start",
        "test",
        "check",
        "docs",
        "deb",
        "sbom",
        "red-team",
        "formula",
        "bench",
        "bench:terminal",
        "pictures",
        "chaos",
        "fuzz:terminal",
        "fuzz:console",
        "oracle:agents",
      ]),
    );
    for (const name of named) expect(scripts, name).toHaveProperty(name);
  });
});

/** Dotted names of all settings: `role`, `isolation.level`, … */
function settingNames(schema: z.ZodMiniObject, prefix = ""): string[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodMiniOptional ? field.def.innerType : field;
    return inner instanceof z.ZodMiniObject ? settingNames(inner, `${prefix}${name}.`) : [`${prefix}${name}`];
  });
}

describe("settings in the docs", () => {
  const rows = table(concepts, "setting").map(([names = "", meaning = "", usual = ""]) => ({ names: dotted(names), meaning, usual }));

  it("are all that a profile can hold, and no others", () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual(settingNames(profileSettings).sort());
  });

  it("of config.toml itself are named", () => {
    const sentence = concepts.split("\n\n").find((part) => part.startsWith("In `config.toml` itself")) ?? "";
    const own = settingNames(configSettings).filter((name) => !name.startsWith("profiles"));
    expect(own.length).toBeGreaterThan(0);
    for (const name of own) expect(sentence).toContain(`\`${name}\``);
    expect(concepts).toContain("`[profiles.<name>]`");
  });

  it("have the defaults that they say", () => {
    const home = mkdtempSync(join(tmpdir(), "ar-docs-"));
    try {
      const profile = loadProfile(resolvePaths({ AGENT_RUN_HOME: home }, 0), root, { role: "r" });
      const usual = (name: string): string[] => spans(rows.find(({ names }) => names.includes(name))?.usual ?? "");
      expect(usual("ttl")).toEqual([profile.ttlMs, profile.maxTtlMs].map((ms) => formatSpan(ms).replace(" ", "")));
      expect(usual("grace")).toEqual([formatSpan(profile.graceMs).replace(" ", "")]);
      expect(usual("on_expiry")).toEqual([profile.onExpiry]);
      expect(usual("delivery")).toEqual([profile.delivery]);
      expect(usual("isolation.level")).toEqual([profile.isolation.level]);
      expect(concepts).toContain(`\`kill_key\` (\`${profile.killKey}\`)`);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("list every value that is a choice", () => {
    const meaning = (name: string): string[] => spans(rows.find(({ names }) => names.includes(name))?.meaning ?? "");
    expect(meaning("on_expiry")).toEqual([...expiryActions]);
    expect(meaning("delivery")).toEqual([...deliveries]);
  });

  it("of isolation.allow are all that it knows", () => {
    const sentence = /Names that `allow` knows:(.*?)\.$/ms.exec(isolation)?.[1] ?? "";
    expect(spans(sentence.replace(/\n/g, " ")).sort()).toEqual([...allowNames].sort());
  });

  it("in examples are taken", () => {
    const examples = files.flatMap((file) => fences(read(file)));
    // The tests of a recipe are run by test/docs/recipes.test.ts.
    const toml = examples.filter(({ language, text }) => language === "toml" && !text.includes("/tests.toml"));
    expect(toml.length).toBeGreaterThan(0);
    for (const { text } of toml) {
      const value = parse(text);
      // A repository's file is the one that is no config.toml; a profile's says so.
      const schema = text.includes("/profile.toml") ? profileSettings : configSettings;
      const issues = z.safeParse(schema, value).error?.issues;
      if (!z.safeParse(repositorySettings, value).success) expect(issues).toBeUndefined();
    }
    for (const { text } of examples.filter(({ language }) => language === "json")) expect(() => JSON.parse(text)).not.toThrow();
  });
});

/** `isolation.level`, `.allow` stands for `isolation.level`, `isolation.allow`. */
function dotted(cell: string): string[] {
  let parent = "";
  return spans(cell).map((name) => {
    const full = name.startsWith(".") ? `${parent}${name}` : name;
    parent = full.split(".")[0] ?? "";
    return full;
  });
}

describe("exit statuses in the docs", () => {
  const sentence = /^Exit status: .*?\n\n/ms.exec(readme)?.[0] ?? "";
  const statuses = (text: string): number[] => [...text.matchAll(/(?<![\w+])(\d{1,3})(?![\w+])/g)].map(([, digits]) => Number(digits));

  it("are those of the command's own help, and 2", () => {
    const help = statuses(/Exit status: .*$/s.exec(run.description ?? "")?.[0] ?? "");
    expect(help.length).toBeGreaterThan(3);
    expect(statuses(sentence).sort()).toEqual([...help, 2].sort());
    expect(sentence).toContain("`128+n`");
  });

  it("are what the errors carry", () => {
    const folder = mkdtempSync(join(tmpdir(), "ar-docs-"));
    try {
      writeFileSync(join(folder, "plain"), "");
      chmodSync(join(folder, "plain"), 0o644);
      expect(statusOf(() => resolveExecutable("./plain", "", folder))).toBe(126);
      expect(statusOf(() => resolveExecutable("./absent", "", folder))).toBe(127);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect(statusOf(() => parseCommand(run, ["--no-such-option"]))).toBe(2);
    expect(new AgentRunError("internal", "x").exitStatus).toBe(125);
    expect(sentence).toMatch(/`125` our own failure; `126`\/`127`\s+not executable \/ not found; `2` wrong usage/);
  });
});

function statusOf(call: () => unknown): number | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof AgentRunError ? error.exitStatus : undefined;
  }
}

/** Name, version and licence of each row that begins with a package and its version. */
function packageRows(text: string): [name: string, version: string, license: string][] {
  return text.split("\n").flatMap((line): [string, string, string][] => {
    const [name = "", version = "", license = ""] = cells(line) ?? [];
    return /^`[^`]+`$/.test(name) && /^\d/.test(version) ? [[name.slice(1, -1), version, license]] : [];
  });
}

describe("packages in the docs", () => {
  it("are those of package.json, each with its version and licence", () => {
    const { dependencies: installed, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
    const rows = packageRows(dependencies).map(([name, version, license]) => [name, { version, license }]);
    const expected = Object.entries({ ...installed, ...devDependencies }).map(([name, version]) => {
      const { license } = JSON.parse(read(`node_modules/${name}/package.json`)) as { license: string };
      return [name, { version, license }];
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
    expect(rows).toHaveLength(expected.length);
  });

  it("that are bundled are all that the build lists, under their licence", () => {
    const listed = [...read("dist/THIRD-PARTY-LICENSES.txt").matchAll(/^ {2}(\S+) \S+ \((.+)\)$/gm)].map(
      ([, name = "", license = ""]) => `${name} ${license}`,
    );
    const direct = packageRows(/^## Bundled$.*?^### /ms.exec(dependencies)?.[0] ?? "");
    const section = /^### What these bring along$(.*?)^## /ms.exec(dependencies)?.[1] ?? "";
    const brought = section.split(/^- /m).flatMap((item) => spans(item).map((name) => `${name} ${item.slice(0, item.indexOf(":"))}`));
    const told = [...direct.map(([name, , license]) => `${name} ${license}`), ...brought];
    expect(told.sort()).toEqual([...new Set(listed)].sort());
  });

  it("do not hide a bench", () => {
    // A folder is a bench with a runner of its own, too long for `npm run bench`.
    const all = readdirSync(join(root, "bench"), { withFileTypes: true });
    for (const folder of all.filter((entry) => entry.isDirectory())) expect(read("docs/performance.md")).toContain(`bench/${folder.name}/`);
    const benches = all.filter((entry) => entry.isFile() && entry.name !== "run.mjs").map((entry) => entry.name);
    for (const file of benches) {
      expect(read("docs/performance.md"), file).toContain(`\`bench/${file}\``);
      expect(read("bench/run.mjs"), file).toContain(`"${file}"`);
    }
  });
});

describe("the protocol in the docs", () => {
  it("names every request that the daemon answers, and no others", () => {
    const told = table(read("docs/protocol.md"), "request").flatMap(([request = ""]) => spans(request));
    const lease = ["GET /v1/lease", "Upgrade: agent-run-lease"];
    expect(told.toSorted()).toEqual([...routes.keys(), ...lease].toSorted());
  });

  it("names every message, and no others", () => {
    const told = table(read("docs/protocol.md"), "launcher").flatMap((row) => row.flatMap((cell) => spans(cell)));
    const kinds = [...read("src/control/protocol.ts").matchAll(/= message\(\{\n(.*?)\n\}\);/gs)].map(([, body = ""]) => body);
    const all = kinds.flatMap((body) => [...body.matchAll(/^ {2}(\w+)[,:]/gm)].map(([, word = ""]) => word));
    expect(all.length).toBeGreaterThan(9);
    expect([...new Set(told.filter((span) => /^\w+$/.test(span)))].sort()).toEqual([...new Set(all)].sort());
  });
});
