// What doctor finds of the things that agents left and that were moved aside at the end of their runs: nobody else ever takes them away. Called by doctor.ts.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Paths } from "../../core/paths.ts";
import { asideFolder } from "../../isolation/put-back.ts";
import { counted } from "../counted.ts";
import { type Check, unknown, warning } from "./check.ts";

/** An agent made what is in there, and may have made a million of them. */
const MOST_LOOKED_AT = 20_000;

/** Nothing where there is nothing. */
export function setAsideChecks({ state }: Paths): Check[] {
  const name = "set aside";
  const folder = asideFolder(state);
  const remove = `look through it for what you want, then rm -r ${folder}`;
  try {
    const runs = readdirSync(folder).length;
    if (runs === 0) return [];
    const { bytes, whole } = sizeOf(folder);
    const size = `${whole ? "" : "more than "}${(bytes / 1_000_000).toFixed(1)} MB`;
    return [warning(name, `${size} of ${counted(runs, "run")}, which agents put in the place of yours, is kept in ${folder}`, remove)];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    return [unknown(name, `${folder} cannot be looked at: ${(error as Error).message}`, remove)];
  }
}

function sizeOf(folder: string): { readonly bytes: number; readonly whole: boolean } {
  const waiting = [folder];
  let bytes = 0;
  let seen = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      seen += 1;
      if (seen > MOST_LOOKED_AT) return { bytes, whole: false };
      const path = join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return { bytes, whole: true };
}
