// What is seen of the machine for a plan, where it changes while it is looked at.
import { realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gatherFacts } from "../../src/isolation/facts.ts";

describe.skipIf(process.platform !== "linux")("the facts (needs Linux)", () => {
  it("list a folder without a link that goes away meanwhile, and with all else that is in it", () => {
    // One of its links is the descriptor that it is listed by, and gone as soon as it was listed.
    const folder = "/proc/self/fd";
    const { listings } = gatherFacts({ homes: [], project: "/", cwd: "/", places: [{ path: folder, list: true }] });
    expect(listings.get(realpathSync(folder))?.map(({ kind }) => kind)).toContain("link");
  });
});
