// Finds the program that a command names, before anything is spawned. Called by plain.ts and attach.ts.
import { accessSync, constants, type Stats, statSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { AgentRunError } from "../core/error.ts";

/** What execvp(3) searches when there is no PATH. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * The absolute path of `file`, found as execvp(3) finds it: a name with a slash is taken from `cwd`, any other is looked up in `path`
 * (a colon-separated list; an empty part means `cwd`).
 * @throws AgentRunError `agent-not-found` (exit status 127) or `agent-not-executable` (126)
 */
export function resolveExecutable(file: string, path: string | undefined, cwd: string): string {
  if (file === "") throw notFound(file, "name the agent to run, for example: agent-run claude");
  const inCwd = (name: string): string => (isAbsolute(name) ? name : join(cwd, name));
  // Made plain only when it is found: each launch passes over most of PATH.
  const candidates = file.includes("/") ? [inCwd(file)] : (path ?? DEFAULT_PATH).split(":").map((folder) => `${inCwd(folder)}/${file}`);
  let refused: string | undefined;
  for (const candidate of candidates) {
    const verdict = judge(candidate, file.includes("/"));
    if (verdict === "executable") return normalize(candidate);
    if (verdict === "refused") refused ??= normalize(candidate);
  }
  if (refused !== undefined) {
    throw new AgentRunError("agent-not-executable", `'${refused}' is not an executable file`, {
      hint: `make it executable: chmod +x '${refused}'`,
      exitStatus: 126,
    });
  }
  throw notFound(file, file.includes("/") ? `check the path: ls -l '${file}'` : `install '${file}', or add its folder to PATH`);
}

/** @param asked the path itself was named: a folder on PATH that we may not search is passed over, one in a path is refused */
function judge(path: string, asked: boolean): "executable" | "refused" | "absent" {
  let stat: Stats | undefined;
  try {
    // An error for each that is not there would take longer than all the looking.
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" && asked ? "refused" : "absent";
  }
  if (stat === undefined) return "absent";
  if (!stat.isFile()) return "refused";
  // Root passes access(2) for any file with one x bit, and execve(2) agrees with it.
  try {
    accessSync(path, constants.X_OK);
    return "executable";
  } catch {
    return "refused";
  }
}

function notFound(file: string, hint: string): AgentRunError {
  return new AgentRunError("agent-not-found", `cannot find the program '${file}'`, { hint, exitStatus: 127 });
}
