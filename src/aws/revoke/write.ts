// Carries a plan out on one role in IAM. Called by revoke.ts and prune.ts. What two writers do at the same time is argued in plan.ts.
import { randomBytes } from "node:crypto";
import type { IAMClient } from "@aws-sdk/client-iam";
import { type Clock, sleep } from "../../core/clock.ts";
import { readFailure } from "../failure.ts";
import { type Entry, readDeny, singleDocument, singleName } from "./deny.ts";
import { type InlinePolicy, type Plan, planPrune, planRevocation, planRevokeAll, type Step } from "./plan.ts";

/** The inline policies of one role, as IAM gives and takes them. Each call throws what the SDK throws. */
export interface RolePolicies {
  /** The same for every editor of the role in this process. */
  readonly key: string;
  list(): Promise<InlinePolicy[]>;
  put(name: string, document: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** How often a full role is read anew because somebody else took the room that was planned with. */
const MOST_PLANS = 8;
/** How often a call is repeated that IAM refused for its own reasons. */
const MOST_TRIES = 6;
const FIRST_PAUSE_MS = 200;
const TRANSIENT = /^(ConcurrentModification|Throttl|TooManyRequests|RequestLimitExceeded|ServiceFailure)/;

/** By the SDK, patient with what IAM refuses for its own reasons; a policy that is gone by now counts as none. */
export function rolePolicies(iam: IAMClient, roleArn: string): RolePolicies {
  const RoleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  const read = async (PolicyName: string): Promise<InlinePolicy[]> => {
    const { GetRolePolicyCommand } = await import("@aws-sdk/client-iam");
    try {
      const { PolicyDocument: text = "" } = await patiently(() => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName })));
      return [{ name: PolicyName, text: decodeURIComponent(text) }];
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  };
  return {
    key: roleArn,
    async list() {
      const { ListRolePoliciesCommand } = await import("@aws-sdk/client-iam");
      const names: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await patiently(() => iam.send(new ListRolePoliciesCommand({ RoleName, Marker })));
        names.push(...(page.PolicyNames ?? []));
        Marker = page.IsTruncated ? page.Marker : undefined;
      } while (Marker !== undefined);
      return (await Promise.all(names.map(read))).flat();
    },
    async put(PolicyName, PolicyDocument) {
      const { PutRolePolicyCommand } = await import("@aws-sdk/client-iam");
      await patiently(() => iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument })));
    },
    async delete(PolicyName) {
      const { DeleteRolePolicyCommand } = await import("@aws-sdk/client-iam");
      try {
        await patiently(() => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

/**
 * Denies a session: with a policy of its own where there is room, which takes one call and reads nothing; else by making room. Gives the name of the
 * policy that denies it, or undefined where the role is full of what others wrote.
 */
export async function denySession(role: RolePolicies, entry: Entry, clock: Clock): Promise<string | undefined> {
  try {
    await role.put(singleName(entry.session), singleDocument(entry));
    return singleName(entry.session);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  return await queueOf(role, clock).add(entry);
}

/** Denies every session of the role whose keys were issued until now. Gives the policy's name; undefined where even this finds no room. */
export async function denyAll(role: RolePolicies, until: number, clock: Clock): Promise<string | undefined> {
  // Keys that are issued while this is on its way, and a clock that is a little behind, are meant too.
  const before = clock.now() + 5000;
  for (let plans = 0; plans < MOST_PLANS; plans += 1) {
    const plan = planRevokeAll({ policies: await role.list(), now: clock.now(), nonce, before, until });
    if (plan.steps.length === 0 || !plan.steps.some(({ type }) => type === "put")) return undefined;
    const rest = await carryOut(role, plan, () => {});
    if (rest === "done") return plan.steps.findLast(({ type }) => type === "put")?.name;
    await pause(plans);
  }
  return undefined;
}

/** Removes what is over from a role. Gives the names of what was removed, and the sessions that what is left denies. */
export async function pruneRole(role: RolePolicies, clock: Clock): Promise<{ readonly removed: string[]; readonly denied: string[] }> {
  const policies = await role.list();
  const removed = planPrune({ policies, now: clock.now() }).steps.map(({ name }) => name);
  for (const name of removed) await role.delete(name);
  const denied = policies.flatMap(({ name, text }) => {
    const deny = removed.includes(name) ? undefined : readDeny(name, text);
    return deny?.kind === "sessions" ? deny.entries.map(({ session }) => session) : [];
  });
  return { removed, denied };
}

const nonce = (): string => randomBytes(4).toString("hex");

/** Whether all of it was done, or the quota stopped it because others have written meanwhile. */
async function carryOut(
  role: RolePolicies,
  plan: Plan,
  before: (step: Step) => void,
  after?: (step: Step) => void,
): Promise<"done" | "full"> {
  for (const step of plan.steps) {
    before(step);
    try {
      if (step.type === "put") await role.put(step.name, step.document);
      else await role.delete(step.name);
    } catch (error) {
      if (isFull(error)) return "full";
      throw error;
    }
    after?.(step);
  }
  return "done";
}

interface Waiting extends PromiseWithResolvers<string | undefined> {
  readonly entry: Entry;
}

/** The sessions of this process that wait for room on one role. One plan at a time, for all that wait. */
class Queue {
  readonly #role: RolePolicies;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(role: RolePolicies, clock: Clock) {
    this.#role = role;
    this.#clock = clock;
  }

  get busy(): boolean {
    return this.#running;
  }

  add(entry: Entry): Promise<string | undefined> {
    const waiting: Waiting = { entry, ...Promise.withResolvers<string | undefined>() };
    this.#waiting.push(waiting);
    if (!this.#running) void this.#run();
    return waiting.promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#makeRoom(batch);
        for (const { resolve } of batch) resolve(undefined);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  /** Resolves each of the batch as soon as it is denied, and none twice: a promise knows only its first answer. */
  async #makeRoom(batch: readonly Waiting[]): Promise<void> {
    const wanted = batch.map(({ entry }) => entry);
    for (let plans = 0; plans < MOST_PLANS; plans += 1) {
      const policies = shuffled(await this.#role.list());
      const plan = planRevocation({ policies, wanted, now: this.#clock.now(), nonce });
      const texts = new Map(policies.map(({ name, text }) => [name, text]));
      const takeOver = ({ name }: Step): void => {
        const deny = readDeny(name, texts.get(name) ?? "");
        if (deny?.kind === "sessions") wanted.push(...deny.entries);
      };
      const tell = (step: Step): void => {
        if (step.type !== "put") return;
        for (const { entry, resolve } of batch) if (step.document.includes(entry.session)) resolve(step.name);
      };
      const outcome = await carryOut(this.#role, plan, takeOver, tell);
      if (outcome === "done" && plan.unmet.length === 0) {
        // What was denied by somebody else's policy already.
        for (const { entry, resolve } of batch) resolve(policies.find(({ text }) => text.includes(entry.session))?.name);
        return;
      }
      // Full of what others wrote: unless we owe an entry to somebody, there is nothing to wait for.
      if (outcome === "done" && plan.steps.length === 0 && wanted.length === batch.length) return;
      await pause(plans);
    }
  }
}

const queues = new Map<string, Queue>();

function queueOf(role: RolePolicies, clock: Clock): Queue {
  // The newest way to reach the role: an older one's credentials may have expired.
  const queue = new Queue(role, clock);
  const known = queues.get(role.key);
  if (known?.busy) return known;
  queues.set(role.key, queue);
  return queue;
}

const isFull = (error: unknown): boolean => /^LimitExceeded/.test(readFailure(error).name);
const isGone = (error: unknown): boolean => /^NoSuchEntity/.test(readFailure(error).name);

/** Repeats a call that IAM refused because of others' calls. */
async function patiently<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries === MOST_TRIES || !TRANSIENT.test(readFailure(error).name)) throw error;
      await pause(tries);
    }
  }
}

/** Longer each time, and never the same: two writers that met once should not meet again. */
function pause(times: number): Promise<void> {
  return sleep(FIRST_PAUSE_MS * 1.6 ** times * (0.5 + Math.random()));
}

/** Two writers that must overwrite a policy should not choose the same. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item);
}
