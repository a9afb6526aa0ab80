// `agent-run logout`: ends a sign-in at IAM Identity Center, and takes it out of keyring and memory; MFA codes hold no longer.
import { readFailure } from "../aws/failure.ts";
import { AgentRunError } from "../core/error.ts";
import { signOut } from "../credentials/sso/portal.ts";
import { openSessionStore } from "../credentials/sso/session-store.ts";
import { endSignInOfDaemon, forgetMfaOfDaemon, statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { forgottenText } from "./mfa-lines.ts";
import { placeOf } from "./sign-in-place.ts";
import { sourceEnvironment } from "./source-environment.ts";

export const logout: Command = {
  name: "logout",
  outside: true,
  usage: "logout [<name>] [--all]",
  summary: "end a sign-in at IAM Identity Center, and what an MFA code opened",
  description:
    "Tells Identity Center that the session is over, and removes it from the keyring and from the daemon's memory. Without a name\n" +
    "and with --all the daemon also forgets what MFA codes opened, so that the next launch asks for one. Role sessions that were\n" +
    "opened with it go on to their own end; agent-run kill ends those. What aws sso login keeps is not touched.",
  options: [
    { name: "all", help: "every sign-in that agent-run keeps" },
    { name: "aws-profile", value: "<name>", help: "the one that this AWS profile uses" },
    { name: "start-url", value: "<url>", help: "the one at this start url; with --sso-region" },
    { name: "sso-region", value: "<region>", help: "the region of Identity Center" },
  ],
  examples: [
    ["agent-run logout", "the sign-in of your profile, or the only one"],
    ["agent-run logout --all", "all of them"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "logout");
    const { print, paths, env } = context;
    const kept = openSessionStore(env, paths.state)
      .places()
      .map(({ startUrl }) => startUrl);
    const inMemory = (await statusOf(paths))?.signIns ?? [];
    const all = [...new Set([...kept, ...inMemory])];
    const [only] = all;
    const named = words.length > 0 || values["aws-profile"] !== undefined || values["start-url"] !== undefined;
    const devices = named ? [] : await forgetMfaOfDaemon(paths);
    for (const device of devices) print.note(forgottenText(device));
    const wanted =
      values["all"] === true || (all.length === 0 && !named)
        ? all
        : only !== undefined && all.length === 1 && !named
          ? [only]
          : [placeOf(words[0], values, context).startUrl];
    let ended = devices.length;
    for (const startUrl of wanted) if (await end(startUrl, context)) ended += 1;
    if (ended === 0)
      print.note(named ? "agent-run keeps no such sign-in" : "agent-run keeps no sign-in; that of the AWS CLI ends with aws sso logout");
    return ended > 0 || values["all"] === true ? 0 : 1;
  },
};

async function end(startUrl: string, context: Context): Promise<boolean> {
  const { print, paths, env } = context;
  const store = openSessionStore(env, paths.state);
  // Where it cannot be read, Identity Center cannot be told, but it is removed all the same.
  const session = await store.read(startUrl).catch((error: unknown) => {
    if (error instanceof AgentRunError && error.code === "keyring") throw error;
    return undefined;
  });
  if (session) {
    await signOut(session, sourceEnvironment(env)).catch((error: unknown) =>
      print.warn(`identity center was not told, so the session lives there until it expires: ${readFailure(error).name}`),
    );
  }
  const noted = store.places().some((place) => place.startUrl === startUrl);
  const wasKept = noted && (await store.remove(startUrl));
  const wasInMemory = await endSignInOfDaemon(context, startUrl);
  if (wasKept || wasInMemory) print.note(`signed out at ${startUrl}`);
  return wasKept || wasInMemory;
}
