// Lifetimes and the Credentials element of STS answers. Called by sts.ts and assume-role.ts.
import type { AccessKey } from "../account.ts";
import type { Call } from "../call.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";

/** From now on for `seconds`, or for as long as the switch says. Whole seconds, as STS gives them. */
export function lifetime(call: Call, seconds: number): { issuedAt: number; expiresAt: number } {
  const ms = call.cloud.switches.credentialMs ?? seconds * 1000;
  const end = call.now + ms;
  return { issuedAt: call.now, expiresAt: ms % 1000 === 0 ? Math.ceil(end / 1000) * 1000 : end };
}

/** As every STS operation that issues keys shows them. */
export function credentials(key: AccessKey): XmlTree {
  return {
    AccessKeyId: key.accessKeyId,
    SecretAccessKey: key.secret,
    SessionToken: key.token,
    Expiration: isoSeconds(key.session?.expiresAt ?? 0),
  };
}
