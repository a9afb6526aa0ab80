// A daemon in the small that always dies while it holds something, as one that meets a record which ends it. argv: a file that gets a line a life. Run by keeper.test.ts.
import { appendFileSync } from "node:fs";
import { createKeeper, KEPT } from "../../src/daemon/keeper.ts";

const [node, program, file = ""] = process.argv as [string, string, string];
appendFileSync(file, `${process.env[KEPT] ?? "first"}\n`);
const keep = createKeeper({ file: node, args: [program, file], cwd: "/", env: {} }, process.env[KEPT]);
keep();
process.kill(process.pid, "SIGKILL");
