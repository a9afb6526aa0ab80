// `npm run bench`: every bench after the other, each a process of its own on an otherwise idle machine. What cannot run here says why, and the rest goes on.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { join } from "node:path";

/** In the order in which they are printed; `needs` are programs, tried with an argument that only asks for their version. */
const BENCHES = [
  { file: "launch.mjs", needs: [], built: true },
  // As with an STS that is not on the same machine.
  { file: "launch.mjs", needs: [], built: true, env: { STS_MS: "20" } },
  { file: "endpoint.mjs", needs: [] },
  { file: "isolation.mjs", needs: ["bwrap", "git"] },
  { file: "policy.mjs", needs: [] },
  { file: "kill.mjs", needs: [], built: true },
  { file: "status.mjs", needs: [], built: true },
  { file: "size.mjs", needs: ["npm"], built: true },
];

const there = (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
/** Above this many runnable processes a processor the figures say more about the other programs. */
const BUSY = 0.3;

console.log(`node ${process.version}, ${process.platform} ${release()}, ${availableParallelism()} × ${cpus()[0]?.model ?? process.arch}`);
const load = (loadavg()[0] ?? 0) / availableParallelism();
if (load > BUSY) console.log(`the machine is busy (load ${load.toFixed(1)} a processor): the figures will be too high`);

const failed = [];
for (const { file, needs, built, env = {} } of BENCHES) {
  console.log(["\n==", file, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)].join(" "));
  const missing = needs.filter((program) => !there(program));
  if (built && !existsSync(join(import.meta.dirname, "..", "dist", "main.cjs"))) missing.push("the build (npm run build)");
  if (missing.length > 0) {
    console.log(`skipped: needs ${missing.join(" and ")}`);
    continue;
  }
  const { status, signal } = spawnSync(process.execPath, [join(import.meta.dirname, file)], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (status === 0) continue;
  failed.push(file);
  console.log(`${file} ended with ${signal ?? `status ${status}`}`);
}
if (failed.length > 0) {
  console.log(`\nfailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
