import { defineConfig } from "vitest/config";

const continuous = process.env["CI"] === "true";

export default defineConfig({
  test: {
    // What only a Mac can run is not there elsewhere: no test is skipped for it.
    include: ["test/**/*.test.{ts,tsx}", ...(process.platform === "darwin" ? ["test/**/*.mac.ts"] : [])],
    globalSetup: ["test/global-setup.ts"],
    setupFiles: ["test/pinned-seed.ts"],
    reporters: ["default", "./test/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real processes, sockets and terminals on a machine that others use too: there a second try, which the last lines name when it was needed.
    retry: continuous ? 1 : 0,
    maxWorkers: 2,
  },
});
