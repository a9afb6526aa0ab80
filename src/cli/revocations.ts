// `agent-run revocations`: the policies in IAM that deny sessions, and what of them can go.
import { iamClient } from "../aws/client.ts";
import { readFailure } from "../aws/failure.ts";
import { parseRoleArn } from "../aws/identity.ts";
import { type Deny, readDeny } from "../aws/revoke/deny.ts";
import { pruneRole, type RolePolicies, rolePolicies } from "../aws/revoke/write.ts";
import { type Instant, systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { loadProfile, type Profile } from "../session/profile.ts";
import { bury, tombstones } from "../session/tombstones.ts";
import { openBase } from "./base.ts";
import { baseOf } from "./base-of.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { table } from "./table.ts";

interface Found {
  readonly role: string;
  readonly policy: string;
  readonly sessions: readonly string[];
  /** ISO 8601: when the last of the keys will have expired. */
  readonly until: string;
  readonly over: boolean;
}

export const revocations: Command = {
  name: "revocations",
  outside: true,
  usage: "revocations [--prune] [--role <arn>] [-p <profile>] [--aws-profile <name>] [--json]",
  summary: "the sessions that are denied at AWS, and what can be removed",
  description:
    "Reads the inline policies that kills wrote on your roles: those that this machine remembers, and the profile's. The\n" +
    "daemon removes each when the keys that it denies have expired; --prune does it now, for policies of others too.",
  options: [
    { name: "prune", help: "remove what denies nothing that could still be used" },
    { name: "role", value: "<arn>", multiple: true, help: "look at this role; repeatable" },
    { name: "profile", short: "p", value: "<name>", help: "look at the role of this profile" },
    { name: "aws-profile", value: "<name>", help: "the AWS profile with your own credentials" },
    { name: "region", value: "<region>", help: "the region of your AWS" },
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run revocations", "who is denied, and until when"],
    ["agent-run revocations --prune", "remove what is over"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "revocations");
    const { print, paths } = context;
    const profile = profileOf(values, context);
    const wanted = baseOf(profile, textValue(values, "aws-profile"));
    const { connection, credentials, identity } = await openBase(context, {
      ...wanted,
      region: textValue(values, "region") ?? wanted.region,
    });
    const iam = await iamClient(connection, credentials);
    const found: Found[] = [];
    const removed: string[] = [];
    let failed = false;
    for (const role of rolesOf(values, context, identity.account, profile.role)) {
      const policies = rolePolicies(iam, role);
      try {
        if (values["prune"] === true) {
          for (const name of (await pruneRole(policies, systemClock)).removed) removed.push(`${role} ${name}`);
          for (const stone of tombstones(paths).filter(({ roles, until = 0 }) => roles.includes(role) && until < systemClock.now()))
            bury(paths, { ...stone, roles: stone.roles.filter((each) => each !== role) });
        }
        found.push(...(await read(role, policies)));
      } catch (error) {
        failed = true;
        const { name, text } = readFailure(error);
        print.warn(`${role}: ${error instanceof AgentRunError ? error.message : `${name}: ${text}`}`);
      }
    }
    if (values["json"] === true) print.json({ revocations: found, removed });
    else {
      for (const one of removed) print.text(`removed ${one}`);
      if (found.length === 0) print.note("no session is denied");
      else print.out(listing(found, context));
    }
    return failed ? 1 : 0;
  },
};

/** The profile that is asked for, else the usual one. */
function profileOf(values: Values, { paths, packageFolder }: Context): Profile {
  const name = textValue(values, "profile");
  return loadProfile(paths, packageFolder, name === undefined ? {} : { profile: name });
}

/** IAM answers about roles of the caller's own account only. */
function rolesOf(values: Values, context: Context, account: string, ofProfile: string | undefined): string[] {
  const named = values["role"];
  const given = Array.isArray(named) ? named : [];
  for (const role of given) parseRoleArn(role, "--role");
  const usual = ofProfile === undefined ? [] : [ofProfile.startsWith("arn:") ? ofProfile : `arn:aws:iam::${account}:role/${ofProfile}`];
  const known = given.length > 0 ? given : [...usual, ...tombstones(context.paths).flatMap(({ roles }) => roles)];
  if (known.length > 0) return [...new Set(known)].filter((arn) => arn.split(":")[4] === account);
  throw new AgentRunError("usage", "no role is known here to look at", {
    hint: "agent-run revocations --role <arn>, or -p <profile>",
    exitStatus: 2,
  });
}

async function read(role: string, policies: RolePolicies): Promise<Found[]> {
  const now = systemClock.now();
  return (await policies.list()).flatMap(({ name, text }) => {
    const deny = readDeny(name, text);
    if (!deny) return [];
    const until = endOf(deny);
    return [{ role, policy: name, sessions: sessionsOf(deny), until: new Date(until).toISOString(), over: until <= now }];
  });
}

const endOf = (deny: Deny): Instant => (deny.kind === "all" ? deny.until : Math.max(...deny.entries.map(({ until }) => until)));

const sessionsOf = (deny: Deny): string[] =>
  deny.kind === "all" ? [`all before ${new Date(deny.before).toISOString()}`] : deny.entries.map(({ session }) => session);

function listing(found: readonly Found[], { print }: Context): string {
  const rows = found.map(({ role, policy, sessions, until, over }) => [
    sessions.length > 3 ? `${sessions.slice(0, 2).join(" ")} and ${sessions.length - 2} more` : sessions.join(" "),
    role.split("/").at(-1) ?? role,
    over ? `over since ${until}` : until,
    policy,
  ]);
  return table([["SESSION", "ROLE", "UNTIL", "POLICY"].map((text) => print.paint("bold", text)), ...rows]);
}
