// How a shell calls this very program: by its name where PATH leads to it, else by where it lies. Used by shell-init.ts and completion.ts.
import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Context } from "../command.ts";

/** `agent-run`, or a path where PATH leads to another one, or to none. */
export function selfName({ env, packageFolder }: Context): string {
  const own = real(join(packageFolder, "bin", "agent-run.cjs"));
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    const found = real(join(folder, "agent-run"));
    if (found !== undefined) return found === own ? "agent-run" : (own ?? "agent-run");
  }
  return own ?? "agent-run";
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
