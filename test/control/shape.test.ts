import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { daemonMessage, launcherMessage } from "../../src/control/protocol.ts";
import {
  anything,
  atLeast,
  boolean,
  checked,
  list,
  Mismatch,
  message,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  string,
} from "../../src/control/shape.ts";

function at(shape: Shape<unknown>, value: unknown): string | undefined {
  const result = checked(shape, value);
  return result instanceof Mismatch ? result.at : undefined;
}

describe("a shape", () => {
  const wrong: [string, Shape<unknown>, unknown, string][] = [
    ["a text for a number", number, "1", ""],
    ["no number", number, Number.NaN, ""],
    ["an endless number", number, Number.POSITIVE_INFINITY, ""],
    ["a number below the least", atLeast(1000), 999, ""],
    ["a text for a number that has a least", atLeast(1000), "1000", ""],
    ["a number for a boolean", boolean, 1, ""],
    ["nothing for a text", string(), null, ""],
    ["a text that is too long", string(3), "four", ""],
    ["a text of another form", string(9, /^a+$/), "aab", ""],
    ["a name that is not in the list", oneOf(["ok", "warning"]), "constructor", ""],
    ["a list for an object", object({}), [], ""],
    ["nothing for an object", object({}), null, ""],
    ["an object for a list", list(number), { length: 0 }, ""],
    ["a field that is missing", object({ a: object({ b: number }) }), { a: {} }, "a.b"],
    ["a field that is inherited only", object({ toString: anything, constructor: string() }), {}, "constructor"],
    ["a wrong member of a list", object({ a: list(string()) }), { a: ["x", 1] }, "a.1"],
    ["a wrong member of a record", object({ a: record(string()) }), { a: { x: "1", y: 2 } }, "a.y"],
    ["null where a field may be absent", object({ a: optional(number) }), { a: null }, "a"],
    ["a message of no kind", message({ kill: {} }), {}, "type"],
    ["a message of another kind", message({ kill: {} }), { type: "__proto__" }, "type"],
    ["a message with a wrong field", message({ kill: {}, end: { at: number } }), { type: "end" }, "at"],
  ];
  it.each(wrong)("refuses %s, and names the place", (_what, shape, value, place) => {
    expect(at(shape, value)).toBe(place);
  });

  it("gives what was asked for and leaves out the rest, also names that mean something to JavaScript", () => {
    const value = JSON.parse('{"type":"open","n":1,"more":2,"tags":{"a":"b","__proto__":"c","constructor":"d"},"gone":null}') as unknown;
    const shape = message({ open: { n: number, tags: record(string()), absent: optional(string()) } });
    const result = checked(shape, value);
    expect(result).toEqual({ value: { type: "open", n: 1, tags: { a: "b", constructor: "d" } } });
    expect(Object.keys((result as { value: object }).value)).toEqual(["type", "n", "tags"]);
  });

  it("lets through no error but its own", () => {
    const broken: Shape<never> = () => {
      throw new RangeError("broken");
    };
    expect(() => checked(broken, 1)).toThrow(RangeError);
  });
});

describe("the messages of the protocol", () => {
  it("give a value of their own kind or the place that is wrong, whatever comes", () => {
    const kinds = fc.constantFrom(
      "open",
      "spawned",
      "answer",
      "kill",
      "exited",
      "step",
      "plan",
      "ready",
      "status",
      "end",
      "ended",
      "failed",
      "",
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.tuple(kinds, fc.dictionary(fc.string(), fc.jsonValue())).map(([type, rest]) => ({ ...rest, type })),
    );
    fc.assert(
      fc.property(value, fc.constantFrom<Shape<{ type: string }>>(launcherMessage, daemonMessage), (given, shape) => {
        const result = checked(shape, given);
        if (!(result instanceof Mismatch)) expect(result.value.type).toBe((given as { type: string }).type);
      }),
    );
  });
});
