// Users that no database knows, as a container's often are.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const user = join(import.meta.dirname, "..", "..", "src", "core", "user.ts");
const asked =
  "const { databaseHome, userName } = await import(process.argv[1]); console.log(JSON.stringify([userName(), databaseHome() ?? null]));";

describe("a user", () => {
  it("without an entry in the database has a name all the same, and no home", () => {
    // As root the number can be changed; others stay who they are, and have an entry.
    const change = process.getuid?.() === 0 ? "process.setgroups([]); process.setgid(54321); process.setuid(54321);" : "";
    const args = ["--input-type=module", "-e", `const load = import(process.argv[1]); await load; ${change}${asked}`, user];
    const [name, home] = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as [string, string | null];
    if (change === "") expect([name, home]).toEqual([expect.stringMatching(/./), expect.stringMatching(/^\//)]);
    else expect([name, home]).toEqual(["uid-54321", null]);
  });
});
