// What launcher and daemon say to each other over the lease, and how either knows whom it met: the schemas, checked on both sides. What single commands ask
// is in requests.ts; docs/protocol.md explains the order.
import { errorCodes } from "../core/error.ts";
import { anything, atLeast, boolean, list, message, number, type Of, object, oneOf, optional, record, string } from "./shape.ts";

/** Raised whenever an older peer would misread a message. A daemon answers a launcher of its own number only. */
export const PROTOCOL = 6;

/** The `Upgrade` token of the lease: after `101` both sides send one JSON message a line. */
export const LEASE_UPGRADE = "agent-run-lease";

/** The only `Host` that the control socket answers: a page in a browser that found a way to it names another. */
export const CONTROL_HOST = "agent-run";

/** Request and response headers that carry the two sides' version and `PROTOCOL`. */
export const VERSION_HEADER = "agent-run-version";
export const PROTOCOL_HEADER = "agent-run-protocol";
/**
 * Request header of a launcher whose first message comes with the request, before it knows whom it asks: the version that the daemon must be. Another one
 * refuses (409), so that it acts on no message that is not for it.
 */
export const EXACTLY_HEADER = "agent-run-exactly";
/** Response header with the daemon's process id. */
export const PID_HEADER = "agent-run-pid";

/** A line longer than this is refused, so that neither side can fill the other's memory. */
export const LONGEST_LINE = 1_048_576;

export const sessionId = string(13, /^sess_[0-9a-f]{8}$/);
export const text = string(4096);

export const deliveries = ["endpoint", "process", "env"] as const;
export const expiryActions = ["refresh", "stop", "ask"] as const;
export const isolationLevels = ["strict", "standard", "none"] as const;
export const questionKinds = ["mfa", "passphrase", "sign-in", "expiry", "extend"] as const;
export const notifyChoices = ["auto", "terminal", "desktop", "off"] as const;
export const causes = ["exited", "killed", "expired", "lost", "failed"] as const;

export type Delivery = (typeof deliveries)[number];
export type ExpiryAction = (typeof expiryActions)[number];
export type IsolationLevel = (typeof isolationLevels)[number];
export type QuestionKind = (typeof questionKinds)[number];
/** How the human is told of an end that they may not be looking at. */
export type NotifyChoice = (typeof notifyChoices)[number];
/** Why a session ended; the first cause wins. */
export type Cause = (typeof causes)[number];

const wireError = object({
  code: oneOf(errorCodes),
  message: string(),
  hint: optional(string()),
  exitStatus: number,
});

/** What the human asked for on the command line; absent means: as the profile says. Durations are milliseconds. */
const overrides = object({
  profile: optional(text),
  role: optional(text),
  awsProfile: optional(text),
  region: optional(text),
  endpointUrl: optional(text),
  ttl: optional(atLeast(1000)),
  onExpiry: optional(oneOf(expiryActions)),
  delivery: optional(oneOf(deliveries)),
  isolation: optional(oneOf(isolationLevels)),
  task: optional(text),
  project: optional(text),
  tags: optional(record(text)),
  /** `s3:GetObject=arn:aws:s3:::builds/*`; narrow what the profile allows. */
  allow: optional(list(text)),
  deny: optional(list(text)),
  readOnly: optional(boolean),
  /** Sandboxes may start in the sandbox, at strict too. */
  allowNested: optional(boolean),
  /** Actions of the destructive catalogue that the human accepts for this run. */
  accept: optional(list(text)),
  /** A tool may use a role that another tool uses. */
  shareRole: optional(boolean),
});

const open = {
  /** The agent's short name, the `agent-actor` tag: `claude`. */
  actor: text,
  /** The developer's login name, unless the profile names another. */
  developer: text,
  cwd: text,
  /** The folder of the launcher's settings: a daemon that reads others refuses. */
  settings: optional(text),
  /** The folder of the launcher's state, likewise. */
  state: optional(text),
  overrides,
  /** The human's AWS variables and what locates their AWS files (HOME, PATH): only to find the base credentials. */
  source: record(string()),
  /** Whether a human is there to answer a question. */
  interactive: boolean,
  /** The launcher's own process: while it lives, it may come back for its session after a daemon's death. `started` is ProcessInfo's. */
  launcher: optional(object({ pid: number, started: string() })),
  /** Resolve and check, but hand out nothing and start no session. */
  dryRun: boolean,
  /** A session of a daemon that died: the same id, port and token, so that running SDK clients go on. */
  resume: optional(
    object({
      session: sessionId,
      port: optional(number),
      token: optional(string()),
      startedAt: number,
      /** How many fetches the launcher knew of: whether the agent holds keys is not forgotten. */
      fetches: optional(number),
      limitAt: number,
      isolation: optional(oneOf(isolationLevels)),
      pid: optional(number),
      started: optional(string()),
    }),
  ),
};

/** Launcher to daemon, over the lease. */
export const launcherMessage = message({
  open,
  /** The agent runs: the process to kill when this launcher can no longer do it. `started` is ProcessInfo's. */
  spawned: { pid: number, started: string(), isolation: oneOf(isolationLevels) },
  answer: { id: number, text: string() },
  /** The human confirmed the kill at this terminal. */
  kill: {},
  /** The human wants to sign in anew, asked at this terminal. */
  signIn: {},
  exited: { code: optional(number), signal: optional(text) },
  /** After `exited`: files of the project that were made or changed meanwhile and that run later. */
  left: { changed: list(text) },
});

export const stepNames = ["profile", "base", "assume", "gate", "restriction", "delivery"] as const;
export type StepName = (typeof stepNames)[number];

const step = {
  name: oneOf(stepNames),
  /** `warning`: it goes on, but the human should know. */
  state: oneOf(["ok", "warning"]),
  text: string(),
};

/** What the bar and `ps` show of a session. Instants are milliseconds since 1970. */
export const sessionView = object({
  session: sessionId,
  actor: string(),
  profile: string(),
  role: string(),
  account: string(),
  arn: string(),
  developer: string(),
  project: string(),
  delivery: oneOf(deliveries),
  isolation: oneOf(isolationLevels),
  onExpiry: oneOf(expiryActions),
  state: oneOf(["starting", "active", "ending", "ended"]),
  cause: optional(oneOf(causes)),
  startedAt: number,
  /** When the session ends, or, with `refresh`, when it is next renewed for another `ttl`. */
  limitAt: number,
  /** When it ends unless somebody gives more time, whatever is renewed until then. */
  endsAt: optional(number),
  credentialsExpireAt: number,
  fetches: number,
  /** A browser was signed in with its keys. */
  consoleOpened: optional(boolean),
  refreshes: number,
  /** What is wrong right now, in a few words: `refresh failing: sts unreachable`. */
  trouble: optional(string()),
  /** The base credentials are over, and the human can mend it by signing in anew. */
  signIn: optional(boolean),
  /** What holds for the whole session and the human should know: `restriction not verified: …`. */
  caveats: list(string()),
});

/** Comes first, so that the launcher can prepare the agent's place while the daemon talks to AWS. */
const plan = {
  session: sessionId,
  /** The session's folder in the runtime folder; readable inside the sandbox. */
  folder: string(),
  isolation: object({
    level: oneOf(isolationLevels),
    allow: list(string()),
    write: list(string()),
    hide: list(string()),
    nested: optional(boolean),
    network: optional(list(string())),
  }),
  /** Variables that the profile hands to the agent although they look like secrets. */
  pass: list(string()),
  graceMs: number,
  killKey: string(),
  notify: optional(oneOf(notifyChoices)),
};

/** Comes as soon as it is known, while AWS is asked: with it the agent's place can be made. Nothing is served at the port before `ready`. */
const environment = {
  /** As in `ready`. */
  childEnvironment: record(string()),
  port: optional(number),
};

const ready = {
  view: sessionView,
  /** Variables to set for the child on top of the cleaned environment; in `env` delivery these hold the keys. */
  childEnvironment: record(string()),
  port: optional(number),
  token: optional(string()),
};

/** How the revocation of a session stands on one role. Times are milliseconds since the cause of the end. */
export const revocation = object({
  /** ARN. */
  role: string(),
  /** `in-place`: the deny is written. `confirmed`: a call with the session's keys was denied by it. `unconfirmed`: written, but nobody saw it hold. */
  state: oneOf(["in-place", "confirmed", "unconfirmed", "failed"]),
  /** Name of the inline policy that denies the session. */
  policy: optional(string()),
  inPlaceMs: optional(number),
  confirmedMs: optional(number),
  /** The call that was made to see it: `ec2:DescribeRegions`. */
  canary: optional(string()),
  /** Why it is `unconfirmed` or `failed`, and what to do. */
  why: optional(string()),
  hint: optional(string()),
});

/** Daemon to launcher, over the lease. */
export const daemonMessage = message({
  step,
  plan,
  environment,
  /**
   * `mfa`: before launch, answered with the code. `passphrase`: likewise, and not shown. `sign-in`: over the
   * running agent, where to go and which code to confirm; any answer gives it up. `expiry` and `extend`: over the running agent, answered with minutes to add, `0` for none; `minutes` is
   * what somebody asked for.
   */
  ask: { id: number, kind: oneOf(questionKinds), prompt: string(), minutes: optional(number) },
  ready,
  status: { view: sessionView },
  /** How the sign-in that the human asked for has ended; what it asked is over. */
  signedIn: { problem: optional(string()) },
  /** Nothing is served any more: stop the agent now. */
  end: {
    cause: oneOf(causes),
    graceMs: number,
    /** The session's keys are being denied in IAM meanwhile. */
    revoking: optional(boolean),
  },
  /** How that proceeds; the last one for each role is also in `ended`. */
  revocation: { report: revocation },
  /** Everything is wiped. `notes` is what the human should know: keys valid until, what failed. */
  ended: { view: sessionView, notes: list(string()), revocations: optional(list(revocation)) },
  failed: { error: wireError },
});

export const stopRequest = object({
  /** Refuse with 409 when a session is there: what a newer launcher asks before it replaces the daemon. */
  onlyIdle: boolean,
});

export const stopReply = object({
  /** How many sessions were ended. */
  ended: number,
});

/** The part of a daemon's status that every protocol number keeps, so that any launcher can tell whom it met. */
export const hello = object({ protocol: number, version: string(), pid: number, sessions: list(anything) });

export const failure = object({ error: wireError });

export type LauncherMessage = Of<typeof launcherMessage>;
export type OpenMessage = Extract<LauncherMessage, { type: "open" }>;
export type DaemonMessage = Of<typeof daemonMessage>;
export type PlanMessage = Extract<DaemonMessage, { type: "plan" }>;
export type EnvironmentMessage = Extract<DaemonMessage, { type: "environment" }>;
export type ReadyMessage = Extract<DaemonMessage, { type: "ready" }>;
export type StepMessage = Extract<DaemonMessage, { type: "step" }>;
export type SessionView = Of<typeof sessionView>;
export type Overrides = Of<typeof overrides>;
export type WireError = Of<typeof wireError>;
export type RevocationReport = Of<typeof revocation>;
