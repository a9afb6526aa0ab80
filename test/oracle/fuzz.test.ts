// Generated streams against the oracle: the first of those that `npm run fuzz:terminal` runs by the ten thousand.
import { describe, expect, it } from "vitest";
import { differenceOf } from "./fuzz.ts";
import { streamOf, WIDER_FROM } from "./streams.ts";

const PART = 100;
/** Seeds beyond those that differed once. */
const MENDED = [
  9184, 10270, 12803, 13292, 14073, 14255, 15363, 18108, 19308, 19587, 7311, 8571, 41688, 16437, 22772, 51210, 59439, 60124, 66339, 81546,
  83256, 86426, 87333, 87979, 89277, 89887, 200552, 301242, 1795, 503067, 501503, 1003639, 1004927, 1006967, 1007760, 2000990, 2004524,
  2004820, 2005976, 2006002, 1500543, 9026456, 9032878, 9106231, 9111659, 9117750, 9126281, 9128910, 9302404, 21001678, 21002157, 25000376,
  25000995, 25003632, 41006592, 730004834, 730016510, 730018666, 730021296, 730035745, 730067717, 880001826, 940016457, 730034789,
  940011094, 941012815, 941017785, 941029432, 942005678, 942008090, 942008480, 942010591, 943003154, 943010276, 943011642,
];

describe("streams of every kind, cut anywhere, with resizes and overlays between", () => {
  it.each([1, 101, 201, 301, 401, WIDER_FROM])(
    "show what the agent wrote, and the bar: a hundred seeds from %i on",
    (from) => {
      for (let seed = from; seed < from + PART; seed++) {
        expect({ seed, difference: differenceOf(streamOf(seed)) }).toEqual({ seed, difference: undefined });
      }
    },
    60_000,
  );

  it.each(MENDED)("still show what they did not once: seed %i", (seed) => {
    expect(differenceOf(streamOf(seed))).toBeUndefined();
  });
});
