// Writes an audit until the system takes no more, in a process whose file size is limited by its parent. argv: folder; prlimit or nothing; `late`: the limit goes
// only after the end was given up.
import { execFileSync } from "node:child_process";
import { openAudit } from "../../src/audit/log.ts";
import { unendedSessions } from "../../src/audit/verify.ts";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { AgentRunError } from "../../src/core/error.ts";

const [folder = "", prlimit, late] = process.argv.slice(2);
const makeRoom = (): void => {
  if (prlimit) execFileSync(prlimit, ["--fsize=unlimited:", "--pid", String(process.pid)]);
};
const events: string[] = [];
const onTrouble = (error: AgentRunError | undefined): void => void events.push(error === undefined ? "well" : error.code);

try {
  const first = { kind: "start", data: { actor: "claude" } } as const;
  const audit = await openAudit(folder, "sess_00000001", first, { clock: systemClock, onTrouble });
  for (let n = 0; n < 200; n += 1) audit.append("fetch", { n });
  const before = performance.now();
  const settled = await audit.settled(500);
  const waitedMs = performance.now() - before;
  if (!late) makeRoom();
  const ended = await audit.end({ cause: "exited" }, late ? 300 : undefined);
  if (late) {
    makeRoom();
    for (const until = performance.now() + 10_000; unendedSessions(folder).length > 0 && performance.now() < until; ) await sleep(20);
  }
  console.log(JSON.stringify({ settled, waitedMs, ended, events }));
} catch (error) {
  if (!(error instanceof AgentRunError)) throw error;
  console.log(JSON.stringify({ code: error.code, hint: error.hint }));
}
