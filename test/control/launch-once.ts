// A launcher's start, in a process of its own: finds or starts the toy daemon, opens a lease, prints what it found, leaves. argv: version, words.
import { fileURLToPath } from "node:url";
import { openLeaseOrStart } from "../../src/control/start-daemon.ts";
import { AgentRunError } from "../../src/core/error.ts";
import { resolvePaths } from "../../src/core/paths.ts";

const [version = "1.0.0", ...words] = process.argv.slice(2);
const paths = resolvePaths(process.env, process.getuid?.() ?? 0);
const startCommand = {
  file: process.execPath,
  args: [fileURLToPath(new URL("../daemon/toy-daemon.ts", import.meta.url)), version, "600000", "5000", ...words],
  cwd: "/",
  env: Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
};
try {
  const toy = { type: "open", actor: "toy", developer: "dev", cwd: "/" } as const;
  const open = { ...toy, overrides: {}, source: {}, interactive: false, dryRun: false };
  const { lease, daemon } = await openLeaseOrStart(paths, { startCommand, version }, open);
  await new Promise((resolve) => lease.onMessage(resolve));
  console.log(JSON.stringify({ pid: daemon.pid, version: daemon.version, note: daemon.note }));
  lease.close();
  await lease.closed;
} catch (error) {
  if (!(error instanceof AgentRunError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
  process.exitCode = error.exitStatus;
}
