// The last lines of a test run: what failed and why, what passed only at a second try, what was skipped for want of which program, and how many.
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** As .ci/run does it. */
const INSTALL = [
  "sudo apt-get install bubblewrap tmux screen xterm xvfb gir1.2-vte-2.91 python3-gi awscli rclone python3-venv python3-boto3 curl zsh fish shellcheck strace vim less htop vttest mc emacs-nox neovim procps util-linux git iproute2 openssh-client gdb dbus gnome-keyring libsecret-tools man-db mandoc ruby golang-go cargo chromium keyutils qemu-user fuse3 bindfs",
  "python3 -m venv .venv && .venv/bin/pip install 'moto[server]' boto3 awscli cfn-lint 'cyclonedx-python-lib[json-validation]' python-hcl2",
  "npm run oracle:agents",
];

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    const skipped: string[] = [];
    const unsteady: string[] = [];
    const failed = errors.map((error) => `failed: outside any test: ${firstLines(messageOf(error))}`);
    for (const module of modules) {
      for (const error of module.errors()) failed.push(`failed: ${module.relativeModuleId}: ${firstLines(messageOf(error))}`);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "skipped") skipped.push(test.fullName);
        else if (state === "failed") failed.push(`failed: ${describeFailure(module, test)}`);
        else {
          passed += 1;
          if (test.diagnostic()?.flaky) unsteady.push(`unsteady: ${describeFailure(module, test)}`);
        }
      }
    }
    for (const name of skipped) console.log(`skipped: ${name}`);
    if (skipped.length > 0) console.log(`each names what it needs; on Debian, all of it:\n  ${INSTALL.join("\n  ")}`);
    for (const line of [...unsteady, ...failed]) console.log(line);
    if (unsteady.length > 0) console.log(`${unsteady.length} unsteady: passed at the second try`);
    console.log(`${passed} passed, ${failed.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
  }
}

function describeFailure(module: TestModule, test: TestCase): string {
  const errors = test.result().errors ?? [];
  return `${module.relativeModuleId} > ${test.fullName}: ${firstLines(errors.map(messageOf).join(" | "))}`;
}

function messageOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
}

/** A message as one line of at most 400 characters. */
function firstLines(message: string): string {
  return message.replaceAll(/\s+/g, " ").slice(0, 400);
}
