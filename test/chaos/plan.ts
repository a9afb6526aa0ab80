// What happens in one round of the chaos run, drawn from a seed: what is harmed, when, and around which agent. Pure; carried out by round.ts.

/**
 * When in a session's life the harm is done. `folder`: the session's folder is there, and AWS is being asked; `held`: so is the sandbox, in which no agent may
 * start yet; `released`: the agent's program was started a moment ago.
 */
export const moments = ["launching", "asking", "folder", "held", "gate", "released", "running", "refreshing", "killing", "wiping"] as const;
export type Moment = (typeof moments)[number];

const signals = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;
const victims = ["launcher", "daemon", "agent"] as const;
export type Victim = (typeof victims)[number];

/** One way to do harm. */
export type Harm =
  | { readonly type: "signal"; readonly to: readonly Victim[]; readonly signal: NodeJS.Signals }
  | { readonly type: "hang-up"; readonly terminal: "pty" | "tmux" }
  | { readonly type: "stop"; readonly victim: Victim }
  | { readonly type: "clock"; readonly hours: number }
  | { readonly type: "disk"; readonly state: "full" | "read-only" }
  | { readonly type: "cloud"; readonly trouble: CloudTrouble };

export const cloudTroubles = ["gone", "slow", "throttled", "broken", "skewed"] as const;
export type CloudTrouble = (typeof cloudTroubles)[number];

/** What the machine gives: a kind that needs what is not there is left out, and the summary says so. */
export interface Machine {
  readonly bwrap: boolean;
  readonly tmux: boolean;
  readonly faketime: boolean;
  /** A folder can be made full: a file system of its own can be mounted. */
  readonly mount: boolean;
  /** Not root, whom no mode of a folder stops. */
  readonly ordinary: boolean;
}

/** How the agent behaves when it should leave. */
export const manners = ["calm", "stubborn", "daemonises", "forks", "stops-itself", "finishes-its-file", "asks-aws"] as const;
export type Manner = (typeof manners)[number];

export interface Round {
  readonly number: number;
  readonly kind: string;
  readonly harm: Harm;
  readonly moment: Moment;
  readonly surface: "terminal" | "tmux" | "pipes";
  readonly level: "none" | "standard";
  readonly manner: Manner;
  readonly delayMs: number;
  /** How a session that lives on is ended. */
  readonly end: "key" | "command" | "exit";
}

interface Kind {
  readonly harm: Harm;
  readonly needs?: keyof Machine;
  readonly moments?: readonly Moment[];
  readonly surface?: Round["surface"];
}

const kill = (...to: Victim[]): Kind => ({ harm: { type: "signal", to, signal: "SIGKILL" } });

/** Every kind of harm by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  "kill launcher": kill("launcher"),
  "kill daemon": kill("daemon"),
  "kill agent": kill("agent"),
  "kill all": kill("launcher", "daemon", "agent"),
  "kill launcher and daemon": kill("launcher", "daemon"),
  ...Object.fromEntries(
    signals.flatMap((signal) =>
      victims.map((victim) => [`${signal} ${victim}`, { harm: { type: "signal", to: [victim], signal } } as Kind]),
    ),
  ),
  "terminal closed": { harm: { type: "hang-up", terminal: "pty" }, surface: "terminal" },
  "tmux pane killed": { harm: { type: "hang-up", terminal: "tmux" }, surface: "tmux", needs: "tmux" },
  ...Object.fromEntries(
    victims.map((victim) => [`stop ${victim}`, { harm: { type: "stop", victim }, moments: ["running", "refreshing"] } as Kind]),
  ),
  "clock 12 h forward": { harm: { type: "clock", hours: 12 }, needs: "faketime", moments: ["asking", "gate", "running", "refreshing"] },
  "clock 12 h back": { harm: { type: "clock", hours: -12 }, needs: "faketime", moments: ["asking", "gate", "running", "refreshing"] },
  "disk full": { harm: { type: "disk", state: "full" }, needs: "mount" },
  "state folder read-only": { harm: { type: "disk", state: "read-only" }, needs: "ordinary" },
  ...Object.fromEntries(cloudTroubles.map((trouble) => [`sts ${trouble}`, { harm: { type: "cloud", trouble } } as Kind])),
};

/** mulberry32: a small generator whose whole state is the seed, so that a round can be had again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The longest random wait before the harm, by moment, in milliseconds. */
const WAITS: Record<Moment, number> = {
  launching: 250,
  asking: 300,
  folder: 40,
  held: 200,
  gate: 350,
  released: 20,
  running: 300,
  refreshing: 400,
  killing: 1200,
  wiping: 60,
};

/** What a run is narrowed to: kinds of harm whose name has this text in it, and one moment. */
export interface Only {
  readonly kind?: string | undefined;
  readonly moment?: Moment | undefined;
}

/** Round `number` of a run: the kinds come in turn, everything else is drawn from `seed` and the number. */
export function planRound(seed: number, number: number, machine: Machine, only: Only = {}): Round {
  const random = randomFrom(seed * 100_003 + number);
  const pick = <Each>(from: readonly Each[]): Each => from[Math.floor(random() * from.length)] as Each;
  const names = Object.keys(kinds).filter((name) => {
    const { needs, moments: possible = moments } = kinds[name] as Kind;
    if (only.moment !== undefined && !possible.includes(only.moment)) return false;
    return (needs === undefined || machine[needs]) && name.includes(only.kind ?? "");
  });
  const kind = names[number % names.length];
  if (kind === undefined)
    throw new Error(
      `no kind of harm on this machine is called '${only.kind ?? ""}' and has that moment; there are: ${Object.keys(kinds).join(", ")}`,
    );
  const { harm, moments: possible = moments, surface: needed } = kinds[kind] as Kind;
  const drawn = pick(possible);
  const moment = only.moment ?? drawn;
  const either = pick(["none", "standard"] as const);
  const level = machine.bwrap ? (moment === "held" ? "standard" : either) : "none";
  const surface = needed ?? pick(["terminal", "terminal", "pipes"] as const);
  const manner =
    harm.type === "signal" && harm.to.length === 1 && harm.to[0] === "daemon" ? pick(["asks-aws", "calm"] as const) : pick(manners);
  const end = pick(surface === "pipes" ? (["command", "exit"] as const) : (["key", "command", "exit"] as const));
  return { number, kind, harm, moment, surface, level, manner, delayMs: Math.round(random() * WAITS[moment]), end };
}

/** One line that tells a round from others. */
export function describeRound(round: Round): string {
  const { number, kind, moment, surface, level, manner, delayMs, end } = round;
  return `${number}: ${kind}, ${moment} + ${delayMs} ms, ${surface}, isolation ${level}, agent ${manner}, ended by ${end}`;
}
