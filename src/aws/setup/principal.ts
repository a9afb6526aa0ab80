// Who a role is to trust, from the identity that sets it up; and the external id that it asks for already. Called by cli/setup.ts.
import type { IAMClient } from "@aws-sdk/client-iam";
import { AgentRunError } from "../../core/error.ts";
import { type CallerIdentity, parseArn } from "../identity.ts";
import { findRole } from "./found.ts";

/**
 * The ARN that a trust policy names for a caller: a user as it is, a role session as its role, whose path (as of IAM Identity Center's roles) only IAM knows.
 * @throws AgentRunError `restriction` when the role cannot be read, `identity` for any other kind of caller
 */
export async function trustedPrincipal(iam: IAMClient, identity: CallerIdentity): Promise<string> {
  const arn = parseArn(identity.arn);
  if (arn?.service === "iam" && arn.resource.startsWith("user/")) return identity.arn;
  const role = /^assumed-role\/([^/]+)\//.exec(arn?.resource ?? "")?.[1];
  const hint = "say who is to assume it: --principal arn:aws:iam::<account>:user/<name>, or a role's arn";
  if (role === undefined) throw new AgentRunError("identity", `no role can trust ${identity.arn}`, { hint });
  const found = await findRole(iam, role).catch(() => undefined);
  if (!found)
    throw new AgentRunError("restriction", `the arn of your role ${role} cannot be read: iam:GetRole is needed for its path`, { hint });
  return found.arn;
}

/**
 * @param text from `--principal`
 * @throws AgentRunError `usage` for what a trust policy cannot name alone, such as `*`
 */
export function requirePrincipal(text: string): string {
  const arn = parseArn(text);
  const one = arn?.service === "iam" && /^\d{12}$/.test(arn.account) && /^(root$|user\/|role\/)/.test(arn.resource) && !/[*?]/.test(text);
  if (one) return text;
  throw new AgentRunError("usage", `--principal: '${text}' is not the arn of a user, a role or an account's root`, {
    hint: "for example --principal arn:aws:iam::123456789012:user/jordan",
    exitStatus: 2,
  });
}

/** The external id in a trust policy; undefined when it has none. */
export function externalIdOf(trust: string): string | undefined {
  return /"sts:ExternalId"\s*:\s*\[?\s*"([^"]+)"/.exec(trust)?.[1];
}
