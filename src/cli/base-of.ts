// Whose credentials a command on the account takes: those that a run of the profile starts from. Called by every command that opens the base for a role.
import { AgentRunError } from "../core/error.ts";
import { loadProfile, type Profile, profileNames } from "../session/profile.ts";
import type { openBase } from "./base.ts";
import type { Context } from "./command.ts";

export type Wanted = Parameters<typeof openBase>[1];

/** As a run of the profile has it; an AWS profile that is named on the command line goes before what the profile keeps. */
export function baseOf(profile: Profile | undefined, awsProfile: string | undefined): Wanted {
  return {
    credentials: awsProfile === undefined ? profile?.credentials : undefined,
    awsProfile: awsProfile ?? profile?.awsProfile,
    region: profile?.region,
    endpointUrl: profile?.endpointUrl,
  };
}

/**
 * For a role that is named by itself: as a run of the profile that has this role, the usual one before others; where none has it, as the usual one.
 * @param ran the profile that a session with this role was run under, where that is known: it counts first, whatever role it has
 * @throws AgentRunError `config` or `profile` where the usual one cannot be used; not where an AWS profile is named, which needs none
 */
export function baseOfRole(arn: string, awsProfile: string | undefined, context: Context, ran?: string): Wanted {
  if (awsProfile !== undefined) return baseOf(undefined, awsProfile);
  const profiles = usableProfiles(context);
  const under = (name: string | undefined): Profile | undefined => profiles.find(({ role }) => role !== undefined && role === name);
  return baseOf(profiles.find(({ name }) => name === ran) ?? under(arn) ?? under(arn.split(":role/")[1]) ?? profiles[0], undefined);
}

/** The usual profile, then every other one that a run could have. Throws AgentRunError `config` or `profile` where the usual one cannot be used. */
export function usableProfiles({ paths, packageFolder }: Context): Profile[] {
  const usual = loadProfile(paths, packageFolder, {});
  const others = profileNames(paths, packageFolder).flatMap((profile): Profile[] => {
    try {
      return profile === usual.name ? [] : [loadProfile(paths, packageFolder, { profile })];
    } catch (error) {
      // It cannot be used as it is, so no run has it.
      if (error instanceof AgentRunError) return [];
      throw error;
    }
  });
  return [usual, ...others];
}
