// Where the two programs of ours that are no scripts lie, beside the rest of what was built. Used by isolate.ts, probe.ts and doctor; apart from what makes them, which
// no launch needs. Pure.
import type { Arch } from "./machine-code.ts";

/** What the program of prelude.ts says on stderr where the keyring cannot be left; errno(3) as three digits follow. It ends with 125 then, as every failure of ours. */
export const KEYRING_REFUSED = "agent-run: error: the kernel gives no fresh session keyring: keyctl ended with errno ";

/** The one that goes before bubblewrap. Undefined for a machine that it is not built for. */
export function preludeFile(packageFolder: string, arch: string): string | undefined {
  return fileOf("prelude", packageFolder, arch);
}

/** The one that is the first process of a sandbox. The same. */
export function sandboxInitFile(packageFolder: string, arch: string): string | undefined {
  return fileOf("sandbox-init", packageFolder, arch);
}

/** Undefined for a machine that they are not built for. */
export function archOf(arch: string): Arch | undefined {
  return arch === "x64" || arch === "arm64" ? arch : undefined;
}

function fileOf(name: string, packageFolder: string, arch: string): string | undefined {
  return archOf(arch) && `${packageFolder}/dist/${name}-${arch}`;
}
