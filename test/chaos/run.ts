// `npm run chaos -- [--rounds N] [--seed S] [--only text] [--moment name] [--from N]`: rounds of harm against real sessions; ends with a
// summary and status 1 where anything was left.
import { parseArgs } from "node:util";
import { machineHere, Place } from "./place.ts";
import { describeRound, kinds, moments, planRound } from "./plan.ts";
import { playRound } from "./round.ts";
import { Summary } from "./summary.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    moment: { type: "string" },
    from: { type: "string" },
    loud: { type: "boolean" },
  },
});
const rounds = Number(values.rounds ?? 50);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const from = Number(values.from ?? 0);
const moment = moments.find((each) => each === values.moment);
if (values.moment !== undefined && moment === undefined)
  throw new Error(`no moment is called '${values.moment}'; there are: ${moments.join(", ")}`);
const machine = machineHere();
const without = Object.entries(kinds).filter(([, { needs }]) => needs !== undefined && !machine[needs]);
console.log(
  `seed ${seed}, ${rounds} rounds from ${from}${without.length > 0 ? `; left out here: ${without.map(([name]) => name).join(", ")}` : ""}`,
);

const summary = new Summary();
let enough = false;
process.once("SIGINT", () => {
  console.log("enough: the summary follows after this round");
  enough = true;
});
{
  await using place = await Place.open(machine);
  for (let number = from; number < from + rounds && !enough; number += 1) {
    const round = planRound(seed, number, machine, { kind: values.only, moment });
    const begun = performance.now();
    try {
      const outcome = await playRound(place, round);
      summary.add(round, outcome);
      if (values.loud || outcome.leftovers.length > 0) console.log(`${describeRound(round)}: ${Math.round(performance.now() - begun)} ms`);
      for (const line of outcome.leftovers) console.log(`    ${line}`);
      if (outcome.leftovers.length > 0) await place.sweep();
    } catch (error) {
      summary.notPlayed(round);
      console.log(`${describeRound(round)}: not played: ${error instanceof Error ? error.message : String(error)}`);
      await place.sweep();
    }
  }
}
console.log(summary.text());
process.exitCode = summary.leftovers > 0 || summary.unplayed > 0 ? 1 : 0;
