// What is said where no region is set anywhere. Called by the session's start, by `env` and by `doctor`.

/** AWS's tools refuse most calls then, with words that do not lead here. */
export const noRegion = (profile: string): string =>
  `the agent has no region: none is set by --region, AWS_REGION, your AWS profile, or region under [profiles.${profile}] in config.toml`;
