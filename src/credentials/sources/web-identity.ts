// A role for an OIDC token in a file: CI and EKS. Called by order.ts for the environment's variables and by profile.ts.
import { readFileSync } from "node:fs";
import { stsClient } from "../../aws/client.ts";
import { explainFailure, readFailure } from "../../aws/failure.ts";
import { parseRoleArn } from "../../aws/identity.ts";
import { cleanName } from "../../aws/names.ts";
import { sealed } from "../../aws/sealed.ts";
import { callSts } from "../../aws/sts.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import type { Found, Search } from "./source.ts";

export interface WebIdentity {
  readonly roleArn: string;
  readonly tokenFile: string;
  readonly sessionName: string | undefined;
  /** For the human and for errors: `AWS profile 'ci'`, `environment variables`. */
  readonly where: string;
}

/** AssumeRoleWithWebIdentity, which is unsigned: the token is the proof. Throws AgentRunError `base-credentials` or `sts-unreachable`. */
export async function fromWebIdentity(identity: WebIdentity, search: Search): Promise<Found> {
  const { arn, name } = parseRoleArn(identity.roleArn, `role_arn of ${identity.where}`);
  let token: string;
  try {
    token = readFileSync(identity.tokenFile, "utf8").trim();
  } catch (error) {
    throw new AgentRunError("base-credentials", `cannot read the web identity token of ${identity.where}: ${messageOf(error)}`, {
      hint: "check AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file",
      cause: error,
    });
  }
  const client = await stsClient({ region: search.region, endpointUrl: search.endpointUrl, env: search.env });
  try {
    const { result } = await callSts(client, "AssumeRoleWithWebIdentity", {
      RoleArn: arn,
      RoleSessionName: cleanName(identity.sessionName ?? "agent-run", "role session name").value,
      WebIdentityToken: token,
    });
    const credentials = sealed(result, "sts:AssumeRoleWithWebIdentity");
    return { credentials, source: `${identity.where} (web identity, role ${name})`, chained: true };
  } catch (error) {
    const failure = readFailure(error);
    if (/^(ExpiredToken|InvalidIdentityToken|IDPRejectedClaim|AccessDenied)/.test(failure.name)) {
      throw new AgentRunError("base-credentials", `sts rejects the web identity token of ${identity.where} for ${arn}: '${failure.text}'`, {
        hint: "check the role's trust policy (provider, aud, sub) and that the token is fresh",
      });
    }
    throw await explainFailure(error, client, "sts:AssumeRoleWithWebIdentity");
  }
}
