// `agent-run credentials`: an IAM user's long-lived keys in the system keyring, or in a sealed file where there is none. Never in a file as they are.
import { stsClient } from "../aws/client.ts";
import { type CallerIdentity, callerIdentity, refuseRoot } from "../aws/identity.ts";
import { AgentRunError } from "../core/error.ts";
import { KEYRING_NAME } from "../credentials/stored/keyring.ts";
import { credentialsOf, type KeyPair } from "../credentials/stored/keys.ts";
import { rotate } from "../credentials/stored/rotate.ts";
import {
  described,
  openStores,
  type Reference,
  requireName,
  type StoreName,
  type Stores,
  storeNames,
} from "../credentials/stored/stores.ts";
import { forgetMfaOfDaemon, statusOf, tellDaemonToForget } from "./ask-daemon.ts";
import { choice } from "./choice.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { fromAwsVault, fromCredentialsFile } from "./import-keys.ts";
import { heldText } from "./mfa-lines.ts";
import { passphraseOnce, readKeyPair } from "./read-keys.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { table } from "./table.ts";

const FALLBACK_REGION = "us-east-1";

interface Work {
  readonly context: Context;
  readonly values: Values;
  readonly stores: Stores;
  /** Which store is meant; undefined: whichever has the name. */
  readonly store: StoreName | undefined;
  readonly fresh: (name: string) => Promise<void>;
}

const actions: Record<string, (name: string | undefined, work: Work) => Promise<number>> = {
  add: async (name, work) => add(named(name, "add"), () => readKeyPair(work.context, named(name, "add")), work),
  list: (name, work) => {
    if (name !== undefined) throw unexpected(name);
    return list(work);
  },
  remove: async (name, work) => remove(named(name, "remove"), work),
  rotate: async (name, work) => renew(named(name, "rotate"), work),
  import: importKeys,
};

export const credentials: Command = {
  name: "credentials",
  outside: true,
  usage: "credentials add|list|remove|rotate|import [<name>]",
  summary: "an IAM user's keys in the system keyring instead of ~/.aws",
  description:
    "Keeps long-lived keys (AKIA…) in the system keyring: the secret service on Linux, the keychain on macOS. They are typed at\n" +
    'the terminal, unseen, or come from stdin; never from the command line. A profile uses them with credentials = "keyring:<name>"\n' +
    "in config.toml. Where there is no keyring, --store file keeps them in a file that a passphrase seals (file:<name>).\n" +
    "A program of yours outside the sandbox can read an unlocked keyring as you can.",
  options: [
    { name: "store", value: "keyring|file", help: "where to keep them (default: keyring)" },
    { name: "replace", help: "with add or import: in place of what is there" },
    { name: "from-profile", value: "<name>", help: "with import: a profile of ~/.aws/credentials" },
    { name: "from-aws-vault", value: "<name>", help: "with import: a profile that aws-vault keeps in the keyring" },
    { name: "no-check", help: "with add or import: do not ask STS whose they are" },
    { name: "endpoint-url", value: "<url>", help: "ask this in place of AWS" },
    { name: "region", value: "<region>", help: "the region whose STS is asked" },
    { name: "json", help: "with list: as JSON" },
  ],
  examples: [
    ["agent-run credentials add dev", "asks for the keys and stores them as keyring:dev"],
    ["agent-run credentials import dev --from-profile dev", "takes them from ~/.aws/credentials"],
    ["agent-run credentials rotate dev", "new keys in IAM, the old ones deleted"],
    ["agent-run credentials list", "what is kept where"],
  ],
  async run(values, words, context) {
    atMost(words, 2, "credentials");
    const [word = "list", name] = words;
    const action = actions[word];
    if (!action)
      throw new AgentRunError("usage", `credentials knows no '${word}'`, {
        hint: "agent-run credentials add|list|remove|rotate|import",
        exitStatus: 2,
      });
    const passphrase = passphraseOnce(context);
    const stores = openStores(context.env, context.paths.state, { passphrase: passphrase.ask, keys: new Map() });
    return action(name, { context, values, stores, store: choice(values, "store", storeNames), fresh: passphrase.fresh });
  },
};

const unexpected = (word: string): AgentRunError =>
  new AgentRunError("usage", `unexpected argument '${word}'`, { hint: "agent-run credentials --help", exitStatus: 2 });

function named(name: string | undefined, action: string): string {
  if (name === undefined)
    throw new AgentRunError("usage", "which keys?", { hint: `agent-run credentials ${action} <name>`, exitStatus: 2 });
  return requireName(name);
}

async function add(name: string, keys: () => Promise<KeyPair>, work: Work): Promise<number> {
  const { context, values, stores, store = "keyring", fresh } = work;
  const to: Reference = { store, name };
  // Asked before the human types a secret: a keyring that does not answer is said first.
  if ((await stores.has(to)) && values["replace"] !== true) {
    throw new AgentRunError("usage", `there is a ${described(to)} already`, {
      hint: "pass --replace, or choose another name",
      exitStatus: 2,
    });
  }
  if (store === "file") await fresh(name);
  const pair = await keys();
  const identity = values["no-check"] === true ? undefined : await whoseAre(pair, work);
  await stores.write(to, { ...pair, arn: identity?.arn });
  await tellDaemonToForget(context.paths);
  context.print.note(`${pair.accessKeyId}${identity === undefined ? "" : ` of ${identity.arn}`} is kept in the ${described(to)}`);
  context.print.note(`a profile uses it with credentials = "${store}:${name}" under [profiles.<name>] in config.toml`);
  return 0;
}

async function whoseAre(pair: KeyPair, work: Work): Promise<CallerIdentity> {
  const identity = await callerIdentity(await stsClient(connectionOf(work), credentialsOf(pair)));
  refuseRoot(identity);
  return identity;
}

function connectionOf({ context, values }: Work) {
  const env = sourceEnvironment(context.env);
  const endpointUrl = textValue(values, "endpoint-url") ?? env["AWS_ENDPOINT_URL"];
  const region = textValue(values, "region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? FALLBACK_REGION;
  return { region, endpointUrl, env };
}

/** The reference that is meant: of the store that was named, else of the one that has it. */
async function find(name: string, { stores, store }: Work): Promise<Reference> {
  if (store !== undefined) return { store, name };
  const file: Reference = { store: "file", name };
  if (!(await stores.has(file))) return { store: "keyring", name };
  const inKeyring = await stores.has({ store: "keyring", name }).catch(() => false);
  if (!inKeyring) return file;
  throw new AgentRunError("usage", `'${name}' is in the keyring and in a sealed file`, {
    hint: "say which: --store keyring, or --store file",
    exitStatus: 2,
  });
}

async function list({ context, values, stores }: Work): Promise<number> {
  const { print } = context;
  const files = stores.inFiles().map((name) => ({ name, store: "file" as const, accessKeyId: undefined }));
  let problem: AgentRunError | undefined;
  const items = await stores.inKeyring().catch((error: unknown) => {
    if (!(error instanceof AgentRunError)) throw error;
    problem = error;
    return [];
  });
  const mfa = (await statusOf(context.paths).catch(() => undefined))?.mfa ?? [];
  const kept = [...items.map((item) => ({ ...item, store: "keyring" as const })), ...files];
  if (values["json"] === true) {
    const keyring = problem === undefined ? { state: "ok" } : { state: "error", why: problem.message, hint: problem.hint };
    print.json({ keyring: { name: KEYRING_NAME, ...keyring }, keys: kept, mfa });
  } else {
    const rows = kept.map(({ name, store, accessKeyId }) => [
      name,
      store === "keyring" ? KEYRING_NAME : "sealed file",
      accessKeyId ?? "",
      `${store}:${name}`,
    ]);
    if (rows.length > 0)
      print.out(table([["NAME", "KEPT IN", "ACCESS KEY", "CREDENTIALS ="].map((text) => print.paint("bold", text)), ...rows]));
    else if (problem === undefined) print.note(`no keys are stored; the ${KEYRING_NAME} answers`);
    for (const held of mfa) print.note(`${heldText(held)}; agent-run logout ends that`);
    // What could not be asked is not empty.
    if (problem !== undefined) print.error(problem);
  }
  return problem === undefined ? 0 : 1;
}

async function remove(name: string, work: Work): Promise<number> {
  const { context, stores } = work;
  const from = await find(name, work);
  if (!(await stores.remove(from))) {
    throw new AgentRunError("base-credentials", `there is no ${described(from)}`, { hint: "agent-run credentials list", exitStatus: 1 });
  }
  await forgetMfaOfDaemon(context.paths);
  context.print.note(
    `the ${described(from)} is removed; its key is still valid at AWS until it is deleted there: aws iam delete-access-key`,
  );
  return 0;
}

async function renew(name: string, work: Work): Promise<number> {
  const { context, stores } = work;
  const at = await find(name, work);
  let done: Awaited<ReturnType<typeof rotate>>;
  try {
    done = await rotate({
      read: () => stores.read(at),
      write: (keys) => stores.write(at, keys),
      connection: connectionOf(work),
      say: (text) => context.print.step("ok", text),
    });
  } finally {
    await tellDaemonToForget(context.paths).catch(() => undefined);
  }
  context.print.note(`the ${described(at)} holds ${done.accessKeyId} now`);
  return 0;
}

async function importKeys(word: string | undefined, work: Work): Promise<number> {
  const { context, values } = work;
  const profile = textValue(values, "from-profile");
  const vault = textValue(values, "from-aws-vault");
  if ((profile === undefined) === (vault === undefined)) {
    throw new AgentRunError("usage", "import from where?", { hint: "--from-profile <name>, or --from-aws-vault <name>", exitStatus: 2 });
  }
  const name = requireName(word ?? profile ?? vault ?? "");
  const found = profile === undefined ? await fromAwsVault(vault ?? "", context.env) : fromCredentialsFile(profile, context.env);
  const status = await add(name, async () => found.keys, work);
  context.print.note(found.left);
  return status;
}
