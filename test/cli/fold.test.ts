// Where a line for a terminal is cut: between words, and never in what somebody is to copy.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { folded } from "../../src/cli/fold.ts";

const HINT = "agent-run: hint: ";
const hint = (text: string, width: number): string[] => folded(HINT, text, width, "  ");

describe("a fold", () => {
  it.each([
    [
      "a sentence",
      "set AGENT_RUN_HOME or XDG_RUNTIME_DIR to a folder of your own",
      60,
      [`${HINT}set AGENT_RUN_HOME or XDG_RUNTIME_DIR to a`, "  folder of your own"],
    ],
    ["nothing where it fits", "agent-run ps", 29, [`${HINT}agent-run ps`]],
    [
      "a command that begins the text",
      "sudo sysctl -w user.max_net_namespaces=15000",
      60,
      [HINT.trim(), "  sudo sysctl -w user.max_net_namespaces=15000"],
    ],
    [
      "a command between two sentences, without the comma that it would be copied with",
      "enter it again; where it is lost: agent-run credentials remove <name>, and make a new key in IAM",
      60,
      [`${HINT}enter it again; where it is lost:`, "  agent-run credentials remove <name>", "  and make a new key in IAM"],
    ],
    [
      "a command in quotes",
      "let its sessions end, or end them with 'agent-run kill --all', then try again",
      60,
      [`${HINT}let its sessions end, or end them with`, "  agent-run kill --all", "  then try again"],
    ],
    [
      "a command in brackets",
      "allow longer sessions (aws iam update-role --role-name dev --max-session-duration 3600), or pass a shorter --ttl",
      80,
      [`${HINT}allow longer sessions`, "  aws iam update-role --role-name dev --max-session-duration 3600", "  or pass a shorter --ttl"],
    ],
    [
      "a command with quotes and commas of its own",
      "printf 'abi <abi/4.0>, profile bwrap' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap",
      80,
      [
        HINT.trim(),
        "  printf 'abi <abi/4.0>, profile bwrap' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap",
      ],
    ],
    [
      "a command that fits beside its sentence",
      "store the keys again: agent-run credentials add dev; or use others, such as those of a role that is there already",
      80,
      [`${HINT}store the keys again: agent-run credentials add dev; or use`, "  others, such as those of a role that is there already"],
    ],
    [
      "the verb after a command",
      "agent-run login begins anew; agent-run login --device needs no browser here",
      60,
      [`${HINT}agent-run login begins anew;`, "  agent-run login --device", "  needs no browser here"],
    ],
    [
      "a path with blanks",
      "make it readable for you, as it is not now: '/home/jo/my own files/config.toml'",
      60,
      [`${HINT}make it readable for you, as it is not now:`, "  '/home/jo/my own files/config.toml'"],
    ],
    [
      "an address that is longer than a row",
      "open https://signin.example.com/federation?Action=login&SigninToken=0123456789 in a browser",
      40,
      [`${HINT}open`, "  https://signin.example.com/federation?Action=login&SigninToken=0123456789", "  in a browser"],
    ],
    ["columns, not characters, of wide letters", "日本語 日本語 日本語", 30, [`${HINT}日本語 日本語`, "  日本語"]],
  ])("leaves whole: %s", (_what, text, width, lines) => {
    expect(hint(text, width)).toEqual(lines);
  });

  it("takes our colours for nothing", () => {
    const [dim, plain] = ["\u001b[2m", "\u001b[22m"];
    expect(folded(`${dim}agent-run:${plain} `, "one two three", 21, "  ")).toEqual([`${dim}agent-run:${plain} one two`, "  three"]);
  });

  it("loses no word, adds none, and fills no row too far but with one piece that is longer", () => {
    const word = fc.oneof(
      fc.stringMatching(/^[a-z]{1,12}$/),
      fc.constantFrom("agent-run", "ps", "sudo", "--all", "'", "(a", "b)", "or", "see", "<x>", "//"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 25 }), fc.integer({ min: 20, max: 100 }), (words, width) => {
        const lines = hint(words.join(" "), width);
        const bare = (text: string): string => text.replace(/[ ;,'()]/g, "");
        expect(bare(lines.join(""))).toBe(bare(HINT + words.join("")));
        for (const line of lines.slice(1)) if (line.length > width) expect(line).toMatch(/^ {2}(\S+|['(]?[a-z].*)$/);
      }),
      { seed: 20_261_128, numRuns: 400 },
    );
  });

  it("cuts none of the commands that the hints of this program name", () => {
    const root = join(import.meta.dirname, "../../src");
    const sources = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
    const hints = sources.flatMap((source) =>
      [...source.matchAll(/hint:\s+(?:`([^`\n]*)`|"([^"\n]*)")/g)].map(([, a, b]) => (a ?? b ?? "").replace(/\$\{[^{}]*\}/g, "x")),
    );
    const commands = hints.flatMap((text) =>
      [
        ...text.matchAll(
          /(?:^|: |; |or |then |with )((?:agent-run [a-z-]+|sudo|chmod|ls -|docker|wsl|npm run)(?: [^;,()[]*?)??)(?=[;,]|$| (?:\[|(?:shows|lists|begins|makes|stores|needs|once) ))/g,
        ),
      ].map(([, command]) => ({ text, command: command ?? "" })),
    );
    expect(commands.length).toBeGreaterThan(80);
    const cut = [40, 60, 80].flatMap((width) =>
      commands.filter(({ text, command }) => !hint(text, width).some((line) => line.includes(command))),
    );
    expect(cut).toEqual([]);
  });

  /** What a sentence of ours begins with before an option or a path; whatever else stands there is a program. */
  const PROSE = new Set("and another change check for in make name or pass say see then to use with your".split(" "));

  it.each([
    ["install x, or: systemctl --user restart dbus", ["systemctl"]],
    ["check the limits: ulimit -n", ["ulimit"]],
    ["stop it with kill 4711; pass --region with a name", ["kill"]],
    ["it is in a folder of yours, as it was", []],
  ])("finds the programs of a hint: %s", (text, programs) => {
    expect(programsOf(text).filter((name) => !PROSE.has(name))).toEqual(programs);
  });

  it("knows every program that a hint of this program names: add a new one to PROGRAM of fold.ts", () => {
    const root = join(import.meta.dirname, "../../src");
    const hints = globSync("**/*.ts", { cwd: root }).flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\bhint\b.*?(?:\n\s*\}|;\n|$)/gs)].flatMap(([piece]) =>
        [...piece.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(([, a, b]) => (a ?? b ?? "").replace(/\$\{[^}]*\}+/g, "x")),
      ),
    );
    const named = new Set(hints.flatMap(programsOf));
    expect(named.size).toBeGreaterThan(12);
    const cut = [...named].filter((name) => {
      const command = `${name}${name === "agent-run" ? " ps" : name === "aws" ? " iam" : ""} one two three -x four five`;
      return !PROSE.has(name) && !hint(`first run ${command}`, 40).some((line) => line.includes(command));
    });
    expect(cut).toEqual([]);
  });
});

/** The words at the places of a sentence where a command can begin, that have an option, a path, a placeholder, a number or a pipe after them. */
function programsOf(text: string): string[] {
  const place = /(?<=^|[:;,] |(?:^| )['(]|(?<![\w-])(?:or|and|then|to|with|by|see|is|run) )([a-z][\w.-]*)(?= (.*))/g;
  const rest = /^(?:(?!(?:or|and|then|for|to|in|of|with|a|the|as|it|is|where|that|so)\b)[^ ;,()]+ ?)*/;
  return [...text.matchAll(place)].flatMap(([, word = "", after = ""]) =>
    / (?:-{1,2}[A-Za-z]|[~./][^ ]|\||<[a-z]|\d+(?: |$)|[a-z_.]+=)/.test(` ${rest.exec(after)?.[0] ?? ""}`) ? [word] : [],
  );
}
