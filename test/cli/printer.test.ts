// What comes out of the one printer, byte by byte.
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createPrinter, type Printer } from "../../src/cli/printer.ts";
import { AgentRunError } from "../../src/core/error.ts";

const HOSTILE = "evil\x1b]0;title\x07\x1b[31mred\x9b8m\u202eabc\u2028\u{e0041}";

function printed(isTTY: boolean, run: (print: Printer) => void, columns = 80, env: Record<string, string> = { LANG: "C.UTF-8" }): string {
  const streams = {
    stdout: Object.assign(new PassThrough(), { isTTY, columns }),
    stderr: Object.assign(new PassThrough(), { isTTY, columns }),
  };
  run(createPrinter(streams as unknown as { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream }, env));
  return `${streams.stdout.read() ?? ""}${streams.stderr.read() ?? ""}`;
}

describe("the printer", () => {
  it.each([
    ["a result", (print: Printer) => print.out(HOSTILE)],
    ["a note", (print: Printer) => print.note(HOSTILE)],
    ["a warning", (print: Printer) => print.warn(HOSTILE)],
    ["a step", (print: Printer) => print.step("ok", HOSTILE)],
    ["an error and its hint", (print: Printer) => print.error(new AgentRunError("usage", HOSTILE, { hint: HOSTILE }))],
    ["JSON", (print: Printer) => print.json({ [HOSTILE]: HOSTILE })],
    ["JSON on one line", (print: Printer) => print.json([HOSTILE], "compact")],
  ])("lets nothing through that acts on a terminal: %s", (_what, run) => {
    const text = printed(false, run);
    expect(text).toContain("evil");
    expect(text).toMatch(/^[\n\x20-\x7e✓\ufffd]+$/u);
  });

  it("paints on a terminal, and only with what it paints with", () => {
    const text = printed(true, (print) => print.out(`${print.paint("bold", "HEAD")} \x1b[8mhidden\x1b[2J\x1b[38;5;1m`));
    expect(text).toBe("\x1b[1mHEAD\x1b[22m \ufffd[8mhidden\ufffd[2J\ufffd[38;5;1m\n");
  });

  it("cuts a step between words on a narrow terminal, and nowhere for programs", () => {
    const arn = "arn:aws:sts::123456789012:assumed-role/agent-demo/sess_a8f3b21c";
    const step = (print: Printer): void => print.step("ok", `the agent will be ${arn}`);
    expect(printed(true, step, 80)).toBe(`\x1b[32m✓\x1b[39m the agent will be\n  ${arn}\n`);
    expect(printed(true, step, 83)).toBe(`\x1b[32m✓\x1b[39m the agent will be ${arn}\n`);
    expect(printed(true, step, 20)).toBe(`\x1b[32m✓\x1b[39m the agent will be\n  ${arn}\n`);
    expect(printed(false, step, 80)).toBe(`✓ the agent will be ${arn}\n`);
  });

  it("folds what it says on a terminal, and cuts no command", () => {
    const error = (print: Printer): void =>
      print.error(
        new AgentRunError("base-credentials", "the SSO session of profile 'dev' has ended, so that nobody can be asked for its keys", {
          hint: "agent-run login --aws-profile dev, or aws sso login --profile dev",
        }),
      );
    const shown = (columns: number): string => printed(true, error, columns, { LANG: "C.UTF-8", NO_COLOR: "1" });
    expect(shown(80)).toBe(
      "agent-run: error: the SSO session of profile 'dev' has ended, so that nobody can\n  be asked for its keys\n" +
        "agent-run: hint: agent-run login --aws-profile dev, or\n  aws sso login --profile dev\n",
    );
    expect(shown(40)).toBe(
      "agent-run: error: the SSO session of\n  profile 'dev' has ended, so that\n  nobody can be asked for its keys\n" +
        "agent-run: hint:\n  agent-run login --aws-profile dev\n  or aws sso login --profile dev\n",
    );
    expect(printed(false, error, 40).split("\n")).toHaveLength(3);
  });

  it("folds a result in sentences below where it began, and a result as it is not at all", () => {
    const lines =
      "  ✓ clock: within a second of AWS\nsocket  /run/user/1000/agent-run/control.sock is open\n\n      agent-run login --aws-profile production";
    const text = (print: Printer): void => print.text(lines);
    expect(printed(true, text, 30)).toBe(
      "  ✓ clock: within a second of\n    AWS\nsocket  /run/user/1000/agent-run/control.sock\n        is open\n\n" +
        "      agent-run login --aws-profile production\n",
    );
    expect(printed(false, text, 30)).toBe(`${lines}\n`);
    expect(printed(true, (print) => print.out(lines), 30)).toBe(`${lines}\n`);
  });

  it("folds nothing on a terminal that does not tell its size", () => {
    const long = "word ".repeat(40).trim();
    expect(printed(true, (print) => print.note(long), 0, { NO_COLOR: "1" })).toBe(`agent-run: ${long}\n`);
  });

  it.each([{ LANG: "C" }, { LANG: "de_DE.UTF-8", LC_ALL: "POSIX" }, { LANG: "en_US.UTF-8", LC_CTYPE: "en_US.ISO-8859-1" }, {}])(
    "prints nothing of its own beyond ASCII where the locale is %o, and names as they are",
    (env) => {
      const print = (to: Printer): void => {
        to.step("ok", "profile größe → two …");
        to.out("14m ↻ 80×24 \x1b[1m");
        to.note("…");
      };
      expect(printed(false, print, 80, env)).toBe("14m + 80x24 ?[1m\nok profile größe -> two ...\nagent-run: ...\n");
      expect(printed(false, print)).toBe("14m ↻ 80×24 \ufffd[1m\n✓ profile größe → two …\nagent-run: …\n");
    },
  );

  it("gives programs what it is given", () => {
    expect(printed(false, (print) => print.raw("\x01\x1b[31m\x02x"))).toBe("\x01\x1b[31m\x02x\n");
  });
});
