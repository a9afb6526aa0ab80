// Business hours as absolute times, over zones, weekends, nights and the changes of the clock.
import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/policy/evaluate.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import { closingTime, type Hours, hoursAt, hoursDenies } from "../../src/session/hours.ts";

const berlin: Hours = { from: "09:00", to: "18:00", time_zone: "Europe/Berlin" };
const at = (text: string): number => Date.parse(text);
const shown = (hours: Hours, now: string): string[] | undefined => {
  const open = hoursAt(hours, at(now));
  return open && [open.opensAt, open.closesAt].map((instant) => new Date(instant).toISOString().slice(0, 16));
};

describe("business hours", () => {
  it.each([
    ["a winter's morning", "2027-01-13T10:00:00Z", ["2027-01-13T08:00", "2027-01-13T17:00"]],
    ["a summer's morning", "2027-07-14T10:00:00Z", ["2027-07-14T07:00", "2027-07-14T16:00"]],
    ["before they begin", "2027-01-13T07:59:59Z", ["2027-01-13T08:00", "2027-01-13T17:00"]],
    ["the minute they end", "2027-01-13T17:00:00Z", ["2027-01-14T08:00", "2027-01-14T17:00"]],
    ["a Saturday", "2027-01-16T10:00:00Z", ["2027-01-18T08:00", "2027-01-18T17:00"]],
    ["the Friday before the clocks go forward", "2027-03-26T20:00:00Z", ["2027-03-29T07:00", "2027-03-29T16:00"]],
  ])("of Berlin on %s", (_when, now, expected) => {
    expect(shown(berlin, now)).toEqual(expected);
  });

  it("that end in the morning go on past midnight", () => {
    const night: Hours = { days: ["fri"], from: "22:00", to: "06:00", time_zone: "Asia/Kolkata" };
    expect(shown(night, "2027-01-15T20:00:00Z")).toEqual(["2027-01-15T16:30", "2027-01-16T00:30"]);
    expect(shown(night, "2027-01-16T01:00:00Z")).toEqual(["2027-01-22T16:30", "2027-01-23T00:30"]);
  });

  it("end the session with them, and outside of them none begins", () => {
    expect(closingTime(berlin, at("2027-01-13T16:30:00Z"), "ops")).toBe(at("2027-01-13T17:00:00Z"));
    expect(() => closingTime(berlin, at("2027-01-16T10:00:00Z"), "ops")).toThrow(
      "profile 'ops' is for mon to fri 09:00–18:00 Europe/Berlin only; they begin again at 2027-01-18T08:00Z",
    );
  });

  it("of some actions deny these alone, before and after", () => {
    const hours: Hours = { ...berlin, actions: ["ec2:RunInstances"] };
    const decided = (launched: string, asked: string, action = "ec2:RunInstances"): string => {
      const Statement = [{ Effect: "Allow", Action: "*", Resource: "*" }, ...hoursDenies(hours, at(launched))];
      const policy = parsePolicyValue({ Version: "2012-10-17", Statement }, "hours");
      const principal = "arn:aws:sts::123456789012:assumed-role/agent/sess_00000000";
      return evaluate({ principal, action, resource: "*", context: { "aws:CurrentTime": asked } }, { identity: [policy] }).outcome;
    };
    expect(decided("2027-01-13T16:30:00Z", "2027-01-13T16:59:00Z")).toBe("allowed");
    expect(decided("2027-01-13T16:30:00Z", "2027-01-13T17:01:00Z")).toBe("explicitDeny");
    expect(decided("2027-01-13T16:30:00Z", "2027-01-13T17:01:00Z", "ec2:DescribeInstances")).toBe("allowed");
    expect(decided("2027-01-13T07:30:00Z", "2027-01-13T07:31:00Z")).toBe("explicitDeny");
    expect(decided("2027-01-13T07:30:00Z", "2027-01-13T08:01:00Z")).toBe("allowed");
    expect(decided("2027-01-16T12:00:00Z", "2027-01-16T12:01:00Z")).toBe("explicitDeny");
  });
});
