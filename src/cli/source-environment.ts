// Which of the human's variables the daemon needs to find the base credentials, and no others. Called by launch.ts and env.ts.
import type { Environment } from "../core/paths.ts";

const NAMES =
  /^(AWS_.*|HOME|PATH|USER|LOGNAME|LANG|TMPDIR|XDG_CONFIG_HOME|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/;

/** The AWS variables and what locates AWS files, programs and proxies. */
export function sourceEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && NAMES.test(entry[0])),
  );
}
