// The session's folder, made and filled again. Real files.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeSessionFolder } from "../../src/session/delivery.ts";

it("a session's folder that is written again is the same folder, for the sandbox that shows it", () => {
  const base = mkdtempSync(join(tmpdir(), "delivery-"));
  try {
    const folder = join(base, "sess_00000001");
    writeSessionFolder(folder, { one: { content: "first", mode: 0o600 } });
    const before = statSync(folder).ino;
    writeSessionFolder(folder, { one: { content: "second", mode: 0o600 } });
    expect(statSync(folder).ino).toBe(before);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, "one"), "utf8")).toBe("second");
  } finally {
    rmSync(base, { recursive: true });
  }
});
