// Credentials of an EC2 instance's role. Called by order.ts when nothing else is there, and by a profile with credential_source = Ec2InstanceMetadata.

import { ask, objectOf } from "../../aws/ask.ts";
import { AgentRunError } from "../../core/error.ts";
import { type Found, type Search, sealParts } from "./source.ts";

/** Elsewhere than on EC2 nobody answers at the address, so the wait is short. */
const PATIENCE_MS = 1000;

/** The instance's role, or undefined where there is no instance metadata or no role. Version 2 of the service only (EC2 guide, "Use IMDSv2"). */
export async function fromInstance(search: Search): Promise<Found | undefined> {
  const { env } = search;
  if (env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") return undefined;
  const sixth = env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.toLowerCase() === "ipv6";
  const origin = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || (sixth ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  if (!URL.canParse(origin)) return undefined;
  const folder = "/latest/meta-data/iam/security-credentials/";
  try {
    const token = await ask({
      url: new URL("/latest/api/token", origin),
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300", "content-length": "0" },
      timeoutMs: PATIENCE_MS,
    });
    if (token.status !== 200) return undefined;
    const headers = { "x-aws-ec2-metadata-token": token.text };
    const names = await ask({ url: new URL(folder, origin), headers, timeoutMs: PATIENCE_MS });
    const role = names.status === 200 ? names.text.trim().split("\n")[0] : undefined;
    if (!role) return undefined;
    const reply = await ask({ url: new URL(folder + encodeURIComponent(role), origin), headers, timeoutMs: PATIENCE_MS });
    const answer = objectOf(reply.text);
    if (reply.status !== 200) return undefined;
    const hint = "check the instance's profile, or name a profile: --aws-profile";
    const credentials = sealParts({ ...answer, SessionToken: answer["Token"] }, "instance metadata", search.now(), hint);
    return { credentials, source: `instance role ${role}`, chained: true };
  } catch (error) {
    // Nobody there, or no HTTP: this machine is no instance.
    if (error instanceof AgentRunError) throw error;
    return undefined;
  }
}
