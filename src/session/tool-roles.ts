// A role of its own for each tool: which tool (an actor such as `mcp:send-email`) used which role, kept in the state folder, which a session's sandbox hides.
// Called by session.ts before a role is assumed.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { checked, list, number, type Of, object, string } from "../control/shape.ts";
import type { Instant } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { type Paths, toolsFile } from "../core/paths.ts";

const toolUses = list(object({ role: string(), tool: string(), profile: string(), at: number }));

type ToolUse = Of<typeof toolUses>[number];

/** A tool that has not run for this long has left its role to others. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000;

/** Tools are told by their name: `mcp:` and what it is called. Agents may share a role, and are told apart by their session tags. */
const isTool = (actor: string): boolean => actor.startsWith("mcp:");

/**
 * Takes the role for this tool, or refuses where another tool has it. Reading and writing are one synchronous step in the one daemon, so that of two that start
 * at once only one gets it.
 * @param share the human lets this one share
 * @param keep false: look only, as a dry run does
 * @throws AgentRunError `profile` where another tool uses the role, `state-folder` where nobody can tell
 */
export function takeRole(
  paths: Paths,
  use: { readonly actor: string; readonly role: string; readonly profile: string; readonly at: Instant },
  { share, keep }: { readonly share: boolean; readonly keep: boolean },
): void {
  const { actor: tool, role, profile, at } = use;
  if (!isTool(tool)) return;
  const known = read(paths).filter((one) => at - one.at < FORGOTTEN_MS);
  const other = known.findLast((one) => one.role === role && one.tool !== tool);
  if (other !== undefined && !share) throw shared(other, tool, profile);
  if (keep) write(paths, [...known.filter((one) => one.role !== role || one.tool !== tool), { role, tool, profile, at }]);
}

function shared(other: ToolUse, tool: string, profile: string): AgentRunError {
  const day = new Date(other.at).toISOString().slice(0, 10);
  return new AgentRunError("profile", `'${tool}' would share the role ${other.role} with '${other.tool}', which used it on ${day}`, {
    hint: `give it a profile with a role of its own (agent-run profiles new, agent-run setup), or let it share: --share-role, or share_role = true under [profiles.${profile}] in config.toml`,
  });
}

function read(paths: Paths): ToolUse[] {
  const file = toolsFile(paths);
  try {
    const found = checked(toolUses, JSON.parse(readFileSync(file, "utf8")));
    if ("value" in found) return found.value;
    throw found;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new AgentRunError("state-folder", `cannot tell which tool uses which role: ${file}: ${messageOf(error)}`, {
      hint: `look at it; without the file every role is free again: rm ${file}`,
      cause: error,
    });
  }
}

function write(paths: Paths, uses: readonly ToolUse[]): void {
  const file = toolsFile(paths);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(uses, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new AgentRunError("state-folder", `cannot write ${file}: ${messageOf(error)}`, {
      hint: "make room on its disk, or set XDG_STATE_HOME to a folder that you can write",
      cause: error,
    });
  }
}
