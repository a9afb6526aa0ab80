// Listings, as text.
import { expect, it } from "vitest";
import { fitting } from "../../src/cli/ps-rows.ts";
import { table } from "../../src/cli/table.ts";

it("sessions in a narrow terminal lose whole columns, and never who, as what, how long and how they are", () => {
  const row = ["sess_a8f3b21c", "claude", "readonly", "agent-readonly@123456789012", "shop", "14 min", "46m ↻", "3", "active"];
  const trouble = [...row.slice(0, -1), "active: the base credentials have expired, and this takes more than a line"];
  const headings = (columns: number): string => fitting([row, trouble], columns)[0]?.join(" ") ?? "";
  expect(headings(Number.POSITIVE_INFINITY)).toBe("SESSION AGENT PROFILE IDENTITY PROJECT AGE LEFT FETCHES STATE");
  expect(headings(100)).toBe("SESSION AGENT PROFILE IDENTITY PROJECT AGE LEFT STATE");
  expect(headings(80)).toBe("SESSION AGENT IDENTITY PROJECT LEFT STATE");
  expect(headings(20)).toBe("SESSION AGENT IDENTITY LEFT STATE");
  for (const line of table(fitting([row], 80)).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(fitting([row, trouble], 80)[2]?.at(-1)).toBe(trouble.at(-1));
});

it("a cell with a line break in it is no row of its own", () => {
  expect(
    table([
      ["session", "agent"],
      ["sess_1", "ev\nsess_0  forged"],
    ]).split("\n"),
  ).toHaveLength(2);
});

it("the last column goes on below itself in a terminal, and at the left where hardly any room is left for it", () => {
  const cells = [
    ["PROFILE", "WHAT IT IS FOR"],
    ["readonly", "reads all that there is, changes nothing"],
  ];
  expect(table(cells)).toBe("PROFILE   WHAT IT IS FOR\nreadonly  reads all that there is, changes nothing");
  expect(table(cells, 34)).toBe("PROFILE   WHAT IT IS FOR\nreadonly  reads all that there is,\n          changes nothing");
  expect(table(cells, 24)).toBe("PROFILE   WHAT IT IS FOR\nreadonly  reads all that\n    there is, changes\n    nothing");
});
