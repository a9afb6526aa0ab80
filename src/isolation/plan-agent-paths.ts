// Where the files of an agent known by name are in this run. Used by plan-agents.ts, plan-own-state.ts and plan-roots.ts.
import type { KnownAgent, Protected } from "./agents.ts";
import { joined, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import { expand } from "./plan-stores.ts";

export function stateFolders(known: KnownAgent, input: IsolationInput): string[] {
  return [...known.roots, ...known.state].flatMap((place) => expand(place, input));
}

/** One that is named by a relative path lies in the agent's own folders. */
export function databases(known: KnownAgent, input: IsolationInput): string[] {
  return known.databases.flatMap((name) => (input.env[name]?.startsWith("/") ? expand(`%${name}`, input) : []));
}

export function belowRoots(paths: readonly string[], known: KnownAgent, input: IsolationInput): string[] {
  const folders = known.roots.flatMap((root) => expand(root, input));
  return paths.flatMap((path) => folders.map((folder) => joined(folder, path)));
}

/** Whether what is missing below a root is stood in for: in the first root, and in home; not in the home of the user database. */
export function isMadeUp(path: string, known: KnownAgent, input: IsolationInput): boolean {
  const [first] = known.roots.flatMap((root) => expand(root, input));
  return within(path, input.home) || (first !== undefined && within(path, first));
}

/** `apart`: outside of the roots. */
export type ProtectedPath = Protected & { readonly apart: boolean };

export function protectedPaths(known: KnownAgent, input: IsolationInput, listed: readonly Protected[]): ProtectedPath[] {
  return listed.flatMap(({ standIn, ...each }) => {
    const apart = isElsewhere(each.path);
    const paths = apart ? expand(each.path, input) : belowRoots([each.path], known, input);
    return paths.map((path, index) => {
      const stands = standIn !== undefined && (apart ? index === 0 || within(path, input.home) : isMadeUp(path, known, input));
      return { ...each, path, apart, ...(stands ? { standIn } : {}) };
    });
  });
}

export function elsewhere(known: KnownAgent): Protected[] {
  return known.protect.filter(({ path }) => isElsewhere(path));
}

/** Whether a protected path of the table is outside of the agent's roots. */
export function isElsewhere(path: string): boolean {
  return /^[~$%]/.test(path);
}
