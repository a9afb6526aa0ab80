// Whether the actions that a human names for narrowing are AWS's. Called by launch.ts and trust.ts, only where some are named: reading the catalogue takes time.
// A launch has it from another bundle, and so gets values of it, no errors.
import { catalogueOf } from "./catalogue-file.ts";

export interface NamedActions {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

interface UnknownAction {
  readonly list: "allow" | "deny";
  readonly action: string;
  /** The action that was probably meant, or the same with a wildcard. */
  readonly hint: string;
}

/**
 * The entries that name no action of AWS. A misspelt Deny would deny nothing, in silence. One with a wildcard passes: it may name what is newer than
 * the catalogue; one that is no action at all is left to whoever compiles the policy.
 * @param named entries as they were written, `s3:GetObject` or `s3:GetObject=arn:…`
 */
export function unknownActions(named: NamedActions, packageFolder: string): UnknownAction[] {
  return (["allow", "deny"] as const).flatMap((list) =>
    (named[list] ?? []).flatMap((entry) => {
      const action = entry.split("=")[0] ?? "";
      if (!action.includes(":") || /[*?]/.test(action)) return [];
      const catalogue = catalogueOf(packageFolder);
      if (catalogue.matching(action).length > 0) return [];
      const meant = catalogue.meant(action);
      return [
        { list, action, hint: `${meant ? `did you mean '${meant}'? ` : ""}write '${action}*' for an action newer than this version` },
      ];
    }),
  );
}
