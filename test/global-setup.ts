// Builds what the end-to-end tests run, once a test run.
import { execFileSync } from "node:child_process";

export function setup(): void {
  if (process.env["AGENT_RUN_TEST_NO_BUILD"] === "1") return;
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", "ignore", "inherit"] });
}
