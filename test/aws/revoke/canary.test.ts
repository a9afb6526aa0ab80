// When a revocation stops looking whether its deny holds.
import { describe, expect, it } from "vitest";
import { awaitDeny, type CanaryAnswer } from "../../../src/aws/revoke/canary.ts";
import { systemClock } from "../../../src/core/clock.ts";

/** Answers one after the other, the last one for ever. */
const answering = (...answers: CanaryAnswer[]) => {
  let calls = 0;
  return async (): Promise<CanaryAnswer> => {
    calls += 1;
    return answers[Math.min(calls, answers.length) - 1] ?? "allowed";
  };
};
const LONG_MS = 60_000;

describe("a look at a deny", () => {
  it("is confirmed by two refusals in a row that name the policy, not by one", async () => {
    expect(await awaitDeny(answering("denied", "allowed", "denied", "denied"), systemClock, LONG_MS)).toEqual({
      confirmed: true,
      calls: 4,
    });
  });

  it("takes a refusal without a reason where the call was allowed before", async () => {
    expect(await awaitDeny(answering("allowed", "refused"), systemClock, LONG_MS)).toEqual({ confirmed: true, calls: 3 });
    expect(await awaitDeny(answering("refused"), systemClock, 0)).toMatchObject({ confirmed: false, calls: 1 });
  });

  it("is over at once when the keys expire, and says so", async () => {
    const result = await awaitDeny(answering("allowed", "expired"), systemClock, LONG_MS);
    expect(result).toEqual({ confirmed: false, calls: 2, why: expect.stringContaining("has expired") });
  });
});
