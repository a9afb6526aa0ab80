// Runs the programs that the build makes itself. Used by sandbox-init.test.ts, prelude.test.ts and session-keyring.test.ts.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Call, callList, LIST_FD } from "../../src/isolation/call-list.ts";
import { archOf } from "../../src/isolation/own-programs.ts";

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

/** The arguments of /bin/sh that start the program before bwrap, at `program`, with a list of `calls`, which is written to `file`. */
export const withCalls = (
  file: string,
  program: readonly string[],
  calls: readonly Call[] = [],
  arch = archOf(process.arch) ?? "x64",
): string[] => {
  writeFileSync(file, callList(arch, calls));
  return ["-c", `exec "$@" ${LIST_FD}<"$0"`, file, ...program];
};
