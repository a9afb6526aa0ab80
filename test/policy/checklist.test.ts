// The go-live checklist: each answer by its facts, and nothing unknown that counts as a yes.
import { describe, expect, it } from "vitest";
import { type ChecklistFacts, checklist, score } from "../../src/policy/checklist.ts";

const good: ChecklistFacts = {
  now: Date.parse("2026-11-22T12:00:00Z"),
  profile: "shop",
  role: "arn:aws:iam::123456789012:role/agent",
  sharedWith: [],
  everything: [],
  anywhere: [],
  policiesFrom: "the role",
  longLived: [],
  audit: { sound: true, text: "whole" },
  trails: ["main"],
  trailsUnknown: undefined,
  review: { date: "2027-01-15", from: "review_by" },
};

describe("the go-live checklist", () => {
  it("names commands that can be run as they stand", () => {
    const bad = checklist({ ...good, role: undefined, everything: ["s3:*"] });
    expect([bad[0]?.fix, bad[1]?.fix]).toEqual(["make one: agent-run setup shop", "agent-run policy lint shop"]);
  });

  it("is six of six when everything was found as it should be", () => {
    const items = checklist(good);
    expect(score(items)).toBe(6);
    expect(items.map(({ fix }) => fix)).toEqual(new Array(6).fill(undefined));
  });

  it.each<[string, Partial<ChecklistFacts>, number, string]>([
    ["no role is named", { role: undefined }, 0, "unknown"],
    ["another profile uses the role", { sharedWith: ["profile deploy"] }, 0, "no"],
    ["a whole service is allowed", { everything: ["s3:*"] }, 1, "no"],
    ["writes go anywhere", { anywhere: ["s3:PutObject on *"] }, 2, "no"],
    ["a key lies about", { longLived: [".env"] }, 3, "no"],
    ["our audit is not whole", { audit: { sound: false, text: "1 error" } }, 4, "no"],
    ["no trail logs", { trails: [] }, 4, "no"],
    ["AWS did not say whether a trail logs", { trails: undefined, trailsUnknown: "AccessDenied" }, 4, "unknown"],
    ["no review is planned", { review: undefined }, 5, "no"],
    ["the review has passed", { review: { date: "2026-11-20", from: "x" } }, 5, "no"],
    ["the review is a year away", { review: { date: "2027-11-20", from: "x" } }, 5, "no"],
    ["the review is no date", { review: { date: "soon", from: "x" } }, 5, "no"],
  ])("says so when %s", (_, facts, index, answer) => {
    const items = checklist({ ...good, ...facts });
    expect(items[index]).toMatchObject({ answer, fix: expect.any(String) });
    expect(score(items)).toBe(5);
  });

  it("takes a review of today", () => {
    expect(checklist({ ...good, review: { date: "2026-11-22", from: "x" } })[5]?.answer).toBe("yes");
  });
});
