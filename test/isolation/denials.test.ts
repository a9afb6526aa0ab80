// Each row of what a user may run into, as docs/isolation.md tells it: met in a real sandbox, seen as the row says, and lifted by its remedy, which opens that alone.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectTest } from "../docs/proof.ts";
import { ROOT } from "../packages/toolbox.ts";
import { DENIALS, type Denial, ELSEWHERE, FILES, FOLDERS, type Given, NOT_HERE, REFUSALS, SOCKETS } from "./denials.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const page = readFileSync(join(ROOT, "docs", "isolation.md"), "utf8");
/** The cells of each row of the first table below a heading. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  return lines.slice(2).map((line) =>
    line
      .slice(2, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );
}
const rows = rowsBelow("What you may run into");
const rowOf = (denial: Denial): string[] => rows.find(([sees]) => sees?.startsWith(denial.row)) ?? [];
const quoted = (cell: string): string[] => [...cell.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)].map(([, text = ""]) => text);
/** What is switched by words of the page, such as `allow = ["ssh"]`. */
function settingsIn(words: string): Given {
  const lists = [...words.matchAll(/\b(allow|write|network) = (\[[^\]]*\])/g)].map(([, name = "", list = ""]) => [name, JSON.parse(list)]);
  const level = /--isolation (standard|strict)/.exec(words)?.[1];
  return { ...Object.fromEntries(lists), ...(level ? { level } : {}), ...(words.includes("--allow-nested") ? { nested: true } : {}) };
}
/** As words of a program's output: letters of either case, and anything where the page leaves something out. */
const asSaid = (message: string): RegExp =>
  new RegExp(
    message
      .split(" … ")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^\\n]*"),
    "i",
  );

describe("the page's table of what one may run into", () => {
  it("has rows that each have a case, and no case is of another row", () => {
    expect(rows.length).toBeGreaterThan(20);
    const beginnings = [...new Set([...DENIALS.map(({ row }) => row), ...Object.keys(ELSEWHERE)])];
    for (const [sees = ""] of rows)
      expect(
        beginnings.filter((row) => sees.startsWith(row)),
        sees,
      ).toHaveLength(1);
    for (const row of beginnings)
      expect(
        rows.filter(([sees]) => sees?.startsWith(row)),
        row,
      ).toHaveLength(1);
  });

  it("quotes messages that are each looked for, and cases look for no others", () => {
    const met = rows.filter(([sees]) => DENIALS.some(({ row }) => sees?.startsWith(row)));
    const looked = (sees: string) => DENIALS.filter(({ row }) => sees.startsWith(row)).flatMap((denial) => denial.sees ?? []);
    for (const [sees = ""] of met)
      expect(
        quoted(sees)
          .filter((message) => !(message in NOT_HERE))
          .toSorted(),
        sees,
      ).toEqual([...new Set(looked(sees))].toSorted());
    for (const message of Object.keys(NOT_HERE)) expect(rows.flatMap(([sees = ""]) => quoted(sees))).toContain(message);
  });

  it("names settings that are each tried", () => {
    for (const [sees = "", , remedy = ""] of rows) {
      const own = DENIALS.filter(({ row }) => sees.startsWith(row));
      const tried = own.flatMap(({ remedies }) => remedies.map(({ words }) => words));
      for (const words of tried) expect(remedy).toContain(words);
      if (own.length === 0) continue;
      for (const [setting] of remedy.matchAll(/`(allow|write|network) = [^`]*`|`--[^`]*`/g))
        expect(
          tried.some((words) => words.includes(setting)),
          setting,
        ).toBe(true);
    }
  });

  it.each(Object.entries(ELSEWHERE))("has the row '%s…', which other tests meet", (_row, proofs) => {
    for (const proof of proofs) expectTest(proof);
  });

  it("has remedies that other tests try", () => {
    const proofs = DENIALS.flatMap(({ remedies }) => remedies.flatMap((remedy) => ("proofs" in remedy ? remedy.proofs : [])));
    for (const proof of proofs) expectTest(proof);
  });
});

describe("the page's table of machines that refuse", () => {
  const refusals = rowsBelow("When the machine refuses");
  it("has rows that tests hold, each with the command that is printed", () => {
    expect(refusals).toHaveLength(Object.keys(REFUSALS).length);
    const printed = ["mending.ts", "probe.ts", "try-out.ts"]
      .map((name) => readFileSync(join(ROOT, "src/isolation", name), "utf8"))
      .join("\n");
    for (const [cause = "", remedy = ""] of refusals) {
      const row = Object.keys(REFUSALS).filter((beginning) => cause.startsWith(beginning));
      expect(row, cause).toHaveLength(1);
      for (const proof of REFUSALS[row[0] ?? ""] ?? []) expectTest(proof);
      for (const [, command = ""] of remedy.matchAll(/`([^`]+)`/g)) expect(printed).toContain(command.replace(/ …$/, ""));
    }
  });
});

/** A run of the world's has 25 s. */
const AT_ONCE = 8;
const shortened = (script: string): string => script.replace(/\s+/g, " ").slice(0, 80);

interface Ended {
  readonly status: number;
  readonly said: string;
}
/** Runs scripts one after the other, each as a shell of its own, between lines that tell where it ends and how. */
const oneByOne = (scripts: readonly string[]): string =>
  scripts.map((script) => `echo "<<<"; ( ${script}\n) 2>&1 </dev/null; status=$?; echo; echo ">>> $status"`).join("\n");
const endings = (text: string): Ended[] =>
  [...text.matchAll(/^<<<\n([\s\S]*?)>>> (\d+)$/gm)].map(([, said = "", status]) => ({ said, status: Number(status) }));
const REACH = [
  `for file in ${FILES.join(" ")}; do test -s ~/$file && cat ~/$file >/dev/null && echo "reads $file"; done`,
  `for folder in ${FOLDERS.join(" ")}; do ( : > ~/$folder/.probe ) && rm ~/$folder/.probe && echo "writes $folder"; done`,
  `for name in ${SOCKETS.join(" ")}; do curl -s --max-time 20 --unix-socket "$XDG_RUNTIME_DIR/$name" http://x/ >/dev/null && echo "reaches $name"; done`,
]
  .map((each) => `{ ${each}; } 2>/dev/null`)
  .join("; ");
const reached = ({ said }: Ended): string[] => said.split("\n").filter((line) => /^(reads|writes|reaches) /.test(line));

describe.skipIf(!hasBubblewrap).each(users)(`what $name runs into${missing}`, (user) => {
  let world: World;
  let host: ChildProcess;
  let port = 0;
  const denials = DENIALS.filter(({ who }) => who === undefined || (who === "root") === (user.uid === 0));

  beforeAll(async () => {
    world = new World(user);
    for (const file of FILES.filter((name) => ![".ssh/id_ed25519", ".bash_history", ".gitconfig", "tools/bin/hello"].includes(name)))
      world.plant(file);
    mkdirSync(join(world.home, ".ssh"));
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(world.home, ".ssh/id_ed25519")]);
    world.plant(".bash_history", "typed before\n");
    world.plant(".gitconfig", "[user]\n\tname = Dev\n\temail = dev@example.com\n[credential]\n\thelper = store\n");
    chmodSync(world.plant("tools/bin/hello", "#!/bin/sh\necho hello\n"), 0o755);
    const plain = ["that/folder/old", ".local/bin/mine", ".local/lib/node_modules/old/x", ".cargo/bin/tool", ".rustup/toolchains/old"];
    for (const path of [...plain, "code/project/readme.md"]) world.plant(path, "x\n");
    world.plant(join(world.root, "for-the-agent"), "x\n");
    world.plant("code/project/dep/package.json", '{"name":"dep","version":"1.0.0"}\n');
    world.plant("code/project/crate/Cargo.toml", '[package]\nname = "crate"\nversion = "0.1.0"\n');
    world.plant("code/project/crate/src/main.rs", "fn main() {}\n");
    world.git("init", "-q", "-b", "main");
    world.git("add", "readme.md");
    world.git("commit", "-q", "-m", "first");
    world.git("tag", "first");
    const argv = [world.git("rev-parse", "first").trim(), ...SOCKETS.map((name) => join(world.runtime, name))];
    host = spawn(process.execPath, [join(ROOT, "test/fixtures/asks-who-it-is.mjs"), ...argv], { stdio: ["ignore", "pipe", "inherit"] });
    port = await new Promise<number>((resolve) => host.stdout?.once("data", (text: Buffer) => resolve(Number(text))));
    world.plant(".git-credentials", `http://dev:token@127.0.0.1%3a${port}\n`);
    world.plant(".npmrc", `//127.0.0.1:${port}/closed/:_authToken=token\n@mine:registry=http://127.0.0.1:${port}/closed/\n`);
    world.plant(".config/pip/pip.conf", "[global]\nindex-url = http://index.invalid/simple\n");
    world.plant(".claude/settings.json", "{}\n");
    world.settle();
  });
  afterAll(() => {
    host.kill();
    world[Symbol.dispose]();
  });

  const environment = (onPath?: string): Record<string, string> => ({
    ...world.env,
    HOST: `http://127.0.0.1:${port}`,
    PORT: String(port),
    ...(onPath === undefined ? {} : { PATH: `${join(world.home, onPath)}:${world.env["PATH"]}` }),
  });
  /** What the scripts ended with, some at a time, and what could be reached then. */
  const inside = ({ onPath, ...given }: Given, scripts: readonly string[]): { ended: Ended[]; reach: string[] } => {
    const more: Partial<IsolatedRun> = { ...given, env: environment(onPath), ...(given.network ? { ports: [port] } : {}) };
    const ended: Ended[] = [];
    for (let first = 0; first <= scripts.length; first += AT_ONCE) {
      const some = [...scripts, REACH].slice(first, first + AT_ONCE);
      const { stdout, stderr } = world.run(oneByOne(some), more);
      ended.push(...endings(stdout));
      if (ended.length !== first + some.length) throw new Error(`the run ended early: ${stdout}${stderr}`);
    }
    return { ended: ended.slice(0, -1), reach: ended.slice(-1).flatMap(reached) };
  };
  const outside = (script: string): Ended => {
    const [file = "", ...args] = [...user.prefix, "/bin/sh", "-c", oneByOne([script])];
    const { stdout } = spawnSync(file, args, { cwd: world.project, env: environment(), encoding: "utf8", timeout: 25_000 });
    return endings(stdout)[0] ?? { status: -1, said: stdout };
  };

  const groups = Map.groupBy(denials, ({ given = {} }) => JSON.stringify(given));
  describe.each([...groups].map(([key, group]) => ({ key, given: JSON.parse(key) as Given, group })))("with $key", ({ given, group }) => {
    const insteads = group.flatMap(({ remedies }) => remedies.flatMap((remedy) => ("instead" in remedy ? remedy.instead : [])));
    let denied: ReturnType<typeof inside>;
    beforeAll(() => {
      denied = inside(given, [...group.map(({ script }) => script), ...insteads]);
      // Some hundred programs, one after the other.
    }, 300_000);

    it.each(group.map((denial, index) => ({ ...denial, index, title: shortened(denial.script) })))("is denied: $title", (denial) => {
      const [sees = ""] = rowOf(denial);
      const { status, said } = denied.ended[denial.index] ?? { status: 0, said: "" };
      expect(status, said).not.toBe(0);
      if (denial.sees === undefined) return;
      expect(sees).toContain(denial.sees);
      expect(said).toMatch(asSaid(denial.sees));
    });

    it.each(insteads.map((script, index) => [shortened(script), index] as const))("may do instead: %s", (_script, index) => {
      const { status, said } = denied.ended[group.length + index] ?? { status: -1, said: "" };
      expect(status, said).toBe(0);
    });

    const tried = group.flatMap((denial) =>
      denial.remedies.map((remedy) => ({ ...denial, remedy, words: remedy.words, title: shortened(denial.script) })),
    );
    it.each(tried.filter(({ remedy }) => "outside" in remedy))("$words: $title", ({ script }) => {
      const { status, said } = outside(script);
      expect(status, said).toBe(0);
    });

    it.each(tried.filter(({ remedy }) => "opens" in remedy))("has just that with $words: $title", ({ script, sees, remedy, words }) => {
      if (!("opens" in remedy)) throw new Error("no settings to try");
      const more = { ...settingsIn(words), ...("given" in remedy ? remedy.given : {}) };
      expect(Object.keys(more).length).toBeGreaterThan(0);
      const { ended, reach } = inside({ ...given, ...more }, [script]);
      const [{ status, said } = { status: -1, said: "" }] = ended;
      expect(status, said).toBe(0);
      if (sees !== undefined) expect(said).not.toMatch(asSaid(sees));
      if (remedy.opens === "a level") return;
      expect(reach.filter((each) => !denied.reach.includes(each)).toSorted()).toEqual(remedy.opens.toSorted());
      expect(denied.reach.filter((each) => !reach.includes(each))).toEqual([]);
    });
  });

  it("would find all of it without a sandbox, so that the tests above can fail", () => {
    const all = [
      ...FILES.map((name) => `reads ${name}`),
      ...FOLDERS.map((name) => `writes ${name}`),
      ...SOCKETS.map((name) => `reaches ${name}`),
    ];
    expect(reached(outside(REACH))).toEqual(all);
  });

  it("outside replaces ~/.claude.json, which the run does not see", async () => {
    const file = world.plant(".claude.json", '{"mine":"old"}\n');
    world.settle();
    const go = join(world.project, "go");
    const child = world.start(["/bin/sh", "-c", `echo up; while ! test -e '${go}'; do sleep 0.1; done; cat ~/.claude.json`], {
      agent: "claude",
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text !== "up\n" || existsSync(go)) return;
      writeFileSync(`${file}.new`, '{"mine":"new"}\n');
      renameSync(`${file}.new`, file);
      writeFileSync(go, "");
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(text).toBe('up\n{"mine":"old"}\n');
    expect(readFileSync(file, "utf8")).toBe('{"mine":"new"}\n');
  });
});
