// Ends the processes of a session while not one descriptor is left, and then some are. argv: the session's id, the pid of one of its processes. Run by leftover.test.ts.
import { closeSync, openSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { SessionId } from "../../src/core/id.ts";
import { processInfo } from "../../src/core/process-tree.ts";
import { endProcesses } from "../../src/session/leftover.ts";

const [session, pid] = process.argv.slice(2);
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {
  // EMFILE.
}
const ending = endProcesses(session as SessionId, undefined, 0, 5000);
await wait(300);
for (const descriptor of taken) closeSync(descriptor);
const left = await ending;
process.stdout.write(JSON.stringify({ left, there: processInfo(Number(pid)) !== undefined }));
