// Reads dist/iam-data.json, once a process. Called by the commands that look at policies.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { type Catalogue, readCatalogue } from "../policy/catalogue.ts";

let read: { readonly folder: string; readonly catalogue: Catalogue } | undefined;

/**
 * What AWS says of every action.
 * @param packageFolder the folder that holds dist/
 * @throws AgentRunError `internal` when the installation is damaged
 */
export function catalogueOf(packageFolder: string): Catalogue {
  if (read?.folder === packageFolder) return read.catalogue;
  let text: string;
  try {
    text = readFileSync(join(packageFolder, "dist", "iam-data.json"), "utf8");
  } catch (error) {
    throw new AgentRunError("internal", "the file of AWS's actions (dist/iam-data.json) is missing", {
      hint: "install agent-run again; in a clone: npm run build",
      cause: error,
    });
  }
  read = { folder: packageFolder, catalogue: readCatalogue(text) };
  return read.catalogue;
}
