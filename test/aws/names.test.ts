// Names, tags and durations: whatever goes in, STS accepts what comes out, and every change is said.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTagKeys, cleanName, cleanTag, cleanTags, durationFor } from "../../src/aws/names.ts";
import { failure } from "../failure.ts";

describe("names", () => {
  it.each([
    ["ann", "ann"],
    ["ann@example.com", "ann@example.com"],
    ["Ann Müller", "Ann-Muller"],
    ["DOMAIN\\ann", "DOMAIN-ann"],
    ["aws:ann", "aws-ann"],
    ["x", "x-"],
    ["", "unknown"],
    ["李雷", "unknown"],
    ["a".repeat(80), "a".repeat(64)],
    ["---ann---", "ann"],
  ])("%j becomes %j", (value, expected) => {
    const { value: cleaned, changed } = cleanName(value, "developer");
    expect(cleaned).toBe(expected);
    expect(changed === undefined).toBe(value === expected);
    if (changed) expect(changed).toContain(`developer '${value.slice(0, 80)}' is sent as '${expected}`);
  });

  it("are always what STS accepts, and clean ones stay as they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (value) => {
        const once = cleanName(value, "developer").value;
        return /^[\w+=,.@-]{2,64}$/.test(once) && !once.startsWith("aws:") && cleanName(once, "developer").changed === undefined;
      }),
    );
  });
});

describe("tags", () => {
  it("keep every script, and lose what STS refuses", () => {
    expect(cleanTag("fix the café #42 (urgent!)", "task")).toEqual({
      value: "fix the café _42 _urgent_",
      changed: "tag task 'fix the café #42 (urgent!)' is sent as 'fix the café _42 _urgent_', which is what sts accepts",
    });
    expect(cleanTag("李雷 / web", "project")).toEqual({ value: "李雷 / web", changed: undefined });
  });

  it("have values that STS always accepts", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (value) => {
        const cleaned = cleanTag(value, "task").value;
        return [...cleaned].length <= 256 && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(cleaned) && cleanTag(cleaned, "task").value === cleaned;
      }),
    );
  });

  it("say all that was changed, and leave out what is empty", () => {
    expect(cleanTags({ task: "a#b", project: "web", note: "" })).toEqual({
      tags: { task: "a_b", project: "web" },
      changed: ["tag task 'a#b' is sent as 'a_b', which is what sts accepts"],
    });
  });

  it.each([
    ["", "1 to 128"],
    ["k".repeat(129), "1 to 128"],
    ["a#b", "letters, digits"],
    ["aws:x", "reserved"],
    ["AWS:x", "reserved"],
  ])("with the key %j are refused", (key, why) => {
    const error = failure(() => checkTagKeys([key]));
    expect(error.code).toBe("usage");
    expect(error.message).toContain(why);
  });

  it("that differ by case only, or are more than 50, are refused", () => {
    expect(failure(() => checkTagKeys(["Task", "task"])).message).toContain("twice");
    expect(failure(() => checkTagKeys(Array.from({ length: 51 }, (_, index) => `k${index}`))).message).toContain("51");
  });
});

describe("durations", () => {
  it.each([
    [{ wantedMs: 60_000, chained: false }, 900],
    [{ wantedMs: 900_000, chained: false }, 900],
    [{ wantedMs: 3_600_500, chained: false }, 3601],
    [{ wantedMs: 7_200_000, chained: false }, 7200],
    [{ wantedMs: 7_200_000, chained: true }, 3600],
    [{ wantedMs: 7_200_000, chained: false, roleMaxS: 3600 }, 3600],
    [{ wantedMs: 7_200_000, chained: true, roleMaxS: 43_200 }, 3600],
    [{ wantedMs: 86_400_000, chained: false }, 43_200],
  ])("%j asks for %i s, and says so when that is another", (request, seconds) => {
    const duration = durationFor(request);
    expect(duration.seconds).toBe(seconds);
    expect(duration.changed === undefined).toBe(Math.ceil(request.wantedMs / 1000) === seconds);
  });

  it("name the limit that counts", () => {
    expect(durationFor({ wantedMs: 7_200_000, chained: true }).changed).toContain("base credentials are a role");
    expect(durationFor({ wantedMs: 7_200_000, chained: false, roleMaxS: 5400 }).changed).toContain("1 h 30 min, the role's maximum");
    expect(durationFor({ wantedMs: 60_000, chained: false }).changed).toContain("shortest");
  });
});
