// Which of the human's variables the daemon needs to find the base credentials, and no others. Called by launch.ts.
import type { Environment } from "../core/paths.ts";

const NAMES = [
  "AWS_*",
  ...["HOME", "PATH", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"],
  ...["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
  // What a credential_process needs to ask its keyring or its human.
  ...[
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "GNUPGHOME",
    "GPG_TTY",
    "PASSWORD_STORE_DIR",
  ],
];

/** The AWS variables and what locates AWS files, programs and proxies. An endpoint that is set to nothing is none, as for AWS's own clients. */
export function sourceEnvironment(env: Environment): Record<string, string> {
  const isNone = ([name, value]: [string, string | undefined]): boolean =>
    value === undefined || (value === "" && name.startsWith("AWS_ENDPOINT_URL"));
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !isNone(entry) && isWanted(entry[0])));
}

function isWanted(name: string): boolean {
  return NAMES.some((wanted) => (wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted));
}
