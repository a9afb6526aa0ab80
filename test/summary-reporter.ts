// The last line of a test run: how many passed and failed, and what was skipped for want of which program.
import type { Reporter, TestModule } from "vitest/node";

/** As .ci/run does it. */
const INSTALL = [
  "sudo apt-get install bubblewrap tmux awscli rclone python3-venv python3-boto3 curl strace vim less htop procps util-linux git",
  "python3 -m venv .venv && .venv/bin/pip install 'moto[server]' boto3 awscli",
];

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else skipped.push(test.fullName);
      }
    }
    for (const name of skipped) console.log(`skipped: ${name}`);
    if (skipped.length > 0) console.log(`each names what it needs; on Debian, all of it:\n  ${INSTALL.join("\n  ")}`);
    console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
  }
}
