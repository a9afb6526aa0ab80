// The program: argv to command to exit status. The only reader of process.argv and process.env.
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "./cli/cli.ts";
import { createPrinter } from "./cli/printer.ts";
import { resolvePaths } from "./core/paths.ts";

/** Set by the build from package.json. */
declare const AGENT_RUN_VERSION: string;

const entry = fileURLToPath(import.meta.url);

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  paths: resolvePaths(process.env, process.getuid?.() ?? userInfo().uid),
  print: createPrinter(process.stdout, process.stderr, process.env),
  packageFolder: dirname(dirname(entry)),
  self: [process.execPath, entry],
  version: AGENT_RUN_VERSION,
  stdin: process.stdin,
  stdout: process.stdout,
});
