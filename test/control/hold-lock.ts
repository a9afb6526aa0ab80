// Takes a lock in a process of its own. argv: the lock; `hold` until killed, or `race <claims>`: takes and releases it for a while, and checks
// that nobody else has it meanwhile by making a folder that only one can make.
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { takeLock } from "../../src/control/lock.ts";
import { processInfo } from "../../src/core/process-tree.ts";

const [base = "", mode, claims = ""] = process.argv.slice(2);
const nap = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

if (mode === "hold") {
  if (takeLock(base)) console.log("held");
  setInterval(() => {}, 1000);
} else {
  const until = performance.now() + 2000;
  while (performance.now() < until) {
    const lock = takeLock(base);
    if (!lock) {
      await nap(Math.random() * 2);
      continue;
    }
    claim();
    await nap(Math.random() * 3);
    rmSync(`${claims}/owner`, { force: true });
    rmdirSync(claims);
    console.log("held");
    lock[Symbol.dispose]();
  }
}

/** A claim that is there already is no second holder when its owner was killed. */
function claim(): void {
  try {
    mkdirSync(claims);
  } catch {
    let owner = "";
    try {
      owner = readFileSync(`${claims}/owner`, "utf8");
    } catch {
      // Killed between the two steps.
    }
    if (owner !== "" && processInfo(Number(owner))) console.log(`two: ${owner} and ${process.pid}`);
  }
  writeFileSync(`${claims}/owner`, String(process.pid));
}
