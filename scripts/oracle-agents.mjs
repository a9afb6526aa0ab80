// npm run oracle:agents: fetches the coding agents that test/oracle/agents/package.json pins into .cache/oracle-agents, which git does not see, once a lock.
// The suite compares their start screens where they are there; nothing of agent-run needs them.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const pinned = join(root, "test", "oracle", "agents");
const folder = join(root, ".cache", "oracle-agents");
/** Holds the lock that was installed, written last: a fetch that broke off is done again. */
const done = join(folder, "fetched.json");

const lock = readFileSync(join(pinned, "package-lock.json"), "utf8");
if (existsSync(done) && readFileSync(done, "utf8") === lock) {
  console.log("the agents are there");
} else {
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(pinned, file), join(folder, file));
  // No script of theirs runs: the programs are started where they lie.
  execFileSync("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  writeFileSync(done, lock);
}
