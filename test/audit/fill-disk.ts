// Writes an audit until the system takes no more, in a process whose file size is limited by its parent. argv: folder, prlimit or nothing.
import { execFileSync } from "node:child_process";
import { openAudit } from "../../src/audit/log.ts";
import { systemClock } from "../../src/core/clock.ts";

const [folder = "", prlimit] = process.argv.slice(2);
const events: string[] = [];
const audit = await openAudit(
  folder,
  "sess_00000001",
  { kind: "start", data: { actor: "claude" } },
  { clock: systemClock, onTrouble: (error) => events.push(error === undefined ? "well" : error.code) },
);
for (let n = 0; n < 200; n += 1) audit.append("fetch", { n });
const before = performance.now();
const settled = await audit.settled(500);
const waitedMs = performance.now() - before;
if (prlimit) execFileSync(prlimit, ["--fsize=unlimited:", "--pid", String(process.pid)]);
const ended = await audit.end({ cause: "exited" });
console.log(JSON.stringify({ settled, waitedMs, ended, events }));
