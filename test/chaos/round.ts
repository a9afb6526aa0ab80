// One round of the chaos run: a launch, harm at its moment, the end where it lives on, and what is left afterwards. Called by run.ts and chaos.test.ts.
import { sleep } from "../../src/core/clock.ts";
import { signal } from "../../src/core/process-tree.ts";
import { alive, until } from "../end-to-end/world.ts";
import { leftovers } from "./aftermath.ts";
import type { Launched, Place } from "./place.ts";
import type { CloudTrouble, Round } from "./plan.ts";

export interface Outcome {
  /** What should not be there; empty when all is well. */
  readonly leftovers: readonly string[];
  /** How long the last process of the session took to go, from its end, in milliseconds. */
  readonly goneMs: number;
  /** How long the endpoint took to answer again after its daemon died alone. */
  readonly restoredMs?: number;
}

/** How long a session that must live on, or may, is watched before it is ended. */
const WATCH_MS = 900;
/** Nothing of a session may be there later than this after its end began; on top comes the grace of 1 s that the agents have here. */
const LIMIT_MS = 5000;
const GRACE_MS = 1000;
/** Longer than the daemon's patience with a launcher: the grace and 2 s. */
const STOPPED_MS = 3600;
const READY_MS = 15_000;

const faults: Record<CloudTrouble, Parameters<Place["world"]["cloud"]["switches"]["fault"]>[0]> = {
  gone: { operation: "*", end: "close" },
  slow: { operation: "*", latencyMs: 30_000 },
  throttled: { operation: "*", error: { code: "Throttling", status: 400, message: "Rate exceeded" } },
  broken: { operation: "*", error: { code: "InternalFailure", status: 500, message: "We encountered an internal error" } },
  skewed: {
    operation: "*",
    error: {
      code: "SignatureDoesNotMatch",
      status: 403,
      message: "Signature expired: 20261122T093300Z is now earlier than 20261122T093500Z (20261122T094000Z - 5 min.)",
    },
  },
};

/** Plays a round. Throws where it could not be played; what was found left behind is in the outcome. */
export async function playRound(place: Place, round: Round): Promise<Outcome> {
  const { switches } = place.world.cloud;
  switches.clear();
  switches.apply({ credentialSeconds: round.moment === "refreshing" ? 4 : null });
  if (round.harm.type === "clock") await place.startWithClock();
  const launched = await launchTo(place, round);
  await sleep(round.delayMs);
  let begun = performance.now();
  const problems: string[] = [];
  const harmed = await doHarm(place, round, launched);
  let restoredMs: number | undefined;
  if (harmed === "must-live") {
    const restored = await answersAgain(launched, LIMIT_MS);
    if (restored === undefined) problems.push("the session did not live on");
    else if (round.harm.type === "signal") restoredMs = performance.now() - begun;
  }
  if (harmed === "must-end") await gone(launched, LIMIT_MS + GRACE_MS);
  else {
    await gone(launched, WATCH_MS);
    if (alive(launched.launcher)) {
      begun = performance.now();
      await endIt(place, round, launched);
      await gone(launched, LIMIT_MS + GRACE_MS);
    }
  }
  problems.push(...(await leftovers(place, round, launched, begun + LIMIT_MS + GRACE_MS)));
  const goneMs = performance.now() - begun;
  return { leftovers: problems, goneMs, ...(restoredMs === undefined ? {} : { restoredMs }) };
}

/** Launches, and waits for the round's moment. */
async function launchTo(place: Place, round: Round): Promise<Launched> {
  const { cloud } = place.world;
  const assumed = cloud.calls("sts:AssumeRole");
  const { moment } = round;
  if (["asking", "folder", "held"].includes(moment)) cloud.switches.fault({ operation: "sts:AssumeRole", latencyMs: 350 });
  if (moment === "gate") cloud.switches.fault({ operation: "sts:GetCallerIdentity", latencyMs: 250 });
  const launched = await place.launch(round);
  if (moment === "launching") return launched;
  if (moment === "folder" || moment === "held") {
    const held = (): boolean => place.processesOf(launched.name).some((each) => each.startsWith("bwrap "));
    await soon(() => place.world.sessionFolders().length > 0 && (moment === "folder" || round.level === "none" || held()), moment);
    return launched;
  }
  if (moment === "released") {
    await soon(() => launched.pidOf("agent") !== undefined, moment);
    return launched;
  }
  if (moment === "asking" || moment === "gate") {
    await until(() => cloud.calls("sts:AssumeRole") > assumed, READY_MS, "the first call to STS");
    return launched;
  }
  await until(() => launched.wrote("ready") !== undefined, READY_MS, `the agent to be ready: ${launched.printed()}`);
  if (moment === "refreshing") {
    const before = cloud.calls("sts:AssumeRole");
    cloud.switches.fault({ operation: "sts:AssumeRole", latencyMs: 500 });
    await until(() => cloud.calls("sts:AssumeRole") > before, READY_MS, "a refresh");
  } else if (moment === "killing") await endIt(place, { ...round, end: round.end === "exit" ? "command" : round.end }, launched);
  else if (moment === "wiping") launched.leave();
  return launched;
}

/** Looks often: the moment is short. */
async function soon(there: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + READY_MS;
  while (!there()) {
    if (performance.now() > limit) throw new Error(`waited in vain for the moment '${what}'`);
    await sleep(1);
  }
}

type Expected = "must-live" | "must-end" | "may-live";

/** Does it, and tells what must follow. */
async function doHarm(place: Place, round: Round, launched: Launched): Promise<Expected> {
  const { harm, moment } = round;
  const steady = moment === "running" || moment === "refreshing";
  const ending = moment === "killing" || moment === "wiping";
  if (harm.type === "signal") {
    const pids = harm.to.map((victim) => launched.pidOf(victim));
    for (const pid of pids) if (pid !== undefined) signal(pid, harm.signal);
    const diesAlone = harm.to.length === 1 && harm.to[0] === "daemon" && ["SIGKILL", "SIGQUIT"].includes(harm.signal);
    if (diesAlone && steady) return "must-live";
    // A signal for the launcher is the agent's, which decides; before there is an agent, a daemon that dies fails the launch or does not.
    const decides = diesAlone || harm.signal !== "SIGKILL" || !steady || harm.to[0] === "agent";
    return ending || !decides ? "must-end" : "may-live";
  }
  if (harm.type === "hang-up") {
    launched.shell?.hangUp();
    return "must-end";
  }
  if (harm.type === "stop") return stopFor(place, round, launched);
  if (harm.type === "clock") {
    place.setClock(harm.hours);
    return harm.hours > 0 && steady ? "must-end" : "may-live";
  }
  if (harm.type === "disk") {
    if (harm.state === "full") place.fillDisk();
    else place.denyState();
    return steady ? "must-live" : "may-live";
  }
  const fault = place.world.cloud.switches.fault(faults[harm.trouble]);
  setTimeout(() => fault[Symbol.dispose](), 2000).unref();
  return steady && moment !== "refreshing" ? "must-live" : "may-live";
}

/** Stops the victim, asks for the end meanwhile, and lets it go on when the time of everybody who could wait for it is over. */
async function stopFor(place: Place, round: Round, launched: Launched): Promise<Expected> {
  if (round.harm.type !== "stop") return "may-live";
  const { victim } = round.harm;
  const pid = launched.pidOf(victim);
  if (pid === undefined) throw new Error(`there is no ${victim}`);
  signal(pid, "SIGSTOP");
  // A stopped daemon takes no command; a stopped launcher, and one that stopped as a shell's job together with its agent, no key.
  const noKey = victim === "launcher" || (victim === "agent" && round.surface !== "pipes");
  const end = victim === "daemon" && round.end === "command" ? "exit" : noKey && round.end !== "exit" ? "command" : round.end;
  const asked = endIt(place, { ...round, end }, launched);
  await sleep(STOPPED_MS);
  if (victim !== "launcher" || round.surface === "pipes") signal(pid, "SIGCONT");
  if (noKey && round.surface !== "pipes") launched.shell?.type("fg\r");
  await asked;
  return "must-end";
}

/** Ends the session as the round says; before there is an agent, with Ctrl-C. */
async function endIt(place: Place, round: Round, launched: Launched): Promise<void> {
  for (let tries = 0; tries < 5 && launched.wrote("ready") === undefined && alive(launched.launcher); tries += 1) {
    if (launched.shell) launched.shell.type("\x03");
    else signal(launched.launcher, "SIGINT");
    await until(() => !alive(launched.launcher) || launched.wrote("ready") !== undefined, 700, "").catch(() => {});
  }
  if (!alive(launched.launcher)) return;
  if (round.end === "exit") launched.leave();
  else if (round.end === "key" && launched.shell) {
    launched.shell.type("\x0b");
    if (round.surface === "terminal") {
      const human = await place.human();
      await until(async () => (await human.screen()).some((row) => row.includes("End clings")), 3000, "").catch(() => {});
    }
    // An answer counts half a second after the question stands.
    await sleep(650);
    launched.shell.type("\x0b");
  } else {
    launched.command = place.world.run(["kill", "--all", "--json"], { limitMs: 60_000 });
  }
}

/** Resolves when the launcher has ended, or the time is over. */
async function gone(launched: Launched, limitMs: number): Promise<void> {
  await until(() => !alive(launched.launcher), limitMs, "").catch(() => {});
}

/** Whether the session's endpoint answers with credentials, within the time. */
async function answersAgain(launched: Launched, limitMs: number): Promise<true | undefined> {
  const [uri = "", token = ""] = (launched.wrote("uri") ?? "").trim().split(" ");
  const answers = async (): Promise<boolean> => {
    try {
      const reply = await fetch(uri, { headers: { authorization: token }, signal: AbortSignal.timeout(1000) });
      await reply.arrayBuffer();
      return reply.status === 200;
    } catch {
      return false;
    }
  };
  return until(answers, limitMs, "").then(
    () => true as const,
    () => undefined,
  );
}
