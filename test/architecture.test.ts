// The house: which folder may import which, one rank a folder. Fails on a file without a rank and on an import sideways or up.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ranks: Record<string, { rank: number; reason: string }> = {
  core: { rank: 0, reason: "words that everything shares; knows nothing of the product's parts" },
  policy: { rank: 1, reason: "pure: IAM's language and its evaluation" },
  control: { rank: 1, reason: "what launcher and daemon say to each other, and how they reach one another" },
  audit: { rank: 2, reason: "records; must not know what is recorded" },
  aws: { rank: 2, reason: "AWS calls; must not know sessions or delivery" },
  terminal: { rank: 2, reason: "the human's terminal; must never be able to import credentials" },
  isolation: { rank: 2, reason: "what the agent can reach; must not know credentials" },
  credentials: { rank: 3, reason: "obtains and delivers session credentials, built on aws" },
  localcloud: { rank: 3, reason: "the demo and test cloud; no real session imports it" },
  session: { rank: 4, reason: "one run: profile, state machine, environment" },
  daemon: { rank: 5, reason: "holds the sessions of a user" },
  cli: { rank: 6, reason: "commands and printing" },
  "main.ts": { rank: 7, reason: "argv to command; the only reader of process.argv and process.env" },
};

/** Beside those that say so in their opening. */
const PURE = [
  "src/policy/",
  "src/session/environment-names.ts",
  "src/session/view.ts",
  "src/isolation/plan",
  "src/isolation/stores.ts",
  "src/isolation/agents.ts",
  "src/isolation/seccomp.ts",
];

/** The second and third hold a script as text, which is a process of its own when it runs. */
const READS_THE_PROCESS = ["src/main.ts", "src/credentials/credential-process.ts", "src/credentials/stored/keyring-program.ts"];

const root = join(import.meta.dirname, "..");
const files = globSync("src/**/*.{ts,tsx}", { cwd: root }).sort();
const place = (file: string): string => relative("src", file).split("/")[0] ?? "";

const openingOf = (file: string): string => /^(\/\/.*\n)*/.exec(readFileSync(join(root, file), "utf8"))?.[0] ?? "";
const isPure = (file: string): boolean => PURE.some((pure) => file.startsWith(pure)) || /\bpure\b(?! but)/i.test(openingOf(file));

const importsOf = (file: string): string[] => targetsIn(readFileSync(join(root, file), "utf8"));

function targetsIn(text: string): string[] {
  return [...text.matchAll(/(?:from|import\()\s*["']([^"']+)["']/g)].map((match) => match[1] ?? "");
}

describe("architecture", () => {
  it.each(files)("%s imports only from its own folder or a lower rank", (file) => {
    const own = ranks[place(file)];
    expect(own, `no rank for ${file}`).toBeDefined();
    for (const target of importsOf(file).filter((path) => path.startsWith("."))) {
      const resolved = normalize(join(dirname(file), target));
      if (!resolved.startsWith("src/") || place(resolved) === place(file)) continue;
      expect(ranks[place(resolved)]?.rank, `${file} imports ${resolved}`).toBeLessThan(own?.rank ?? -1);
    }
  });

  it.each(files.filter(isPure))("%s is pure: no clock, no process, no files", (file) => {
    const text = readFileSync(join(root, file), "utf8")
      .replace(/\/\/.*$/gm, "")
      // Of node:net what only calculates.
      .replace('import { BlockList, isIP } from "node:net";', "");
    expect(targetsIn(text).filter((path) => path.startsWith("node:") && path !== "node:crypto")).toEqual([]);
    expect(text).not.toMatch(/\bprocess\.|\bDate\.now\(|new Date\(\)|\bMath\.random\(/);
  });

  it.each(files.filter((file) => !READS_THE_PROCESS.includes(file)))("%s reads neither argv nor the environment", (file) => {
    expect(readFileSync(join(root, file), "utf8").replace(/\/\/.*$/gm, "")).not.toMatch(/process\.(argv|env)\b/);
  });

  it.each(files)("%s says in its first line what it is for", (file) => {
    expect(readFileSync(join(root, file), "utf8")).toMatch(/^\/\/ \S/);
  });

  it.each(files)("%s has no default export", (file) => {
    expect(readFileSync(join(root, file), "utf8")).not.toMatch(/^export default/m);
  });
});
