// Which accounts a profile may be used in: its own list, and the stage (staging, production) that an account belongs to. Called by profile.ts and grant.ts.
import { AgentRunError } from "../core/error.ts";

export interface AccountRules {
  readonly name: string;
  /** The accounts that the human's own settings name for it; those of a repository's file open no stage. */
  readonly ownAccounts: readonly string[];
  readonly stage: string | undefined;
  /** config.toml's accounts by stage. */
  readonly stages: Readonly<Record<string, readonly string[]>>;
}

/**
 * A profile of a stage starts in that stage's accounts only; an account of a stage takes only profiles of that stage, or ones that name the
 * account themselves. So an agent of staging never starts in production, and none of no stage does either.
 * @throws AgentRunError `identity` naming account and stage
 */
export function requireStage(account: string, { name, ownAccounts, stage, stages }: AccountRules): void {
  const own = Object.entries(stages).find(([, list]) => list.includes(account))?.[0];
  if (stage === own) return;
  if (stage === undefined && ownAccounts.includes(account)) return;
  if (own === undefined) {
    throw new AgentRunError("identity", `account ${account} is none of stage '${stage}', which profile '${name}' is for`, {
      hint: `choose the right account with --aws-profile, or add it to config.toml: [stages] ${stage} = ["${account}"]`,
    });
  }
  throw new AgentRunError(
    "identity",
    `account ${account} is of stage '${own}', and profile '${name}' ${stage === undefined ? "of none" : `is for '${stage}'`}`,
    {
      hint: `choose a profile with stage = "${own}", or the right account with --aws-profile`,
    },
  );
}
