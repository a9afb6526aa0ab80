// Holds a keeper while not one descriptor is left, then with some, and lets go. Run by keeper.test.ts, which sees whether the next daemon is started.
import { closeSync, openSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { createKeeper } from "../../src/daemon/keeper.ts";

const keep = createKeeper({ file: "/bin/echo", args: ["started"], cwd: "/", env: {} }, undefined);
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {
  // EMFILE.
}
let code: unknown;
try {
  keep();
} catch (error) {
  code = (error as { code?: unknown }).code;
}
for (const descriptor of taken) closeSync(descriptor);
await wait(20);
process.stdout.write(`${code}\n`);
const kept = keep();
if (process.argv[2] !== "busy") kept[Symbol.dispose]();
process.kill(process.pid, "SIGKILL");
