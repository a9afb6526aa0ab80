// Where the two programs of ours that are no scripts lie, beside the rest of what was built. Used by isolate.ts, probe.ts and doctor; apart from what makes them, which
// no launch needs. PURE.

/** What the program of session-keyring.ts says on stderr when it goes no further; errno(3) as three digits follow. It ends with 125 then, as every failure of ours. */
export const KEYRING_REFUSED = "agent-run: error: the kernel gives no fresh session keyring: keyctl ended with errno ";

/** The one that joins a session keyring. Undefined for a machine that it is not built for. */
export function sessionKeyringFile(packageFolder: string, arch: string): string | undefined {
  return fileOf("session-keyring", packageFolder, arch);
}

/** The one that is the first process of a sandbox. The same. */
export function sandboxInitFile(packageFolder: string, arch: string): string | undefined {
  return fileOf("sandbox-init", packageFolder, arch);
}

function fileOf(name: string, packageFolder: string, arch: string): string | undefined {
  return arch === "x64" || arch === "arm64" ? `${packageFolder}/dist/${name}-${arch}` : undefined;
}
