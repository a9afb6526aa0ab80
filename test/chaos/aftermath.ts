// What must hold after a session, whatever died: looked for with a deadline, and named where it does not. Called by round.ts.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { verifyFolder } from "../../src/audit/verify.ts";
import { requestJson } from "../../src/control/client.ts";
import { daemonStatus } from "../../src/control/requests.ts";
import { thisMachine } from "../../src/core/machine.ts";
import { auditFolder, controlSocket } from "../../src/core/paths.ts";
import { alive, until } from "../end-to-end/world.ts";
import { describeProcess, type Launched, type Place } from "./place.ts";
import type { Round } from "./plan.ts";

/** A launch without trouble takes a fraction of it. */
const NEXT_LAUNCH_MS = 15_000;
/** From when the next launch has brought a daemon: what a dead one left is ended and recorded by then. */
const RECORDED_MS = 6000;
/** What the cloud was asked while it was slow is answered by then. */
const SLOW_CLOUD_MS = 35_000;
/** The guard of a launcher that was killed gives the modes back by then, on a machine with much else to do. */
const MODES_MS = 5000;

/**
 * Everything that is there and should not be, as sentences.
 * @param deadline `performance.now()` by which processes, credentials and files must be gone
 */
export async function leftovers(place: Place, round: Round, launched: Launched, deadline: number): Promise<string[]> {
  const found: string[] = [];
  const by = async (what: string, holds: () => boolean | Promise<boolean>, until_ = deadline): Promise<void> => {
    const limit = Math.max(50, until_ - performance.now());
    await until(holds, limit, what).catch(() => found.push(what));
  };
  // A kill is waited for until AWS has answered that the keys are denied, where nobody hurries.
  const slow = round.harm.type === "cloud" && round.harm.trouble === "slow" ? SLOW_CLOUD_MS : 0;
  await by(`the launcher (${launched.launcher}) still runs`, () => !alive(launched.launcher), deadline + slow);
  await by("processes of the session run", () => place.processesOf(launched.name).length === 0);
  const there = place.processesOf(launched.name);
  if (there.length > 0) found.push(...there.map((each) => `  ${each}`));
  const [uri, token] = (launched.wrote("uri") ?? "").trim().split(" ");
  if (uri && token) await by("the endpoint still answers with credentials", () => refuses(uri, token));
  await by("the session's folder is there", () => place.world.sessionFolders().length === 0);
  place.mendState();
  place.world.cloud.switches.clear();
  place.world.cloud.switches.apply({ credentialSeconds: null });
  if (round.harm.type === "clock") await place.endClock();
  if (round.surface === "terminal" && round.harm.type !== "hang-up") found.push(...(await terminalTroubles(place, launched)));
  if (round.manner === "asks-aws") found.push(...askingTroubles(round, launched));

  // One that comes late would end the next session, which it means too.
  await launched.command;
  const begun = performance.now();
  const next = await place.world.run(["--isolation", "none", "true"], { limitMs: NEXT_LAUNCH_MS });
  const tookMs = Math.round(performance.now() - begun);
  if (next.code !== 0 || next.stderr !== "")
    found.push(`the next launch ended with ${next.code} after ${tookMs} ms: ${next.stderr.trim()}`);
  const recorded = performance.now() + RECORDED_MS;
  await by("the session's folder is there after the next launch", () => place.world.sessionFolders().length === 0, recorded);
  const standIns = join(place.paths.state, `stand-ins.${thisMachine().id}`);
  if (round.harm.type !== "disk") await by("what a sandbox had to cover is there", () => !existsSync(standIns), recorded);
  await by("the daemon holds a session", async () => (await sessions(place)) === 0, recorded);
  const wanting = (): (readonly [session: string, text: string])[] =>
    verifyFolder(auditFolder(place.paths), new Set())
      .sessions.filter(({ session }) => !place.known.has(session))
      .flatMap(({ session, state, findings }) => {
        const errors = findings.filter(({ severity }) => severity === "error").map(({ text }) => text);
        return [...(state === "ended" ? [] : [`it is ${state}`]), ...errors].map((text) => [session, text] as const);
      });
  /** What a full disk did not take is a gap, and said; an end there must be all the same. */
  const allowed = (text: string): boolean => round.harm.type === "disk" && !text.startsWith("it is");
  await until(() => wanting().every(([, text]) => allowed(text)), Math.max(50, recorded - performance.now()), "").catch(() => {});
  for (const [session, text] of wanting()) {
    place.known.add(session);
    if (!allowed(text)) found.push(`the audit of ${session}: ${text}`);
  }
  return found;
}

async function refuses(uri: string, token: string): Promise<boolean> {
  try {
    const reply = await fetch(uri, { headers: { authorization: token }, signal: AbortSignal.timeout(500) });
    await reply.arrayBuffer();
    return reply.status !== 200;
  } catch {
    return true;
  }
}

async function sessions(place: Place): Promise<number> {
  return (await requestJson(controlSocket(place.paths), { path: "/v1/status", answer: daemonStatus })).sessions.length;
}

/** The human's terminal as it was before: at the prompt, on the main screen, with its own modes. */
async function terminalTroubles(place: Place, launched: Launched): Promise<string[]> {
  const found: string[] = [];
  const human = await place.human();
  await until(async () => (await human.prompt()) !== undefined, 5000, "").catch(() => {});
  // What was typed at an agent that was no more is the shell's, and cleared away.
  human.type("\x03\r");
  const file = join(place.world.project, "stty-after");
  rmSync(file, { force: true });
  try {
    await until(async () => (await human.prompt()) !== undefined, 5000, "the prompt");
    await human.run("stty -g > stty-after");
    // The line before may have brought a prompt late, which is not that of this command.
    await until(() => place.read("stty-after")?.endsWith("\n") === true, 5000, "the terminal's modes");
  } catch (error) {
    return [`the terminal does not come back: ${String(error)}\n${(await human.screen()).join("\n")}`];
  }
  const after = readFileSync(file, "utf8");
  if (after !== place.modes) found.push(`stty -g was ${place.modes.trim()} and is ${after.trim()}`);
  const leftModes = async (): Promise<[string, unknown][]> =>
    Object.entries(await human.modes()).filter(([, value]) => value !== false && value !== "none");
  const untilReset = until(async () => (await leftModes()).length === 0 && keyboardDepth(human.raw()) === 0, MODES_MS, "");
  await untilReset.catch(() => {});
  const modes = await leftModes();
  if (modes.length > 0) found.push(`modes are left: ${JSON.stringify(Object.fromEntries(modes))}`);
  const depth = keyboardDepth(human.raw());
  if (depth !== 0) found.push(`the keyboard protocol is left ${depth} deep`);
  let holders: readonly number[] = [];
  const letGo = (): boolean => {
    holders = human.holders();
    return holders.length === 0;
  };
  await until(letGo, 5000, "").catch(() => {});
  if (holders.length > 0) found.push(`the terminal is held after ${launched.name}: ${holders.map(describeProcess).join(", ")}`);
  return found;
}

/** The depth of kitty's stack of keyboard flags after these bytes (CSI > flags u pushes, CSI < number u pops). */
function keyboardDepth(raw: string): number {
  let depth = 0;
  for (const [, kind, number] of raw.matchAll(/\x1b\[([<>])(\d*)u/g))
    depth = kind === ">" ? depth + 1 : Math.max(0, depth - Number(number || 1));
  return depth;
}

/** An SDK inside notices nothing of a daemon that died alone. */
function askingTroubles(round: Round, launched: Launched): string[] {
  const lines = (launched.wrote("asks") ?? "").trim().split("\n");
  const failed = Number(/failed (\d+)/.exec(lines.at(-1) ?? "")?.[1] ?? 0);
  const calm = round.moment === "running" && round.harm.type === "signal" && round.harm.to.includes("daemon");
  return calm && failed > 0
    ? [`the SDK inside failed ${failed} times: ${lines.filter((line) => !line.startsWith("worked")).join(", ")}`]
    : [];
}
