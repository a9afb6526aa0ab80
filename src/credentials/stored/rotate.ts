// Replaces a stored key pair by a new one in IAM. Wherever it is cut off, what is stored works, and the next rotation goes on from there. Called by the
// credentials command.
import { type Connection, iamClient, stsClient } from "../../aws/client.ts";
import { callerIdentity, refuseRoot } from "../../aws/identity.ts";
import { type UserKey, type UserKeys, userKeys } from "../../aws/user-keys.ts";
import { sleep, systemClock } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { credentialsOf, type KeyPair, type StoredKeys } from "./keys.ts";

export interface RotateRequest {
  readonly read: () => Promise<StoredKeys>;
  readonly write: (keys: StoredKeys) => Promise<void>;
  readonly connection: Connection;
  /** Each step, once it is done. */
  readonly say: (text: string) => void;
  /** How long a new key may take until every part of AWS knows it. */
  readonly patienceMs?: number;
}

/** New keys are known after seconds (IAM user guide, "eventual consistency"). */
const PATIENCE_MS = 60_000;
const LOOK_MS = 1000;
const MADE_WITHIN_MS = 120_000;

/**
 * Makes a key with the old one and stores it beside that; uses it once STS knows it; then switches the old one off and deletes it. Gives what is stored at
 * the end.
 * @throws AgentRunError with what is left to do; what is stored works then
 */
export async function rotate(request: RotateRequest): Promise<StoredKeys> {
  const stored = await request.read();
  if (stored.previous !== undefined) return retire(stored, request);
  const { next, ...rest } = stored;
  const keys = await keysWith(stored, request);
  const there = await keys.list();
  const made = next !== undefined && there.some(({ accessKeyId }) => accessKeyId === next.accessKeyId);
  return retire(await takeNext(made ? stored : await makeNext(rest, keys, there, request), request), request);
}

async function makeNext(stored: StoredKeys, keys: UserKeys, there: readonly UserKey[], request: RotateRequest): Promise<StoredKeys> {
  const { say, write } = request;
  const lost = there.filter((key) => isLost(key, stored));
  for (const { accessKeyId } of lost) {
    // Its secret was lost with the rotation that made it, so nobody can have used it; if somebody has, it is not that one.
    if (await keys.wasUsed(accessKeyId)) continue;
    await keys.remove(accessKeyId);
    say(`deleted ${accessKeyId}, which a rotation that was cut off had made and nobody used`);
  }
  const left = lost.length > 0 ? await keys.list() : there;
  const other = left.find(({ accessKeyId }) => accessKeyId !== stored.accessKeyId);
  if (other !== undefined) {
    throw new AgentRunError("base-credentials", `the user has a second key, ${other.accessKeyId}, and AWS allows two`, {
      hint: `see who uses it, then: aws iam delete-access-key --access-key-id ${other.accessKeyId}`,
    });
  }
  // Written down before it is made: a key that is there beside these soon after is ours.
  await write({ ...stored, rotating: { at: systemClock.now(), keys: left.map(({ accessKeyId }) => accessKeyId) } });
  const { rotating: _, ...unmarked } = stored;
  let next: KeyPair;
  try {
    next = await keys.create();
  } catch (error) {
    await write(unmarked);
    throw error;
  }
  const withNext = { ...unmarked, next };
  await write(withNext);
  say(`made ${next.accessKeyId} and stored it beside ${stored.accessKeyId}`);
  return withNext;
}

/** Made by the rotation that left its mark, within what a call and two clocks may differ by. */
function isLost({ accessKeyId, createdAt }: UserKey, { rotating }: StoredKeys): boolean {
  return rotating !== undefined && !rotating.keys.includes(accessKeyId) && Math.abs(createdAt - rotating.at) < MADE_WITHIN_MS;
}

async function takeNext(stored: StoredKeys, request: RotateRequest): Promise<StoredKeys> {
  const { next } = stored;
  if (next === undefined) return stored;
  const arn = await verified(next, request);
  if (stored.arn !== undefined && stored.arn !== arn) {
    throw new AgentRunError("identity", `the new key belongs to ${arn}, not to ${stored.arn}`, { hint: "agent-run credentials list" });
  }
  const taken: StoredKeys = { accessKeyId: next.accessKeyId, secretAccessKey: next.secretAccessKey, arn, previous: stored.accessKeyId };
  await request.write(taken);
  request.say(`${next.accessKeyId} works (${arn}) and is used from now on`);
  return taken;
}

async function retire(stored: StoredKeys, request: RotateRequest): Promise<StoredKeys> {
  const { previous } = stored;
  if (previous === undefined) return stored;
  const keys = await keysWith(stored, request);
  if ((await patiently(request, () => keys.list())).some(({ accessKeyId }) => accessKeyId === previous)) {
    await keys.deactivate(previous);
    // With the old one off, what is stored must still work: only then it is deleted.
    await verified(stored, request);
    await keys.remove(previous);
  }
  const clean: StoredKeys = { accessKeyId: stored.accessKeyId, secretAccessKey: stored.secretAccessKey, arn: stored.arn };
  await request.write(clean);
  request.say(`switched off and deleted ${previous}`);
  return clean;
}

const keysWith = async (pair: KeyPair, { connection }: RotateRequest): Promise<UserKeys> =>
  userKeys(await iamClient(connection, credentialsOf(pair)));

/** The ARN of the user that the pair belongs to, once STS knows it. */
const verified = (pair: KeyPair, request: RotateRequest): Promise<string> =>
  patiently(request, async () => {
    const identity = await callerIdentity(await stsClient(request.connection, credentialsOf(pair)));
    refuseRoot(identity);
    return identity.arn;
  });

/** A new key is not known everywhere at once. */
async function patiently<Answer>({ patienceMs = PATIENCE_MS }: RotateRequest, run: () => Promise<Answer>): Promise<Answer> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (performance.now() > until || !(error instanceof AgentRunError) || error.code !== "base-credentials") throw error;
      await sleep(LOOK_MS);
    }
  }
}
