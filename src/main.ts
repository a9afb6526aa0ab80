// The program: argv to command to exit status. The only reader of process.argv and process.env.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { namesCommand } from "./cli/command-names.ts";

/** Set by the build: package.json's version, and what tells builds of it apart. */
declare const AGENT_RUN_VERSION: string;

const entry = fileURLToPath(import.meta.url);
const argv = process.argv.slice(2);
const own = process.env["AGENT_RUN_HOME"];
// The daemon, which works elsewhere, must find the same folder.
const env = own ? { ...process.env, AGENT_RUN_HOME: resolve(own) } : process.env;

// Two bundles that never meet (scripts/build.mjs): a run is to start as fast as it can.
const { runCommandLine } = namesCommand(argv[0]) ? await import("./cli/cli.ts") : await import("./cli/run-line.ts");

process.exitCode = await runCommandLine(argv, {
  env,
  cwd: process.cwd(),
  uid: process.getuid?.() ?? 0,
  packageFolder: dirname(dirname(entry)),
  self: [process.execPath, entry],
  version: AGENT_RUN_VERSION,
  streams: process,
});
