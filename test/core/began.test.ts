// Who began first, of real processes and of what the kernels say of them.
import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { began, isLater } from "../../src/core/began.ts";
import { processInfo } from "../../src/core/process-tree.ts";

describe("of two processes", () => {
  it("that which began a hundredth of a second later is the later one, and neither where both began in the same", () => {
    expect(isLater("1001", "1000")).toBe(true);
    expect(isLater("1000", "1000")).toBe(false);
    expect(isLater("999", "1000")).toBe(false);
    expect(isLater("10000", "9999")).toBe(true);
  });

  it("are compared by their second where the kernel tells no more, and neither is later where it tells nothing", () => {
    expect(isLater("Sat Nov 28 02:00:01 2026", "Sat Nov 28 02:00:00 2026")).toBe(true);
    expect(isLater("Sat Nov 28 02:00:00 2026", "Sat Nov 28 02:00:00 2026")).toBe(false);
    expect(isLater("", "1000")).toBe(false);
    expect(isLater("1000", "")).toBe(false);
  });

  it("a child of this one is the later one", async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    const child = spawn("sleep", ["60"]);
    try {
      const started = processInfo(child.pid ?? 0)?.started ?? "";
      expect(isLater(started, began() ?? "")).toBe(true);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
