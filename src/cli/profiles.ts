// `agent-run profiles`: the profiles there are, what one of them comes to, and a new one made from another.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Overrides } from "../control/protocol.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError, isNoRoom, messageOf } from "../core/error.ts";
import { makeFolder } from "../core/folder.ts";
import { userProfiles } from "../core/paths.ts";
import { oneLine } from "../core/printable.ts";
import { LONGEST_SESSION_POLICY } from "../policy/minify.ts";
import { findFolder, loadProfile, type Profile, profileNames } from "../session/profile.ts";
import { isProfileName, profileDescription } from "../session/profile-levels.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { overridesOf, runOptions } from "./run-options.ts";
import { table } from "./table.ts";

const NARROWING = ["allow", "deny", "read-only"];

export const profiles: Command = {
  name: "profiles",
  outside: true,
  usage: "profiles <list|show|new|path> [<name>] [--from <profile>] [--json]",
  summary: "the profiles there are, what each allows, and a new one",
  description: "show takes --allow, --deny and --read-only too, and prints the session policy that would be sent.",
  options: [
    { name: "from", value: "<profile>", help: "what a new profile begins as (default: readonly)" },
    ...runOptions.filter(({ name }) => NARROWING.includes(name)),
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run profiles", "all of them"],
    ["agent-run profiles show deploy", "its limits, and the session policy as it is sent"],
    ["agent-run profiles show readonly --allow s3:GetObject=arn:aws:s3:::builds/*", "narrowed"],
    ["agent-run profiles new shop --from developer", "one of your own"],
  ],
  async run(values, words, context) {
    const [what = "list", name] = words;
    atMost(words, what === "list" ? 1 : 2, "profiles");
    if (what === "list") return list(values, context);
    if (what === "show") return show(needed(name, "show"), values, context);
    if (what === "new") return create(needed(name, "new"), values, context);
    if (what === "path") {
      const path = name === undefined ? userProfiles(context.paths) : findFolder(name, context.paths, context.packageFolder);
      if (values["json"] === true) context.print.json({ path });
      else context.print.out(path);
      return 0;
    }
    throw new AgentRunError("usage", `profiles: '${what}' is none of list, show, new, path`, {
      hint: isProfileName(what) ? `agent-run profiles show ${what}` : "agent-run profiles --help",
      exitStatus: 2,
    });
  },
};

function needed(name: string | undefined, what: string): string {
  if (name !== undefined) return name;
  throw new AgentRunError("usage", `profiles ${what} needs a name`, { hint: `agent-run profiles ${what} <name>`, exitStatus: 2 });
}

interface Listed {
  readonly name: string;
  readonly description: string;
  readonly folder: string;
  readonly shipped: boolean;
  readonly ttlMs?: number;
  readonly grant?: string;
  readonly characters?: number;
  /** Why it cannot be used as it is. */
  readonly problem?: string;
}

function list(values: Values, context: Context): number {
  const { paths, packageFolder, print } = context;
  const all = profileNames(paths, packageFolder).map((name): Listed => {
    const folder = findFolder(name, paths, packageFolder);
    const shared = { name, folder, shipped: folder.startsWith(join(packageFolder, "profiles")) };
    try {
      const { ttlMs, grant, sessionPolicy } = loadProfile(paths, packageFolder, { profile: name });
      const description = profileDescription(folder);
      return { ...shared, description, ttlMs, grant, characters: sessionPolicy.characters };
    } catch (error) {
      return { ...shared, description: "", problem: messageOf(error) };
    }
  });
  if (values["json"] === true) {
    print.json(all);
    return 0;
  }
  const rows = all.map(({ name, ttlMs, grant, shipped, description, problem }) => [
    name,
    ttlMs === undefined ? "" : formatSpan(ttlMs),
    grant ?? "",
    shipped ? "shipped" : "yours",
    oneLine(problem ?? description),
  ]);
  print.out(
    table([["PROFILE", "LIMIT", "GRANT", "FROM", "WHAT IT IS FOR"].map((text) => print.paint("bold", text)), ...rows], print.width()),
  );
  return 0;
}

function show(name: string, values: Values, { paths, packageFolder, print }: Context): number {
  const { allow, deny, readOnly }: Overrides = overridesOf(values);
  const profile = loadProfile(paths, packageFolder, {
    profile: name,
    ...(allow ? { allow } : {}),
    ...(deny ? { deny } : {}),
    ...(readOnly ? { readOnly } : {}),
  });
  const policy: unknown = profile.sessionPolicy.text === "" ? undefined : JSON.parse(profile.sessionPolicy.text);
  if (values["json"] === true) {
    const { sessionPolicy, notes: _notes, killKey: _key, ...settings } = profile;
    print.json({ ...settings, sessionPolicy: { characters: sessionPolicy.characters, policy } });
    return 0;
  }
  for (const [what, text] of lines(profile)) if (text !== "") print.text(`${what.padEnd(14)} ${oneLine(text)}`);
  if (policy !== undefined) {
    print.out("");
    print.out(`session policy, ${profile.sessionPolicy.characters} of the ${LONGEST_SESSION_POLICY} characters that sts takes:`);
    print.json(policy);
  }
  return 0;
}

function lines(profile: Profile): [string, string][] {
  return [
    ["profile", profile.name],
    ["folder", profile.folder],
    ["grant", profile.grant],
    ["role", profile.role ?? "none yet: --role, or role in config.toml"],
    ["accounts", profile.accounts.join(", ")],
    ["stage", profile.stage ?? ""],
    ["limit", `${formatSpan(profile.ttlMs)}, ${profile.onExpiry}, ${formatSpan(profile.maxTtlMs)} at the most`],
    ["delivery", profile.delivery],
    ["isolation", profile.isolation.level],
    ["accepts", profile.accepts.join(", ")],
    ["managed", profile.sessionPolicyArns.join(", ")],
    ["hours", profile.hours.map(({ from, to, time_zone }) => `${from}–${to} ${time_zone}`).join("; ")],
  ];
}

/** Copies what `--from` names, so that every file of it can be changed. */
function create(name: string, values: Values, { paths, packageFolder, print }: Context): number {
  const from = textValue(values, "from") ?? "readonly";
  if (!isProfileName(name)) {
    throw new AgentRunError("usage", `'${name}' cannot be the name of a profile`, {
      hint: "up to 64 letters, digits, - and _, the first one a letter or digit",
      exitStatus: 2,
    });
  }
  const source = findFolder(from, paths, packageFolder);
  const folder = join(userProfiles(paths), name);
  if (existsSync(folder)) {
    throw new AgentRunError("profile", `${folder} is there already`, { hint: `agent-run profiles show ${name}`, exitStatus: 1 });
  }
  try {
    makeFolder(folder);
    for (const file of readdirSync(source)) {
      if (file !== "profile.toml") cpSync(join(source, file), join(folder, file), { recursive: true });
    }
    const settings = join(source, "profile.toml");
    const text = existsSync(settings) ? readFileSync(settings, "utf8").replace(/^#:schema .*\n/, "") : "";
    const schema = join(packageFolder, "profiles", "profile.schema.json");
    writeFileSync(join(folder, "profile.toml"), `#:schema ${schema}\n${text}`);
  } catch (error) {
    // Half a profile would stand in the way of the next try, and may be wider than the whole.
    rmSync(folder, { recursive: true, force: true });
    throw new AgentRunError("profile", `cannot make ${folder}: ${messageOf(error)}`, {
      hint: isNoRoom(error) ? `make room on its disk: df -h ${paths.config}` : `check owner and mode: ls -ld ${paths.config}`,
      cause: error,
    });
  }
  if (values["json"] === true) print.json({ name, folder, from });
  else {
    print.out(folder);
    if (existsSync(join(packageFolder, "profiles", name)))
      print.warn(
        `it stands in the place of the '${name}' that comes with agent-run, from the next launch on; to have that one back: rm -r ${folder}`,
      );
    print.note(`made from ${from}; next: agent-run policy test ${name}, then agent-run setup ${name}`);
  }
  return 0;
}
