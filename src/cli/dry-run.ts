// What `--dry-run` and `agent-run env` show: who the agent would be, and each change of its environment with its reason. Called by running.ts, which loads it for that
// alone, and by env.ts.
import { oneLine } from "../core/printable.ts";
import type { IsolationPlan } from "../isolation/plan.ts";
import type { EnvironmentChange } from "../session/environment.ts";
import { explain } from "./isolate.ts";
import type { LaunchRequest } from "./launch.ts";
import type { Prepared } from "./preparation.ts";
import { table } from "./table.ts";

/** Prints the plan of a run that is not carried out. Gives the exit status. */
export function describeDryRun({ context }: LaunchRequest, { view, command, isolation, changes }: Prepared, place: IsolationPlan): number {
  const { print } = context;
  print.text(`agent      ${oneLine([command.file, ...command.args].join(" "))}`);
  print.text(`identity   ${view.arn}`);
  print.text(`profile    ${view.profile}, ${view.delivery} delivery, isolation ${isolation.level}`);
  for (const caveat of view.caveats) print.text(`caveat     ${oneLine(caveat)}`);
  print.out("");
  print.out(environmentTable(changes, print.width()));
  print.out("");
  for (const line of explain(place)) print.text(oneLine(line));
  print.note("dry run: nothing was started, and the credentials were thrown away");
  return 0;
}

/** One line for each variable that is not simply passed on. Values are not shown: some are secret. */
export function environmentTable(changes: readonly EnvironmentChange[], columns: number | undefined): string {
  const told = changes.filter((change) => change.action !== "kept" || change.reason !== "");
  return table([["VARIABLE", "CHANGE", "WHY"], ...told.map(({ name, action, reason }) => [oneLine(name), action, reason])], columns);
}
