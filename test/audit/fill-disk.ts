// Writes an audit until the system takes no more, in a process whose file size is limited by its parent. argv: folder, prlimit or nothing.
import { execFileSync } from "node:child_process";
import { openAudit } from "../../src/audit/log.ts";
import { systemClock } from "../../src/core/clock.ts";
import { AgentRunError } from "../../src/core/error.ts";

const [folder = "", prlimit] = process.argv.slice(2);
const events: string[] = [];
const onTrouble = (error: AgentRunError | undefined): void => void events.push(error === undefined ? "well" : error.code);

try {
  const first = { kind: "start", data: { actor: "claude" } } as const;
  const audit = await openAudit(folder, "sess_00000001", first, { clock: systemClock, onTrouble });
  for (let n = 0; n < 200; n += 1) audit.append("fetch", { n });
  const before = performance.now();
  const settled = await audit.settled(500);
  const waitedMs = performance.now() - before;
  if (prlimit) execFileSync(prlimit, ["--fsize=unlimited:", "--pid", String(process.pid)]);
  const ended = await audit.end({ cause: "exited" });
  console.log(JSON.stringify({ settled, waitedMs, ended, events }));
} catch (error) {
  if (!(error instanceof AgentRunError)) throw error;
  console.log(JSON.stringify({ code: error.code, hint: error.hint }));
}
