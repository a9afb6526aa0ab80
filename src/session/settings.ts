// The settings that config.toml and profile.toml may hold: one schema for both, so that a config entry can override any profile.
import * as z from "zod/mini";
import { canaryActions } from "../aws/revoke/canary-actions.ts";
import { deliveries, expiryActions, isolationLevels } from "../control/protocol.ts";
import { parseDuration } from "../core/duration.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { parseKey } from "../terminal/kill-key.ts";

/** A text that `read` understands; what it throws is said of the setting. */
function text<Value>(read: (text: string) => Value) {
  return z.pipe(
    z.string(),
    z.transform((given: string, context): Value => {
      try {
        return read(given);
      } catch (error) {
        const hint = error instanceof AgentRunError && error.hint ? ` (${error.hint})` : "";
        context.issues.push({ code: "custom", message: messageOf(error).replace(/^value: /, "") + hint, input: given });
        return z.NEVER;
      }
    }),
  );
}

/** When a session's keys are denied in IAM: at every end, at a kill only, or never. */
export const revokeChoices = ["always", "kill", "never"] as const;
export type RevokeChoice = (typeof revokeChoices)[number];

const duration = text((given) => parseDuration(given, "value"));
/** Refused here and not only where it is used, so that a run without a terminal says it too. */
const killKey = text((given) => {
  parseKey(given);
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

/** Durations come out in milliseconds. Every key is optional: absent means the built-in default or the profile's own. */
export const profileSettings = z.strictObject({
  description: z.optional(z.string()),
  grant: z.optional(z.enum(["assume-role", "federation", "as-is"])),
  role: z.optional(role),
  aws_profile: z.optional(z.string().check(z.minLength(1))),
  region: z.optional(z.string().check(z.regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, "must be a region such as eu-central-1"))),
  endpoint_url: z.optional(z.url()),
  accounts: z.optional(z.array(account)),
  external_id: z.optional(z.string().check(z.regex(/^[\w+=,.@:/-]{2,1224}$/, "must be 2 to 1224 of the characters A-Z a-z 0-9 _+=,.@:/-"))),
  mfa_serial: z.optional(z.string().check(z.regex(/^[\w+=/:,.@-]{9,256}$/, "must be the serial number or ARN of an MFA device"))),
  session_policy: z.optional(file),
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
  developer: z.optional(z.string().check(z.minLength(1))),
  project: z.optional(z.string().check(z.minLength(1))),
  tags: z.optional(z.record(z.string(), z.string())),
  isolation: z.optional(
    z.strictObject({
      level: z.optional(z.enum(isolationLevels)),
      allow: z.optional(z.array(z.string())),
      write: z.optional(z.array(z.string())),
      hide: z.optional(z.array(z.string())),
    }),
  ),
  environment: z.optional(
    z.strictObject({ pass: z.optional(z.array(z.string().check(z.regex(/^[A-Za-z_]\w*$/, "must be a variable name")))) }),
  ),
});

export const configSettings = z.strictObject({
  /** The profile of a run without `--profile`. */
  profile: z.optional(z.string()),
  kill_key: z.optional(killKey),
  developer: z.optional(z.string().check(z.minLength(1))),
  /** Settings that override those of the profile of that name. */
  profiles: z.optional(z.record(z.string(), profileSettings)),
});

export type ProfileSettings = z.infer<typeof profileSettings>;
export type ConfigSettings = z.infer<typeof configSettings>;
