// Writes which role a profile uses into config.toml, without touching a byte of what the human wrote there. Called by setup.ts.
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { AgentRunError, isNoRoom, messageOf } from "../core/error.ts";
import { makeFolder } from "../core/folder.ts";
import { configFile, type Paths } from "../core/paths.ts";
import { readConfig } from "../session/profile.ts";
import { profileSettings } from "../session/settings.ts";

export interface RoleSettings {
  readonly role: string;
  readonly external_id: string;
  readonly aws_profile?: string;
  readonly region?: string;
  readonly endpoint_url?: string;
  /** What stands for placeholders: the session policy needs them as the role did. */
  readonly values?: Readonly<Record<string, string>>;
}

export type ConfigOutcome =
  /** The settings are in effect, or were before. */
  | { readonly state: "written" | "there"; readonly file: string }
  /** The profile has a table of its own there, which the human has to change. */
  | { readonly state: "yours"; readonly file: string; readonly lines: readonly string[] };

/** Throws AgentRunError `usage` for what config.toml would refuse, named by the flag that it came from. */
export function requireSettings(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) {
    const result = z.safeParse(profileSettings, { [name]: value });
    if (result.success) continue;
    throw new AgentRunError("usage", `--${name.replaceAll("_", "-")}: '${value}' ${result.error.issues[0]?.message ?? "cannot be"}`, {
      hint: "agent-run setup --help",
      exitStatus: 2,
    });
  }
}

/**
 * Appends `[profiles.<name>]` where there is none. The new file is checked before it takes the old one's place.
 * @throws AgentRunError `config` when config.toml cannot be read or written; it is as it was then
 */
export function writeRoleSettings(paths: Paths, profile: string, settings: RoleSettings): ConfigOutcome {
  const file = configFile(paths);
  const { values = {}, ...plain } = settings;
  const wanted = [...Object.entries(plain), ...Object.entries(values).map(([name, value]) => [`values.${name}`, value] as const)];
  const lines = [`[profiles.${profile}]`, ...wanted.map(([key, value]) => `${key} = ${JSON.stringify(value)}`)];
  const says = (): boolean => {
    const now = readConfig(paths).profiles?.[profile];
    const all = Object.entries(plain).every(([key, value]) => (now as Readonly<Record<string, unknown>> | undefined)?.[key] === value);
    return all && Object.entries(values).every(([name, value]) => now?.values?.[name] === value);
  };
  if (readConfig(paths).profiles?.[profile]) {
    const same = says();
    return same ? { state: "there", file } : { state: "yours", file, lines };
  }
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const gap = before === "" ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  replace(file, `${before}${gap}${lines.join("\n")}\n`, says);
  return { state: "written", file };
}

/** Through a symbolic link, with the mode that was there. Put back when `holds` says that the result is not what was meant. */
function replace(file: string, text: string, holds: () => boolean): void {
  const hint = `check the owner and mode of ${dirname(file)}, or add the lines by hand`;
  const before = existsSync(file) ? readFileSync(file) : undefined;
  try {
    makeFolder(dirname(file));
    const target = before === undefined ? file : realpathSync(file);
    const put = (content: string | Buffer): void => {
      const fresh = `${target}.${process.pid}.new`;
      try {
        writeFileSync(fresh, content, { mode: before === undefined ? 0o600 : statSync(target).mode & 0o777, flag: "wx" });
        renameSync(fresh, target);
      } finally {
        rmSync(fresh, { force: true });
      }
    };
    put(text);
    let right = false;
    try {
      right = holds();
    } finally {
      if (!right) {
        if (before === undefined) rmSync(target, { force: true });
        else put(before);
      }
    }
    if (!right) throw new AgentRunError("config", `a table for the profile cannot be appended to ${file}`, { hint: "add it by hand" });
  } catch (error) {
    if (error instanceof AgentRunError) throw error;
    throw new AgentRunError("config", `cannot write ${file}: ${messageOf(error)}`, {
      hint: isNoRoom(error) ? `make room on its disk (df -h ${dirname(file)}), and run the same again` : hint,
      cause: error,
    });
  }
}
