// `agent-run login`: signs in at IAM Identity Center, with the browser or a code, and keeps the session in the keyring, never in ~/.aws.
import { systemClock } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { signIns } from "../credentials/sources.ts";
import { signInByBrowser } from "../credentials/sso/browser.ts";
import { signInByDevice } from "../credentials/sso/device.ts";
import { Oidc } from "../credentials/sso/oidc.ts";
import { type AccountRole, listRoles } from "../credentials/sso/portal.ts";
import { type SsoSession, sessionText } from "../credentials/sso/session.ts";
import { openSessionStore } from "../credentials/sso/session-store.ts";
import { KEYRING_NAME } from "../credentials/stored/keyring.ts";
import { giveSignInToDaemon, tellDaemonToForget } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { canAsk, chooseRole, isInUse } from "./login-choice.ts";
import { hasBrowser, openBrowser } from "./open-browser.ts";
import { type Named, placeOf } from "./sign-in-place.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { table } from "./table.ts";

export const login: Command = {
  name: "login",
  outside: true,
  usage: "login [<name>] [--device] [--list]",
  summary: "sign in at IAM Identity Center (SSO); the session is kept in the keyring",
  description:
    "Signs in with this machine's browser, or with a code that you confirm on any device where there is none (--device, over\n" +
    "SSH, without a display). The session is kept in the system keyring and renewed by the daemon; without a keyring it lives\n" +
    "in the daemon's memory, which is said. ~/.aws is not written; AWS profiles with SSO use it all the same.\n" +
    "A session that is still valid is kept, unless --force is given. In a terminal, where none of your profiles starts\n" +
    "from there yet, it then lets you choose an account and role, and prints what config.toml needs; it writes nothing.",
  options: [
    { name: "aws-profile", value: "<name>", help: "sign in where this AWS profile says" },
    { name: "start-url", value: "<url>", help: "sign in there; with --sso-region" },
    { name: "sso-region", value: "<region>", help: "the region of Identity Center" },
    { name: "device", help: "with a code, not with a browser here" },
    { name: "list", help: "then list the accounts and roles that it opens" },
    { name: "force", help: "sign in anew, though a session is valid" },
    { name: "json", help: "with --list: as JSON" },
  ],
  examples: [
    ["agent-run login --aws-profile dev", "in place of aws sso login --profile dev"],
    ["agent-run login --start-url https://a.awsapps.com/start --sso-region us-east-1", "with no settings at all"],
    ["agent-run login corp --device", "[sso.corp] of config.toml, with a code"],
    ["agent-run login corp --list", "and what you may use there"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "login");
    const { print, paths, env } = context;
    const place = placeOf(words[0], values, context);
    const source = sourceEnvironment(env);
    const known = values["force"] === true ? undefined : await signIns.find(place, env, paths.state).catch(() => undefined);
    const session = known ?? (await signIn(place, values["device"] === true, context));
    if (known) print.note(`you are signed in at ${place.startUrl} already, ${lasting(known)}; --force signs in anew`);
    else {
      const where = await keep(session, context);
      print.note(`signed in at ${place.startUrl}, ${lasting(session)}; ${where}`);
    }
    if (values["list"] === true) await list(await listRoles(session, source), session, place, values["json"] === true, context);
    else if (canAsk(context) && values["aws-profile"] === undefined) await offer(session, place, source, context);
    return 0;
  },
};

const lasting = ({ renewal, expiresAt }: SsoSession): string =>
  renewal === undefined ? `for ${formatSpan(expiresAt - systemClock.now())}` : "renewed for as long as Identity Center lets it";

function signIn(place: Named, device: boolean, context: Context): Promise<SsoSession> {
  const { env, print } = context;
  const oidc = new Oidc(place, sourceEnvironment(env), () => systemClock.now());
  if (device || !hasBrowser(env)) {
    return signInByDevice(
      oidc,
      ({ url, userCode, expiresAt }) => {
        print.note(`open ${url}`);
        print.note(`and confirm the code ${userCode}, within ${formatSpan(expiresAt - systemClock.now())}`);
      },
      () => systemClock.now(),
    );
  }
  return signInByBrowser(oidc, (url) => {
    print.note("your browser should open; where it does not, open this yourself:");
    print.note(url);
    openBrowser(url, env);
  });
}

/** Gives where it is kept, for the human. */
async function keep(session: SsoSession, context: Context): Promise<string> {
  const { paths, env } = context;
  try {
    await openSessionStore(env, paths.state).write(session);
    // It is kept: a daemon that is too busy to hear of it has its own sign-in until then.
    await tellDaemonToForget(paths, session.startUrl).catch((error: unknown) =>
      context.print.warn(`the daemon may go on with what it knew before: ${messageOf(error)}; agent-run daemon stop helps`),
    );
    return `kept in the keyring (${KEYRING_NAME})`;
  } catch (error) {
    if (!(error instanceof AgentRunError) || (error.code !== "keyring" && error.code !== "state-folder")) throw error;
    const text = sessionText(session);
    await giveSignInToDaemon(context, text.reveal());
    text.wipe();
    context.print.warn(`it cannot be kept in the keyring: ${messageOf(error)}`);
    return "kept in the daemon's memory only: gone when the daemon leaves, or the machine restarts";
  }
}

/** What goes wrong here does not undo the sign-in. */
async function offer(session: SsoSession, place: Named, env: Record<string, string>, context: Context): Promise<void> {
  try {
    if (isInUse(place, context)) return;
    const roles = await listRoles(session, env);
    if (roles.length > 0) await chooseRole(roles, place, context);
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    context.print.warn(`no role was chosen: ${error.message}`);
  }
}

async function list(roles: readonly AccountRole[], session: SsoSession, { name }: Named, json: boolean, { print }: Context): Promise<void> {
  if (json) return print.json(roles);
  if (roles.length === 0) return print.note("it opens no account: ask for an assignment");
  const rows = roles.map(({ account, accountName, role }) => [
    oneLine(accountName),
    account,
    role,
    `sso:${name ?? "<name>"}/${account}/${role}`,
  ]);
  print.out(table([["ACCOUNT", "ID", "ROLE", "CREDENTIALS ="].map((text) => print.paint("bold", text)), ...rows]));
  const section = name === undefined ? `[sso.<name>] with start_url = "${session.startUrl}" and region = "${session.region}", and ` : "";
  print.note(`to use one, config.toml needs ${section}credentials under [profiles.<profile>]`);
}
