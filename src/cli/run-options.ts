// The options of a run, the same for `run`, `demo` and `env`: their table, and how they become the protocol's overrides.
import { deliveries, expiryActions, isolationLevels, type Overrides } from "../control/protocol.ts";
import { parseDuration } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { choice } from "./choice.ts";
import { type Option, textValue, type Values } from "./command.ts";

export const runOptions: readonly Option[] = [
  { name: "profile", short: "p", value: "<name>", help: "what it may do: readonly (default) or your own" },
  { name: "role", value: "<arn>", help: "the role to assume: ARN, or name in the account" },
  { name: "aws-profile", value: "<name>", help: "the AWS profile with your own (base) credentials" },
  { name: "region", value: "<region>", help: "the region of the session" },
  { name: "ttl", value: "<time>", help: "time limit: 15m, 1h30m (default: the profile's, 1h)" },
  { name: "on-expiry", value: "<what>", help: "at the limit: refresh (default), stop or ask" },
  { name: "delivery", value: "<mode>", help: "credentials by endpoint (default), process or env" },
  { name: "isolation", value: "<level>", help: "the sandbox: strict, standard (default) or none" },
  { name: "allow-nested", help: "strict: let sandboxes start inside: browsers', codex's" },
  { name: "allow", value: "<action=arn>", multiple: true, help: "of what the profile allows only this; may be repeated" },
  { name: "deny", value: "<action=arn>", multiple: true, help: "not this; may be repeated" },
  { name: "read-only", help: "of what the profile allows only reading" },
  { name: "accept", value: "<action>", multiple: true, help: "let this run do what is refused as destructive; may be repeated" },
  { name: "task", value: "<text>", help: "what it is to do; becomes a session tag" },
  { name: "project", value: "<name>", help: "the project's name (default: the folder's)" },
  { name: "tag", value: "<k=v>", multiple: true, help: "one more session tag; may be repeated" },
  { name: "no-bar", help: "no status bar; the kill key works all the same" },
  { name: "dry-run", help: "check all, assume the role, start nothing" },
];

/** @throws AgentRunError `usage` for a value that cannot be */
export function overridesOf(values: Values): Overrides {
  const overrides: Overrides = {};
  const put = <Key extends keyof Overrides>(key: Key, value: Overrides[Key] | undefined): void => {
    if (value !== undefined) overrides[key] = value;
  };
  put("profile", filled(values, "profile"));
  put("role", filled(values, "role"));
  put("awsProfile", filled(values, "aws-profile"));
  put("region", filled(values, "region"));
  put("task", filled(values, "task"));
  put("project", filled(values, "project"));
  const ttl = filled(values, "ttl");
  put("ttl", ttl === undefined ? undefined : parseDuration(ttl, "--ttl"));
  put("onExpiry", oneOf(values, "on-expiry", expiryActions));
  put("delivery", oneOf(values, "delivery", deliveries));
  put("isolation", oneOf(values, "isolation", isolationLevels));
  const tags = values["tag"];
  for (const name of ["allow", "deny", "accept"] as const) {
    const entries = values[name];
    if (Array.isArray(entries)) put(name, entries);
  }
  if (values["read-only"] === true) put("readOnly", true);
  if (values["allow-nested"] === true) put("allowNested", true);
  if (Array.isArray(tags)) put("tags", Object.fromEntries(tags.map(tagOf)));
  return overrides;
}

function filled(values: Values, name: string): string | undefined {
  const value = textValue(values, name);
  if (value === "") throw new AgentRunError("usage", `--${name} needs a value`, { hint: "agent-run run --help", exitStatus: 2 });
  return value;
}

function oneOf<Word extends string>(values: Values, name: string, words: readonly Word[]): Word | undefined {
  if (filled(values, name) === undefined) return undefined;
  return choice(values, name, words, `agent-run --${name} ${words[0]} …`);
}

function tagOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1)
    throw new AgentRunError("usage", `--tag: '${text}' is not of the form key=value`, {
      hint: "for example --tag ticket=OPS-17",
      exitStatus: 2,
    });
  return [text.slice(0, at), text.slice(at + 1)];
}
