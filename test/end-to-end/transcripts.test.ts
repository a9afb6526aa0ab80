// Plays every transcript of test/transcripts: the real command in a real PTY, and what stays visible on the screen.
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { parseTranscript, playTranscript } from "./transcript.ts";
import { BIN, FIXTURES, has, makeWorld, ROOT, type World } from "./world.ts";

const FOLDER = join(ROOT, "test", "transcripts");
const only = process.env["AGENT_RUN_TEST_TRANSCRIPT"];

let world: World;
beforeAll(async () => {
  world = await makeWorld();
  const bin = join(world.home, "bin");
  mkdirSync(bin);
  symlinkSync(BIN, join(bin, "agent-run"));
  world.env["PATH"] = [bin, world.env["PATH"]].join(delimiter);
  world.env["F"] = FIXTURES;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const usable = has("bash") && has("stty") && process.platform === "linux";

describe.skipIf(!usable)(`agent-run in a terminal${usable ? "" : " (needs Linux, bash and stty)"}`, () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt") && (only === undefined || name.includes(only)));
  for (const name of names.sort()) {
    const transcript = parseTranscript(readFileSync(join(FOLDER, name), "utf8"));
    const missing = transcript.needs !== undefined && !has(transcript.needs);
    it.skipIf(missing)(`${transcript.title}${missing ? ` (needs ${transcript.needs})` : ""}`, async () => {
      await playTranscript(`test/transcripts/${name}`, transcript, world);
    });
  }
});
