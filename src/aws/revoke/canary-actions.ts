// The calls that can show whether a deny holds: each reads, costs nothing, and is refused by IAM itself. Named in profile.toml, made by canary.ts.

/** In the order in which one is chosen: those of the region first, as data there is what an agent is after. */
export const canaryActions = ["ec2:DescribeRegions", "s3:ListAllMyBuckets", "iam:GetRole", "iam:ListRoles"] as const;

export type CanaryAction = (typeof canaryActions)[number];
