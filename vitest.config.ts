import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const continuous = process.env["CI"] === "true";

/** Nearly a minute and more each: what begins last is waited for alone. */
const LONG =
  /\/test\/(red-team\/red-team|end-to-end\/(clients|setup|lifecycle|transcripts|revoke)|isolation\/(denials|tools)|terminal\/attach|chaos\/chaos)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(({ moduleId }) => LONG.test(moduleId)), ...sorted.filter(({ moduleId }) => !LONG.test(moduleId))];
  }
}

export default defineConfig({
  test: {
    // What only a Mac can run is not there elsewhere: no test is skipped for it.
    include: ["test/**/*.test.{ts,tsx}", ...(process.platform === "darwin" ? ["test/**/*.mac.ts"] : [])],
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/global-setup.ts"],
    setupFiles: ["test/pinned-seed.ts"],
    reporters: ["default", "./test/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real processes, sockets and terminals on a machine that others use too: there a second try, which the last lines name when it was needed.
    retry: continuous ? 1 : 0,
    // Real limits, graces and answers are waited for: half of the time of two workers, which a third one uses. At a desk two leave room to work.
    maxWorkers: continuous ? 3 : 2,
  },
});
