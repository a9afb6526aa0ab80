// The local cloud as a process of its own: one line of JSON on stdout says where it is, lines of JSON on stdin work its switches, and it ends when stdin does. Called by a hidden command.
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import * as z from "zod/mini";
import { messageOf } from "../core/error.ts";
import { type LocalCloud, startLocalCloud } from "./cloud.ts";
import type { LocalCloudHello } from "./hello.ts";
import { settings } from "./switches.ts";

/**
 * One command a line; each is answered by one line, `{"ok":true,…}` or `{"ok":false,"error":"…"}`:
 * - `{"command":"apply","settings":{…}}`: changes switches (`Settings` of switches.ts), such as
 *   `{"faults":[{"operation":"sts:*","end":"close"}]}` for STS down, `{"faults":[]}` for all well again,
 *   `{"credentialSeconds":3}`, `{"propagationSeconds":4}`
 * - `{"command":"calls"}`: gives `calls`, the number of requests by operation
 * - `{"command":"events"}`: gives `events`, a CloudTrail record for each call, oldest first
 * - `{"command":"secrets"}`: gives `secrets`, every secret key and session token issued so far, for a search for leaks
 * - `{"command":"keys","user":"dev"}`: gives `accessKeyId` and `secretAccessKey` of a user of the seed, or of `root`
 */
const command = z.discriminatedUnion("command", [
  z.strictObject({ command: z.literal("apply"), settings }),
  z.strictObject({ command: z.literal("calls") }),
  z.strictObject({ command: z.literal("events") }),
  z.strictObject({ command: z.literal("secrets") }),
  z.strictObject({ command: z.literal("keys"), user: z.string() }),
]);

export type SwitchCommand = z.infer<typeof command>;

/**
 * Runs the local cloud until `input` ends.
 * @throws AgentRunError as `startLocalCloud`
 */
export async function serveLocalCloud(input: Readable, output: Writable): Promise<void> {
  await using cloud = await startLocalCloud();
  const { url, port, account, region, admin } = cloud;
  const hello: LocalCloudHello = { url, port, account, region, roleArn: cloud.roleArn(), ...admin };
  const say = (value: unknown): void => void output.write(`${JSON.stringify(value)}\n`);
  const lines = createInterface({ input });
  const over = once(lines, "close");
  lines.on("line", (line) => say(obey(cloud, line)));
  // Who started it died. A destroyed input would close no `lines`.
  output.on("error", () => lines.close());
  say(hello);
  await over;
}

function obey(cloud: LocalCloud, line: string): Record<string, unknown> {
  try {
    const parsed = command.safeParse(JSON.parse(line));
    if (!parsed.success) return { ok: false, error: z.prettifyError(parsed.error) };
    return { ok: true, ...carryOut(cloud, parsed.data) };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}

function carryOut(cloud: LocalCloud, wish: SwitchCommand): Record<string, unknown> {
  switch (wish.command) {
    case "apply":
      cloud.switches.apply(wish.settings);
      return {};
    case "calls":
      return { calls: cloud.switches.allCalls() };
    case "events":
      return { events: cloud.events().map((entry) => entry.record) };
    case "secrets":
      return { secrets: cloud.issuedSecrets() };
    case "keys":
      return { ...cloud.keys(wish.user) };
  }
}
