// The settings that config.toml and profile.toml may hold: one schema for both, so that a config entry can override any profile.
import * as z from "zod/mini";
import { canaryActions } from "../aws/revoke/canary-actions.ts";
import { deliveries, expiryActions, isolationLevels, notifyChoices } from "../control/protocol.ts";
import { parseDuration } from "../core/duration.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { MOST_MFA_HOLD_MS } from "../credentials/mfa-sessions.ts";
import { checkHostPattern } from "../isolation/hosts.ts";
import { allowNames, checkAllowed } from "../isolation/plan-allow.ts";
import { readNarrowing } from "../policy/compile-session.ts";
import { parseKey } from "../terminal/kill-key.ts";
import { isTimeZone, weekdays } from "./hours.ts";

/** A text that `read` understands; what it throws is said of the setting. */
function text<Value>(read: (text: string) => Value) {
  return z.pipe(
    z.string(),
    z.transform((given: string, context): Value => {
      try {
        return read(given);
      } catch (error) {
        const hint = error instanceof AgentRunError && error.hint ? ` (${error.hint})` : "";
        context.issues.push({
          code: "custom",
          message: messageOf(error).replace(/^(value|isolation\.(?:allow|network))(: [\w[\]]+)?: /, "") + hint,
          input: given,
        });
        return z.NEVER;
      }
    }),
  );
}

/** When a session's keys are denied in IAM: at every end, at a kill only, or never. */
export const revokeChoices = ["always", "kill", "never"] as const;
export type RevokeChoice = (typeof revokeChoices)[number];

const duration = text((given) => parseDuration(given, "value"));
/** Milliseconds; 0 for "off". */
const mfaHold = text((given) => {
  if (given !== "off" && !/^[\ddhms ]+$/i.test(given))
    throw new AgentRunError("config", `value: '${given}' is not a duration`, { hint: 'write it as 90m or 12h, or "off"' });
  const ms = given === "off" ? 0 : parseDuration(given, "value");
  if (ms <= MOST_MFA_HOLD_MS) return ms;
  throw new AgentRunError("config", `value: '${given}' is longer than an mfa session of AWS can be`, {
    hint: 'at most 36h; "off" asks each time',
  });
});
/** Refused here and not only where it is used, so that a run without a terminal says it too. */
const killKey = text((given) => {
  parseKey(given);
  return given;
});

/** Refused here already, with its line. */
const storeName = text((given) => {
  checkAllowed(given);
  return given;
});
// For editors, which cannot call checkAllowed.
z.globalRegistry.add(storeName, { enum: [...allowNames] });
const timeOfDay = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 09:00"));
const timeZone = text((given) => {
  if (isTimeZone(given)) return given;
  throw new AgentRunError("config", `value: '${given}' is no time zone`, { hint: "write it as Europe/Berlin or UTC" });
});
/** `s3:GetObject` or `s3:GetObject=arn:…`. */
const narrowing = text((given) => {
  readNarrowing([given], "Allow", "value");
  return given;
});

const account = z.string().check(z.regex(/^\d{12}$/, "must be a 12-digit account id, in quotes"));
const role = z
  .string()
  .check(
    z.regex(
      /^(arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+|[\w+=,.@-]{1,64})$/,
      "must be a role ARN (arn:aws:iam::<account>:role/<name>) or a role name",
    ),
  );
const file = z.string().check(z.regex(/^[^\0]+$/, "must be a file name"));

const action = z.string().check(z.regex(/^([a-z0-9-]+:[\w*?-]+|\*)$/, "must be an action such as s3:GetObject or ec2:Describe*"));
const nonEmpty = <Schema extends z.ZodMiniType>(schema: Schema) => z.array(schema).check(z.minLength(1));
const regionName = z.string().check(z.regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, "must be a region such as eu-central-1"));

/** Each becomes a Deny of the session policy: see src/policy/limits.ts and hours.ts. */
export const conditionSettings = z.strictObject({
  regions: z.optional(nonEmpty(regionName)),
  source_ip: z.optional(
    nonEmpty(z.string().check(z.regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, "must be an address or a range such as 203.0.113.0/24"))),
  ),
  source_vpc: z.optional(nonEmpty(z.string().check(z.regex(/^vpc-[\w-]+$/, "must be the id of a VPC, vpc-…")))),
  mfa: z.optional(z.boolean()),
  instance_types: z.optional(
    nonEmpty(z.string().check(z.regex(/^[a-z0-9.*?-]+$/, "must be an instance type or size such as t3.micro or *.small"))),
  ),
  database_classes: z.optional(nonEmpty(z.string().check(z.regex(/^[a-z0-9.*?-]+$/, "must be a class such as db.t3.micro or db.t4g.*")))),
  hours: z.optional(
    z.strictObject({
      days: z.optional(nonEmpty(z.enum(weekdays))),
      from: timeOfDay,
      to: timeOfDay,
      time_zone: timeZone,
      actions: z.optional(nonEmpty(action)),
    }),
  ),
  abac: z.optional(
    z.array(
      z
        .strictObject({
          actions: nonEmpty(action),
          resources: z.optional(nonEmpty(z.string())),
          leading_key: z.optional(z.string().check(z.minLength(1))),
          shared_tag: z.optional(z.string().check(z.minLength(1))),
        })
        .check(
          z.refine(
            ({ resources, leading_key, shared_tag }) =>
              [resources, leading_key, shared_tag].filter((one) => one !== undefined).length === 1,
            "needs exactly one of resources, leading_key and shared_tag",
          ),
        ),
    ),
  ),
  actors: z.optional(z.array(z.strictObject({ deny: nonEmpty(action), actors: z.optional(nonEmpty(z.string().check(z.minLength(1)))) }))),
});

const narrowSettings = z.strictObject({
  allow: z.optional(z.array(narrowing)),
  deny: z.optional(z.array(narrowing)),
  read_only: z.optional(z.boolean()),
});

function isSafeForKeys(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost"].includes(hostname));
}

export const grantKinds = ["assume-role", "federation", "as-is"] as const;
export type GrantKind = (typeof grantKinds)[number];

/** Durations come out in milliseconds. Every key is optional: absent means the built-in default or the profile's own. */
export const profileSettings = z.strictObject({
  description: z.optional(z.string()),
  grant: z.optional(z.enum(grantKinds)),
  role: z.optional(role),
  aws_profile: z.optional(z.string().check(z.minLength(1))),
  /** Base credentials that agent-run keeps; goes before aws_profile. */
  credentials: z.optional(
    z
      .string()
      .check(
        z.regex(
          /^((keyring|file):[A-Za-z0-9][\w.@+-]{0,63}|sso:[A-Za-z0-9][\w-]{0,63}\/\d{12}\/[\w+=,.@-]{1,64})$/,
          "must be keyring:<name>, file:<name> or sso:<sign-in>/<account>/<role>",
        ),
      ),
  ),
  region: z.optional(regionName),
  endpoint_url: z.optional(z.url()),
  accounts: z.optional(z.array(account)),
  external_id: z.optional(z.string().check(z.regex(/^[\w+=,.@:/-]{2,1224}$/, "must be 2 to 1224 of the characters A-Z a-z 0-9 _+=,.@:/-"))),
  mfa_serial: z.optional(z.string().check(z.regex(/^[\w+=/:,.@-]{9,256}$/, "must be the serial number or ARN of an MFA device"))),
  /** Prints the code of `mfa_serial`, in place of asking. */
  mfa_process: z.optional(z.string().check(z.minLength(1))),
  /** How long an MFA code holds for later launches too, in the daemon's memory: `12h`, or `off`. */
  mfa_hold: z.optional(mfaHold),
  extends: z.optional(z.string().check(z.minLength(1))),
  /** One file or several; what all of them allow is allowed. */
  session_policy: z.optional(z.union([file, nonEmpty(file)])),
  session_policy_arns: z.optional(
    z
      .array(z.string().check(z.regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/, "must be the ARN of a managed policy")))
      .check(z.maxLength(10, "must be 10 at most: sts takes no more")),
  ),
  /** What stands for `${NAME}` in the profile's policies. */
  values: z.optional(
    z.record(z.string().check(z.regex(/^[A-Z][A-Z0-9_]*$/, "must be a name in capitals")), z.union([z.string(), z.array(z.string())])),
  ),
  conditions: z.optional(conditionSettings),
  narrow: z.optional(narrowSettings),
  /** One of config.toml's stages; only its accounts may be used. */
  stage: z.optional(z.string().check(z.minLength(1))),
  /** Actions of the destructive catalogue that the profile is there for; all others of it are denied. */
  accepts: z.optional(z.array(z.string().check(z.regex(/^[a-z0-9-]+:\w+$/, "must be an action such as ec2:StopInstances")))),
  /** When somebody looks at the role's permissions again; `agent-run check` asks for it. */
  review_by: z.optional(z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date such as 2027-02-01, in quotes"))),
  ttl: z.optional(duration),
  max_ttl: z.optional(duration),
  on_expiry: z.optional(z.enum(expiryActions)),
  grace: z.optional(duration),
  revoke: z.optional(z.enum(revokeChoices)),
  canary: z.optional(z.enum(canaryActions)),
  chained_roles: z.optional(z.array(role)),
  delivery: z.optional(z.enum(deliveries)),
  /** Whether `agent-run console` may open the AWS console as its sessions: no bar shows that, and no local kill ends it. */
  console: z.optional(z.boolean()),
  /** In place of AWS's own sign-in, which is sent the session's keys. */
  signin_url: z.optional(z.url().check(z.refine(isSafeForKeys, "must be https, or http on this machine: keys are sent there"))),
  /** A tool may use its role although another tool does: see tool-roles.ts. */
  share_role: z.optional(z.boolean()),
  developer: z.optional(z.string().check(z.minLength(1))),
  project: z.optional(z.string().check(z.minLength(1))),
  tags: z.optional(z.record(z.string(), z.string())),
  isolation: z.optional(
    z.strictObject({
      level: z.optional(z.enum(isolationLevels)),
      allow: z.optional(z.array(storeName)),
      write: z.optional(z.array(z.string())),
      hide: z.optional(z.array(z.string())),
      /** Hosts that strict, whose network is its own, reaches all the same. */
      network: z.optional(z.array(text(checkHostPattern))),
      /** Sandboxes may start in the sandbox, at strict too. */
      nested: z.optional(z.boolean()),
    }),
  ),
  environment: z.optional(
    z.strictObject({ pass: z.optional(z.array(z.string().check(z.regex(/^[A-Za-z_]\w*$/, "must be a variable name")))) }),
  ),
});

/** What a repository's .agent-run.toml may say: choose a profile, or narrow. Whatever could widen has no place here. */
export const repositorySettings = z.strictObject({
  profile: z.optional(z.string().check(z.minLength(1))),
  project: z.optional(z.string().check(z.minLength(1))),
  task: z.optional(z.string().check(z.minLength(1))),
  ttl: z.optional(duration),
  max_ttl: z.optional(duration),
  on_expiry: z.optional(z.literal("stop", 'can only be "stop" in a repository')),
  accounts: z.optional(z.array(account)),
  narrow: z.optional(narrowSettings),
  conditions: z.optional(conditionSettings),
  isolation: z.optional(
    z.strictObject({
      level: z.optional(z.enum(["strict", "standard"], 'can only be "strict" or "standard" in a repository')),
      hide: z.optional(z.array(z.string())),
    }),
  ),
});

export const configSettings = z.strictObject({
  /** The profile of a run without `--profile`. */
  profile: z.optional(z.string()),
  kill_key: z.optional(killKey),
  /** By what the human is told that a session ends: the terminal or a program of the desktop. */
  notify: z.optional(z.enum(notifyChoices)),
  developer: z.optional(z.string().check(z.minLength(1))),
  /** For every profile that does not say it itself. */
  mfa_hold: z.optional(mfaHold),
  shell: z.optional(
    z.strictObject({
      /** The commands that `agent-run shell-init` sends through agent-run. */
      agents: z.optional(z.array(z.string().check(z.regex(/^[A-Za-z][\w-]*$/, "must be the name of a command")))),
    }),
  ),
  /** Where `agent-run login <name>` signs in: instances of IAM Identity Center, by a name of your choice. */
  sso: z.optional(
    z.record(
      z.string().check(z.regex(/^[A-Za-z0-9][\w-]{0,63}$/, "must be a name of letters, digits, _ and -")),
      z.strictObject({
        start_url: z.string().check(z.regex(/^https?:\/\/[^\s@]+$/, "must be a start url such as https://d-1234567890.awsapps.com/start")),
        region: regionName,
      }),
    ),
  ),
  /** Accounts by stage: `staging = ["123456789012"]`. An account of a stage takes only profiles of that stage. */
  stages: z.optional(z.record(z.string(), z.array(account))),
  /** Settings that override those of the profile of that name. */
  profiles: z.optional(z.record(z.string(), profileSettings)),
});

export type ProfileSettings = z.infer<typeof profileSettings>;
export type ConditionSettings = z.infer<typeof conditionSettings>;
export type RepositorySettings = z.infer<typeof repositorySettings>;
export type ConfigSettings = z.infer<typeof configSettings>;
