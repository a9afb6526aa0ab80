// Taking options out of a command line: where they end, and what is said about those that cannot be.
import { describe, expect, it } from "vitest";
import { parseCommand } from "../../src/cli/command.ts";
import { overridesOf, runOptions } from "../../src/cli/run-options.ts";
import { AgentRunError } from "../../src/core/error.ts";

const run = { name: "run", options: runOptions, stopsAtFirstWord: true };

describe("command line", () => {
  it.each<[string[], string[]]>([
    [["claude"], ["claude"]],
    [
      ["claude", "--help", "-p", "x"],
      ["claude", "--help", "-p", "x"],
    ],
    [
      ["-p", "readonly", "claude", "-p", "hello"],
      ["claude", "-p", "hello"],
    ],
    [["--profile=readonly", "--no-bar", "claude"], ["claude"]],
    [
      ["-preadonly", "claude", "--", "x"],
      ["claude", "--", "x"],
    ],
    [
      ["--ttl", "5m", "--", "--odd"],
      ["--", "--odd"],
    ],
    [
      ["--tag", "a=b", "--tag", "c=d", "sh", "-c", "exit 3"],
      ["sh", "-c", "exit 3"],
    ],
    [
      ["-", "x"],
      ["-", "x"],
    ],
  ])("of %j leaves the agent and its own arguments %j alone", (argv, words) => {
    expect(parseCommand(run, argv).words).toEqual(words);
  });

  it("becomes the overrides of a run", () => {
    const { values } = parseCommand(run, [
      "-p",
      "ops",
      "--role",
      "r",
      "--ttl",
      "1h30m",
      "--on-expiry",
      "stop",
      "--tag",
      "ticket=OPS=1",
      "x",
    ]);
    expect(overridesOf(values)).toEqual({ profile: "ops", role: "r", ttl: 5_400_000, onExpiry: "stop", tags: { ticket: "OPS=1" } });
  });

  it.each<[string[], string, string | undefined]>([
    [["--profil", "x", "claude"], "unknown option '--profil'", "did you mean '--profile'?"],
    [["--isolation", "nope", "x"], "--isolation: 'nope' is none of strict, standard, none", "agent-run --isolation strict …"],
    [["--isolation", "stndard", "x"], "--isolation: 'stndard' is none of strict, standard, none", "did you mean 'standard'?"],
    [["--on-expiry", "stopp", "x"], "--on-expiry: 'stopp' is none of refresh, stop, ask", "did you mean 'stop'?"],
    [["--ttl", "never", "x"], "--ttl: 'never' is not a duration", undefined],
    [["--tag", "novalue", "x"], "--tag: 'novalue' is not of the form key=value", undefined],
    [["--role", "", "x"], "--role needs a value", undefined],
    [["--role"], "--role needs a value", undefined],
    [["-p"], "--profile needs a value", undefined],
    [["--ttl", "--no-bar", "x"], "--ttl needs a value", undefined],
    [["--no-bar=1", "x"], "option '--no-bar' does not take an argument", undefined],
    [["--rloe", "x"], "unknown option '--rloe'", "did you mean '--role'?"],
    [["--nope", "x"], "unknown option '--nope'", "agent-run run --help"],
    [
      ["--json", "ps"],
      "unknown option '--json'",
      "options of a command stand after it: agent-run ps --json; those of a run: agent-run run --help",
    ],
    [["--json", "claude", "ps"], "unknown option '--json'", "agent-run run --help"],
  ])("%j is wrong usage: %s", (argv, message, hint) => {
    let error: unknown;
    try {
      overridesOf(parseCommand(run, argv).values);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AgentRunError);
    expect(error).toMatchObject({ code: "usage", message, exitStatus: 2 });
    if (hint !== undefined) expect(error).toMatchObject({ hint });
  });
});
