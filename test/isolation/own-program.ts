// Runs the programs that the build makes itself. Used by sandbox-init.test.ts and session-keyring.test.ts.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;

/** With nothing in its environment but PATH and `env`, for 20 s at most. */
export const run = (argv: readonly string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(argv[0] ?? "", argv.slice(1), {
    encoding: "utf8",
    timeout: 20_000,
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  return { status, stdout, stderr };
};
