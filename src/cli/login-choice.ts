// Lets the human pick an account and role of a sign-in by number, and prints what config.toml needs for it; writes nothing. Called by login.ts, in a terminal.

import type { ReadStream, WriteStream } from "node:tty";
import { oneLine } from "../core/printable.ts";
import { signInPlaceOf } from "../credentials/sources/order.ts";
import type { AccountRole } from "../credentials/sso/portal.ts";
import { readConfig } from "../session/profile.ts";
import { usableProfiles } from "./base-of.ts";
import type { Context } from "./command.ts";
import type { Named } from "./sign-in-place.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { table } from "./table.ts";

export const canAsk = ({ streams }: Context): boolean => streams.stdin.isTTY === true && streams.stderr.isTTY === true;

/** Whether base credentials of a profile come from there already, so that there is nothing to choose. Throws AgentRunError `config` or `profile`. */
export function isInUse({ startUrl }: Named, context: Context): boolean {
  const env = sourceEnvironment(context.env);
  return usableProfiles(context).some(
    ({ credentials, awsProfile }) => signInPlaceOf({ credentials, awsProfile, env })?.startUrl === startUrl,
  );
}

/** Shows the roles with numbers and asks for one until the answer is one of them, or nothing. Throws AgentRunError `usage` when it is cancelled. */
export async function chooseRole(roles: readonly AccountRole[], place: Named, context: Context): Promise<void> {
  const { print, streams } = context;
  const rows = roles.map(({ account, accountName, role }, index) => [String(index + 1), oneLine(accountName), account, role]);
  print.out(table([["#", "ACCOUNT", "ID", "ROLE"].map((text) => print.paint("bold", text)), ...rows]));
  const { askLine } = await import("../terminal/prompt.ts");
  for (;;) {
    const question = "agent-run: number of the role that your profile is to start from (Enter: none): ";
    const answer = (await askLine(streams.stdin as ReadStream, streams.stderr as WriteStream, question)).trim();
    if (answer === "") return;
    const chosen = /^\d+$/.test(answer) ? roles[Number(answer) - 1] : undefined;
    if (chosen) return show(chosen, place, context);
    print.note(`'${answer}' is none of 1 to ${roles.length}`);
  }
}

function show({ account, role }: AccountRole, place: Named, { paths, print }: Context): void {
  const config = readConfig(paths);
  const { sso = {} } = config;
  const known = place.name ?? Object.keys(sso).find((each) => sso[each]?.start_url === place.startUrl);
  const name = known ?? nameFor(place, Object.keys(sso));
  print.note("config.toml needs these lines; what has its heading there already goes under that one:");
  if (known === undefined)
    print.out(`[sso.${name}]\nstart_url = ${JSON.stringify(place.startUrl)}\nregion = ${JSON.stringify(place.region)}\n`);
  print.out(`[profiles.${config.profile ?? "readonly"}]\ncredentials = ${JSON.stringify(`sso:${name}/${account}/${role}`)}`);
}

/** `acme` of https://acme.awsapps.com/start, or the like of it that is free. */
function nameFor({ startUrl }: Named, taken: readonly string[]): string {
  const [host = ""] = new URL(startUrl).hostname.split(".");
  const name = /^[a-z][\w-]*$/i.test(host) ? host : "corp";
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
