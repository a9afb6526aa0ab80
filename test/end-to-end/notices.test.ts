// The human is told before a session's end and at it: by the terminal that knows how, between two sequences of the agent, or by a program of the desktop, or not at all.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Outer, openOuter } from "../terminal/outer.ts";
import { BIN, makeWorld, until } from "./world.ts";

const ITERM = { TERM_PROGRAM: "iTerm.app" };
/** OSC 9 of ours, in order. */
const notices = (outer: Outer): string[] =>
  [...outer.received().matchAll(/\u001b\]9;(.*?)\u0007/g)].map(([, text = ""]) =>
    text.replace(/sess_[0-9a-f]{8}/, "SESSION").replace(/\d.*s$/, "SPAN"),
  );

const SHORT = ["--ttl", "10s", "--on-expiry", "stop"];

// Side by side, each in a world of its own: they wait for limits more than they work.
describe.concurrent("a notice of the end", () => {
  it("comes before it and at it, once each, between two sequences of the agent", async () => {
    await using world = await makeWorld();
    // The title stands open while the first notice is due, after 5 s; for less time than a string is left open.
    const script = "sleep 3; printf '\\033]0;half'; sleep 4; printf 'way\\007done'; exec sleep 60";
    await using outer = openOuter(BIN, [...SHORT, "sh", "-c", script], { env: { ...world.env, ...ITERM } });
    expect(await outer.exited).toEqual({ code: 124 });
    expect(notices(outer)).toEqual(["agent-run: sh (SESSION) ends in SPAN", "agent-run: sh (SESSION) has ended: its time is up"]);
    expect(outer.received()).toContain("\u001b]0;halfway\u0007");
  });

  it("does not come where the human ended it at its terminal, or the agent left by itself", async () => {
    await using world = await makeWorld();
    await using left = openOuter(BIN, ["true"], { env: { ...world.env, ...ITERM } });
    expect(await left.exited).toEqual({ code: 0 });
    await using killed = openOuter(BIN, ["sleep", "60"], { env: { ...world.env, ...ITERM } });
    await killed.until("the bar", (screen) => screen.rows().at(-1)?.includes("sleep") ?? false);
    killed.type("\u000b");
    await killed.until("the question", (screen) => screen.rows().join("").includes("End sleep?"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    killed.type("\u000b");
    expect(await killed.exited).toEqual({ code: 137 });
    expect([...notices(left), ...notices(killed)]).toEqual([]);
  });

  it("tells of a kill from elsewhere, by a program where the terminal does not know how", async () => {
    await using world = await makeWorld();
    const log = join(world.home, "notices");
    const bin = join(world.home, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "notify-send"), `#!/bin/sh\nprintf '%s|' "$@" >>'${log}'\n`, { mode: 0o755 });
    const env = { ...world.env, DISPLAY: ":99", PATH: [bin, world.env["PATH"]].join(delimiter) };
    await using outer = openOuter(BIN, ["sleep", "60"], { env });
    await outer.until("the bar", (screen) => screen.rows().at(-1)?.includes("sleep") ?? false);
    await world.run(["kill", "--all"]);
    expect(await outer.exited).toEqual({ code: 137 });
    await until(() => existsSync(log) && readFileSync(log, "utf8").endsWith("|"), 5000, "the program");
    expect(readFileSync(log, "utf8")).toMatch(
      /^--app-name=agent-run\|--\|agent-run\|sleep \(sess_[0-9a-f]{8}\) has ended: it was killed\|$/,
    );
    expect(outer.received()).not.toContain("\u001b]9;");
  });

  it("is switched off in config.toml", async () => {
    await using world = await makeWorld();
    const file = join(world.own, "config", "config.toml");
    writeFileSync(file, `notify = "off"\n${readFileSync(file, "utf8")}`);
    await using outer = openOuter(BIN, ["--ttl", "3s", "--on-expiry", "stop", "sleep", "60"], { env: { ...world.env, ...ITERM } });
    expect(await outer.exited).toEqual({ code: 124 });
    expect(notices(outer)).toEqual([]);
  });
});
