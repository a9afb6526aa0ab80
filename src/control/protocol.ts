// What launcher and daemon say to each other over the control socket: the schemas, checked on both sides. docs/protocol.md explains the order.
import * as z from "zod/mini";
import { errorCodes } from "../core/error.ts";

/** Raised whenever an older peer would misread a message. A daemon answers a launcher of its own number only. */
export const PROTOCOL = 1;

/** The `Upgrade` token of the lease: after `101` both sides send one JSON message a line. */
export const LEASE_UPGRADE = "agent-run-lease";

/** The only `Host` that the control socket answers: a page in a browser that found a way to it names another. */
export const CONTROL_HOST = "agent-run";

/** Request and response headers that carry the two sides' version and `PROTOCOL`. */
export const VERSION_HEADER = "agent-run-version";
export const PROTOCOL_HEADER = "agent-run-protocol";
/** Response header with the daemon's process id. */
export const PID_HEADER = "agent-run-pid";

/** A line longer than this is refused, so that neither side can fill the other's memory. */
export const LONGEST_LINE = 1_048_576;

// Building a schema costs a launcher's start time, 8 ms for all of them: each is built at its first use, and only then.
const once = <T>(build: () => T): (() => T) => {
  let built: T | undefined;
  return () => {
    built ??= build();
    return built;
  };
};

const sessionId = once(() => z.string().check(z.regex(/^sess_[0-9a-f]{8}$/)));
const text = once(() => z.string().check(z.maxLength(4096)));

export const deliveries = ["endpoint", "process", "env"] as const;
export const expiryActions = ["refresh", "stop", "ask"] as const;
export const isolationLevels = ["strict", "standard", "none"] as const;
export const causes = ["exited", "killed", "expired", "lost", "failed"] as const;

export type Delivery = (typeof deliveries)[number];
export type ExpiryAction = (typeof expiryActions)[number];
export type IsolationLevel = (typeof isolationLevels)[number];
/** Why a session ended; the first cause wins. */
export type Cause = (typeof causes)[number];

const wireError = once(() =>
  z.object({
    code: z.enum(errorCodes),
    message: z.string(),
    hint: z.optional(z.string()),
    exitStatus: z.number(),
  }),
);

/** What the human asked for on the command line; absent means: as the profile says. Durations are milliseconds. */
const overrides = once(() =>
  z.object({
    profile: z.optional(text()),
    role: z.optional(text()),
    awsProfile: z.optional(text()),
    region: z.optional(text()),
    endpointUrl: z.optional(text()),
    ttl: z.optional(z.number().check(z.minimum(1000))),
    onExpiry: z.optional(z.enum(expiryActions)),
    delivery: z.optional(z.enum(deliveries)),
    isolation: z.optional(z.enum(isolationLevels)),
    task: z.optional(text()),
    project: z.optional(text()),
    tags: z.optional(z.record(z.string(), text())),
  }),
);

const open = once(() =>
  z.object({
    type: z.literal("open"),
    /** The agent's short name, the `agent-actor` tag: `claude`. */
    actor: text(),
    /** The developer's login name, unless the profile names another. */
    developer: text(),
    cwd: text(),
    overrides: overrides(),
    /** The human's AWS variables and what locates their AWS files (HOME, PATH): only to find the base credentials. */
    source: z.record(z.string(), z.string()),
    /** Whether a human is there to answer a question. */
    interactive: z.boolean(),
    /** Resolve and check, but hand out nothing and start no session. */
    dryRun: z.boolean(),
    /** A session of a daemon that died: the same id, port and token, so that running SDK clients go on. */
    resume: z.optional(
      z.object({
        session: sessionId(),
        port: z.optional(z.number()),
        token: z.optional(z.string()),
        startedAt: z.number(),
        /** How many fetches the launcher knew of: whether the agent holds keys is not forgotten. */
        fetches: z.optional(z.number()),
        limitAt: z.number(),
        isolation: z.optional(z.enum(isolationLevels)),
        pid: z.optional(z.number()),
        started: z.optional(z.string()),
      }),
    ),
  }),
);

/** Launcher to daemon, over the lease. */
export const launcherMessage = z.lazy(() =>
  z.discriminatedUnion("type", [
    open(),
    /** The agent runs: the process to kill when this launcher can no longer do it. `started` is ProcessInfo's. */
    z.object({ type: z.literal("spawned"), pid: z.number(), started: z.string(), isolation: z.enum(isolationLevels) }),
    z.object({ type: z.literal("answer"), id: z.number(), text: z.string() }),
    /** The human confirmed the kill at this terminal. */
    z.object({ type: z.literal("kill") }),
    z.object({ type: z.literal("exited"), code: z.optional(z.number()), signal: z.optional(text()) }),
  ]),
);

export const stepNames = ["profile", "base", "assume", "gate", "restriction", "delivery"] as const;
export type StepName = (typeof stepNames)[number];

const step = once(() =>
  z.object({
    type: z.literal("step"),
    name: z.enum(stepNames),
    /** `warning`: it goes on, but the human should know. */
    state: z.enum(["ok", "warning"]),
    text: z.string(),
  }),
);

/** What the bar and `ps` show of a session. Instants are milliseconds since 1970. */
const sessionView = once(() =>
  z.object({
    session: sessionId(),
    actor: z.string(),
    profile: z.string(),
    role: z.string(),
    account: z.string(),
    arn: z.string(),
    developer: z.string(),
    project: z.string(),
    delivery: z.enum(deliveries),
    isolation: z.enum(isolationLevels),
    onExpiry: z.enum(expiryActions),
    state: z.enum(["starting", "active", "ending", "ended"]),
    cause: z.optional(z.enum(causes)),
    startedAt: z.number(),
    /** When the session ends, or, with `refresh`, when it is next renewed for another `ttl`. */
    limitAt: z.number(),
    credentialsExpireAt: z.number(),
    fetches: z.number(),
    refreshes: z.number(),
    /** What is wrong right now, in a few words: `refresh failing: sts unreachable`. */
    trouble: z.optional(z.string()),
    /** What holds for the whole session and the human should know: `restriction not verified: …`. */
    caveats: z.array(z.string()),
  }),
);

/** Comes first, so that the launcher can prepare the agent's place while the daemon talks to AWS. */
const plan = once(() =>
  z.object({
    type: z.literal("plan"),
    session: sessionId(),
    /** The session's folder in the runtime folder; readable inside the sandbox. */
    folder: z.string(),
    isolation: z.object({
      level: z.enum(isolationLevels),
      allow: z.array(z.string()),
      write: z.array(z.string()),
      hide: z.array(z.string()),
    }),
    /** Variables that the profile hands to the agent although they look like secrets. */
    pass: z.array(z.string()),
    graceMs: z.number(),
    killKey: z.string(),
  }),
);

const ready = once(() =>
  z.object({
    type: z.literal("ready"),
    view: sessionView(),
    /** Variables to set for the child on top of the cleaned environment; in `env` delivery these hold the keys. */
    childEnvironment: z.record(z.string(), z.string()),
    port: z.optional(z.number()),
    token: z.optional(z.string()),
  }),
);

/** Daemon to launcher, over the lease. */
export const daemonMessage = z.lazy(() =>
  z.discriminatedUnion("type", [
    step(),
    plan(),
    /** `mfa`: before launch, answered with the code. `expiry`: over the running agent, answered with minutes to add, or `0` to let it end. */
    z.object({ type: z.literal("ask"), id: z.number(), kind: z.enum(["mfa", "expiry"]), prompt: z.string() }),
    ready(),
    z.object({ type: z.literal("status"), view: sessionView() }),
    /** Nothing is served any more: stop the agent now. */
    z.object({ type: z.literal("end"), cause: z.enum(causes), graceMs: z.number() }),
    /** Everything is wiped. `notes` is what the human should know: keys valid until, what failed. */
    z.object({ type: z.literal("ended"), view: sessionView(), notes: z.array(z.string()) }),
    z.object({ type: z.literal("failed"), error: wireError() }),
  ]),
);

export const daemonStatus = z.lazy(() =>
  z.object({
    protocol: z.number(),
    version: z.string(),
    pid: z.number(),
    startedAt: z.number(),
    sessions: z.array(sessionView()),
  }),
);

export const killRequest = z.lazy(() =>
  z.object({
    /** A session id, or `all`. */
    session: z.string(),
  }),
);

export const killReply = z.lazy(() =>
  z.object({
    killed: z.array(
      z.object({
        session: sessionId(),
        endpointClosedMs: z.number(),
        agentGoneMs: z.optional(z.number()),
        /** Until when keys that the agent has fetched stay valid at AWS; absent where it has none. */
        keysExpireAt: z.optional(z.number()),
        notes: z.array(z.string()),
      }),
    ),
  }),
);

export const stopRequest = z.lazy(() =>
  z.object({
    /** Refuse with 409 when a session is there: what a newer launcher asks before it replaces the daemon. */
    onlyIdle: z.boolean(),
  }),
);

export const stopReply = z.lazy(() =>
  z.object({
    /** How many sessions were ended. */
    ended: z.number(),
  }),
);

/** The part of `daemonStatus` that every protocol number keeps, so that any launcher can tell whom it met. */
export const hello = z.lazy(() => z.object({ protocol: z.number(), version: z.string(), pid: z.number(), sessions: z.array(z.unknown()) }));

export const failure = z.lazy(() => z.object({ error: wireError() }));

export type LauncherMessage = z.infer<typeof launcherMessage>;
export type OpenMessage = z.infer<ReturnType<typeof open>>;
export type DaemonMessage = z.infer<typeof daemonMessage>;
export type PlanMessage = z.infer<ReturnType<typeof plan>>;
export type ReadyMessage = z.infer<ReturnType<typeof ready>>;
export type StepMessage = z.infer<ReturnType<typeof step>>;
export type SessionView = z.infer<ReturnType<typeof sessionView>>;
export type Overrides = z.infer<ReturnType<typeof overrides>>;
export type WireError = z.infer<ReturnType<typeof wireError>>;
export type DaemonStatus = z.infer<typeof daemonStatus>;
export type KillReply = z.infer<typeof killReply>;
