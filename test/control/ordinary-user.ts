// Runs a program of the tests as an ordinary user: as `nobody` when the tests run as root, directly otherwise. Used by tests of permissions.
import { type ExecFileException, execFile, execFileSync } from "node:child_process";
import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const drop = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];

/** Why a test cannot run a program as an ordinary user here; undefined when it can. */
export const noOrdinaryUser: string | undefined = ((): string | undefined => {
  if (!isRoot) return undefined;
  try {
    execFileSync(
      "setpriv",
      [...drop.slice(1), process.execPath, "-e", `require("fs").readFileSync(${JSON.stringify(import.meta.filename)})`],
      {
        stdio: "ignore",
      },
    );
    return undefined;
  } catch {
    return "needs setpriv and a checkout that others can read";
  }
})();

/** A temporary folder of that user, short enough for a socket in it. */
export function folderOfOrdinaryUser(): string {
  const folder = mkdtempSync(join(tmpdir(), "ar-"));
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** Runs a TypeScript program with Node as that user. Gives what it printed, whatever its status. */
export function runAsOrdinaryUser(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string; status: number }> {
  const [program = "", ...rest] = [...(isRoot ? drop : []), process.execPath, file, ...args];
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      resolve({ stdout, stderr, status: typeof error?.code === "number" ? error.code : error ? -1 : 0 });
    execFile(program, rest, { env: { PATH: "/usr/bin:/bin", ...env }, cwd: "/" }, done);
  });
}
