// What the agent can reach, as a value: which paths are hidden, read-only, writable or empty inside, and why. Made by isolate.ts, printed by `env --explain`.
import type { IsolationLevel } from "../control/protocol.ts";
import { AgentRunError } from "../core/error.ts";
import type { Environment, Paths } from "../core/paths.ts";
import type { FileStandIn, Told } from "./agents.ts";
import { absolute, joined } from "./path.ts";
import { agentPlaces, planAgents, runningAgent } from "./plan-agents.ts";
import { checkAllowed, SESSION_KEYRING } from "./plan-allow.ts";
import { PlanBuilder } from "./plan-builder.ts";
import { cachePlaces } from "./plan-caches.ts";
import type { Facts, Place } from "./plan-facts.ts";
import { planProject } from "./plan-project.ts";
import { rootLeft, writableRoots } from "./plan-roots.ts";
import { planStores, storePlaces } from "./plan-stores.ts";
import { planStrict, planTools, strictPlaces } from "./plan-strict.ts";
import { forbidOwn, planOwn, planSystem } from "./plan-system.ts";

/**
 * `hidden`: not there, or empty and read-only. `assembled`: a folder that shows only the entries listed below it. `empty`: fresh and writable, gone at
 * the end. `link`: a symbolic link made anew.
 */
export type Access = "hidden" | "assembled" | "read-only" | "writable" | "empty" | "link";

export interface PlanEntry {
  /** Absolute, with links resolved. */
  readonly path: string;
  readonly access: Access;
  readonly kind: "folder" | "file";
  readonly reason: string;
  /** What is shown at `path`, where that is not `path` itself. */
  readonly source?: string;
  /** For `link`: its text. */
  readonly target?: string;
  /** What to make on the machine first when nothing is there, so that there is something to cover: removed again at the end if nobody used it. */
  readonly standIn?: "folder" | FileStandIn;
  /** It is there although what is around it is hidden: else what lies in hidden folders stays hidden, whoever asks. */
  readonly opens?: true;
  /** A mount of its own even where nothing changes: a mount point cannot be renamed away, and with it what it protects. */
  readonly pinned?: true;
}

export interface IsolationPlan {
  readonly level: IsolationLevel;
  /** Parents before children; the deeper entry wins. */
  readonly entries: readonly PlanEntry[];
  /** Linux namespaces of its own. */
  readonly namespaces: readonly string[];
  /** The session keyring of the kernel's: an empty one that is made for the run, or the human's. */
  readonly keyring: "fresh" | "yours";
  /** Abstract Unix sockets that are in reach: those of the sandbox, where the kernel can tell them apart, or the machine's too. */
  readonly abstractSockets: "own" | "yours";
  /** `shared`: the machine's. `own`: a loopback of its own, on which nothing answers but what the launcher serves there. */
  readonly network: "shared" | "own";
  /** With a network of its own: hosts that are reached all the same, by HTTPS through a forwarder. */
  readonly hosts: readonly string[];
  /** Whether a sandbox may start inside: a browser's, an agent's own. */
  readonly nested: boolean;
  /** The current folder inside. */
  readonly cwd: string;
  /** What the human should know, each a short sentence without a full stop. */
  readonly notes: readonly string[];
  /** The same, said at each launch too. */
  readonly warnings: readonly string[];
  /** Files of the agent's own state that count in later sessions too: looked at when the run is over. Absolute paths. */
  readonly told: readonly Told[];
  /** As it is now it is again when the run is over: see put-back.ts. */
  readonly kept: readonly Kept[];
}

/** A place in a folder that agents write which no mount of bubblewrap's holds: a link of the human's, or nothing where a stand-in would be in the way. */
export interface Kept {
  readonly path: string;
  /** The folder around it that agents write, which is a mount point. */
  readonly folder: string;
  /** The link's text; absent where nothing is there. */
  readonly target?: string;
}

export interface IsolationInput {
  readonly level: IsolationLevel;
  readonly platform: NodeJS.Platform;
  /** The home folder, links resolved. */
  readonly home: string;
  /** That, and the one of the user database where it differs. */
  readonly homes: readonly string[];
  readonly uid: number;
  /** The project folder: the git root around the current folder, or that folder. */
  readonly project: string;
  readonly cwd: string;
  /** The command's short name: `claude`. */
  readonly agent: string;
  readonly paths: Paths;
  /** Our own installed program. */
  readonly packageFolder: string;
  /** This session's folder in the runtime folder. */
  readonly sessionFolder: string | undefined;
  /** The human's environment: where XDG folders, stores and caches were moved to. */
  readonly env: Environment;
  /** Programs that must stay visible wherever they lie: the agent's first, then Node's. */
  readonly programs: readonly string[];
  readonly allow: readonly string[];
  readonly write: readonly string[];
  readonly hide: readonly string[];
  /** At strict: hosts to reach all the same. */
  readonly network?: readonly string[] | undefined;
  /** At strict: let sandboxes start inside. At standard they may. */
  readonly nested?: boolean | undefined;
}

/** The paths whose state the plan needs: give them to `gatherFacts`. */
export function placesToLookAt(input: IsolationInput): Place[] {
  const own = [
    input.paths.config,
    input.paths.state,
    input.paths.runtime,
    input.packageFolder,
    ...(input.sessionFolder ? [input.sessionFolder] : []),
  ];
  const named = [...input.write, ...input.hide].map((text) => absolute(text, input.home, input.cwd));
  const system = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/run/current-system", "/run/booted-system", "/run/opengl-driver", "/run/host"];
  const tools = [...(input.env["PATH"] ?? "").split(":"), ...input.programs].filter((path) => path.startsWith("/"));
  const located = ["XDG_RUNTIME_DIR", "TMPDIR", ...CERTIFICATES]
    .flatMap((name) => input.env[name] ?? [])
    .filter((path) => path.startsWith("/"));
  const shown = [...tools, ...located].map((path) => ({ path, alone: true as const }));
  return [
    ...strictPlaces(input),
    ...storePlaces(input),
    ...agentPlaces(input),
    ...cachePlaces(input),
    ...[...own, ...named, ...system].map((path) => ({ path })),
    ...shown,
  ];
}

/** Variables that name certificate files; shown inside wherever they lie. */
export const CERTIFICATES = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
];

/**
 * The plan for a run. Pure: the same input and facts give the same plan.
 * @throws AgentRunError `config` for an unknown name or a refused path in allow, write or hide; `isolation` where the project lies in what must stay hidden
 */
export function planIsolation(input: IsolationInput, facts: Facts): IsolationPlan {
  if (input.level === "none") {
    return {
      level: "none",
      entries: [],
      namespaces: [],
      keyring: "yours",
      abstractSockets: "yours",
      network: "shared",
      hosts: [],
      nested: true,
      cwd: input.cwd,
      notes: ["not isolated: the agent can read every file and reach every socket that you can"],
      warnings: [],
      told: [],
      kept: [],
    };
  }
  for (const name of input.allow) checkAllowed(name);
  const builder = new PlanBuilder(facts);
  const strict = input.level === "strict";
  const hosts = input.network ?? [];
  const keyring = input.platform === "darwin" || input.allow.includes(SESSION_KEYRING) ? "yours" : "fresh";
  if (strict) planStrict(builder, input, facts);
  planSystem(builder, input, facts);
  forbidOwn(builder, input, facts);
  const roots = writableRoots(input, facts).filter(({ real }) => !builder.isTooWide(real));
  planStores(builder, input, facts, (path, real) => rootLeft(path, real, roots)?.path);
  planAgents(builder, input, facts);
  planOwn(builder, input, facts);
  planProject(builder, input, facts);
  if (strict) {
    planTools(builder, input, facts);
    const ownSandbox = runningAgent(input, facts)?.sandbox;
    if (ownSandbox !== undefined && input.nested !== true) {
      builder.warn(`${input.agent}'s own sandbox does not start in this one: switch it off (${ownSandbox}), or run with --allow-nested`);
    }
    if (hosts.length === 0) {
      builder.warn(
        `strict has no network: nothing answers but the session's own endpoint, so neither AWS nor a hosted model is in reach of ${input.agent}; isolation.network names hosts to reach all the same`,
      );
    } else if (input.platform !== "linux") {
      throw new AgentRunError("isolation", "isolation.network is not available on this system", {
        hint: "remove it, or run with --isolation standard",
      });
    } else builder.note(`hosts in reach, by HTTPS through a forwarder: ${hosts.join(", ")}`);
  }
  for (const text of input.hide) {
    const found = facts.found.get(absolute(text, input.home, input.cwd));
    if (!found) builder.warn(`isolation.hide: ${text} is not there`);
    else builder.hide(found, "you asked: isolation.hide", "never");
  }
  for (const home of strict ? [] : facts.homes) if (home !== "/") assemble(builder, facts, home, "home, to read");
  for (const folder of builder.parentsOfHiddenFiles()) {
    if (facts.listings.has(folder) && !facts.homes.includes(folder)) assemble(builder, facts, folder, "to read");
  }
  return {
    level: input.level,
    entries: builder.entries(),
    namespaces: input.platform === "darwin" ? [] : ["user", "mount", "pid", "ipc", "uts", "cgroup", ...(strict ? ["network"] : [])],
    keyring,
    // X clients ask for the server's abstract socket first, and give up where that is refused.
    abstractSockets: input.platform === "darwin" || input.allow.includes("desktop") ? "yours" : "own",
    network: strict ? "own" : "shared",
    hosts: strict ? hosts : [],
    nested: input.platform !== "darwin" && (!strict || input.nested === true),
    cwd: facts.cwd,
    notes: builder.notes,
    warnings: builder.warnings,
    told: builder.told.filter(({ path }) => builder.isWritable(path)),
    kept: builder.kept(),
  };
}

/**
 * Shows a folder entry by entry instead of as a whole, so that a hidden file is not there at all. Covering the file itself would not last: when the
 * human's own programs replace it by a rename, the kernel drops the cover (namespaces: a mount point that is removed elsewhere is unmounted here).
 */
function assemble(builder: PlanBuilder, facts: Facts, folder: string, reason: string): void {
  builder.put({ path: folder, access: "assembled", kind: "folder", reason });
  for (const child of facts.listings.get(folder) ?? []) {
    const path = joined(folder, child.name);
    if (builder.has(path)) continue;
    if (child.kind === "link") {
      if (!builder.hidesLink(path)) builder.put({ path, access: "link", kind: "file", target: child.target, reason });
    } else builder.put({ path, access: "read-only", kind: child.kind, reason });
  }
}
