// A profile with those that it extends, each with config.toml's own settings over it. Called by profile.ts and by `agent-run profiles`.
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { refuseForeign } from "../core/folder.ts";
import { nearest } from "../core/nearest.ts";
import { type Paths, userProfiles } from "../core/paths.ts";
import { type ConfigSettings, type ProfileSettings, profileSettings } from "./settings.ts";
import { readTomlFile } from "./toml-file.ts";

/** One profile of a chain. */
export interface Level {
  readonly name: string;
  /** The folder that it was read from. */
  readonly folder: string;
  /** profile.toml, over it `[profiles.<name>]` of config.toml. */
  readonly settings: ProfileSettings;
}

/** Every folder that may hold profiles: the user's own goes before what is shipped. */
export interface ProfilePlaces {
  readonly paths: Paths;
  /** The package, with its `profiles` folder. */
  readonly packageFolder: string;
}

const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const MOST_LEVELS = 5;

const shipped = (packageFolder: string): string => join(packageFolder, "profiles");

/** Names of all profiles, the user's own and the shipped ones, sorted. */
export function profileNames(paths: Paths, packageFolder: string): string[] {
  const names = [userProfiles(paths), shipped(packageFolder)].flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() || entry.isSymbolicLink() ? [entry.name] : [],
      );
    } catch {
      return [];
    }
  });
  return [...new Set(names)].filter((name) => PROFILE_NAME.test(name)).sort();
}

/** Whether a profile may have that name. */
export const isProfileName = (name: string): boolean => PROFILE_NAME.test(name);

/** Where a profile's files are: the user's own folder goes before the shipped one. Throws AgentRunError `profile`. */
export function findFolder(name: string, paths: Paths, packageFolder: string): string {
  const known = profileNames(paths, packageFolder);
  if (!PROFILE_NAME.test(name) || !known.includes(name)) {
    const near = nearest(name, known);
    throw new AgentRunError("profile", `there is no profile '${name}'`, {
      hint: near
        ? `did you mean '${near}'?`
        : `the profiles are ${known.join(", ")}; your own go into ${userProfiles(paths)}/<name>/profile.toml`,
      exitStatus: 1,
    });
  }
  const own = join(userProfiles(paths), name);
  try {
    return statSync(own, { throwIfNoEntry: false })?.isDirectory() ? own : join(shipped(packageFolder), name);
  } catch (error) {
    // One of the user's own may stand there, and be narrower than the shipped one.
    throw new AgentRunError("profile", `cannot look for the profile ${own}: ${messageOf(error)}`, {
      hint: `check owner and mode: ls -ld ${userProfiles(paths)}`,
      cause: error,
    });
  }
}

/**
 * The profile and those that it extends, the one that extends nothing first. A profile of the user's own may extend the shipped one of its name.
 * @throws AgentRunError `config` or `profile`, naming file, line and setting
 */
export function profileLevels(name: string, config: ConfigSettings, places: ProfilePlaces): Level[] {
  const levels: Level[] = [];
  let next: string | undefined = name;
  if (config.profiles?.[name] && isProfileName(name) && !profileNames(places.paths, places.packageFolder).includes(name)) {
    throw new AgentRunError("profile", `config.toml has settings for profile '${name}', and there is no such profile to lay them over`, {
      exitStatus: 1,
      hint: `agent-run profiles new ${name} --from ${config.profiles[name].extends ?? "readonly"} makes one, or write ${join(userProfiles(places.paths), name, "profile.toml")}`,
    });
  }
  let folder = findFolder(name, places.paths, places.packageFolder);
  while (next !== undefined) {
    const file = join(folder, "profile.toml");
    if (dirname(folder) === userProfiles(places.paths)) refuseForeignIn(folder);
    const settings = over(readTomlFile(file, profileSettings, "profile") ?? {}, config.profiles?.[next] ?? {});
    levels.unshift({ name: next, folder, settings });
    const parent: string | undefined = settings.extends;
    if (parent === undefined) break;
    const above = parent === next ? join(shipped(places.packageFolder), parent) : findFolder(parent, places.paths, places.packageFolder);
    if (!existsSync(above) || levels.some((level) => level.folder === above) || levels.length >= MOST_LEVELS) {
      throw new AgentRunError("profile", `profile '${next}' extends '${parent}', which leads back to itself or too far`, {
        hint: `change extends in ${file}`,
      });
    }
    next = parent;
    folder = above;
  }
  return levels;
}

/** The profile's folder and all that is in it: its policies are what bounds a session. */
function refuseForeignIn(folder: string): void {
  for (const name of ["", ...readdirSync(folder)]) refuseForeign(join(folder, name), "profile");
}

/** Setting by setting; of conditions and values one by one, so that one can be changed without repeating the others. */
function over(below: ProfileSettings, above: ProfileSettings): ProfileSettings {
  return {
    ...below,
    ...above,
    ...(below.conditions || above.conditions ? { conditions: { ...below.conditions, ...above.conditions } } : {}),
    ...(below.values || above.values ? { values: { ...below.values, ...above.values } } : {}),
  };
}

/** The settings of a whole chain: what a profile says goes before what it extends. Limits are not in this: they all hold, level by level. */
export function settingsOf(levels: readonly Level[]): ProfileSettings {
  return levels.reduce<ProfileSettings>((below, { settings }) => over(below, settings), {});
}

/** What a profile says that it is for; empty where it says nothing. */
export function profileDescription(folder: string): string {
  return readTomlFile(join(folder, "profile.toml"), profileSettings, "profile")?.description ?? "";
}
