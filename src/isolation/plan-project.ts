// The part of the plan about what the agent may write: the project, what the human added, and the git files in it that would run later. Used by plan.ts.
import { AgentRunError } from "../core/error.ts";
import { absolute, joined } from "./path.ts";
import type { Facts, IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";

export function planProject(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const hidden = builder.forbidden(facts.project) ?? builder.hiddenBecause(facts.project);
  if (hidden) {
    throw new AgentRunError("isolation", `the project ${facts.project} lies in what is hidden from agents: ${hidden}`, {
      hint: "work in another folder, or run with --isolation none",
    });
  }
  if (builder.isTooWide(facts.project)) {
    builder.warn(
      `${facts.project} is too wide to be a project: nothing in it is writable; start in a project's folder, or name folders in isolation.write`,
    );
  } else {
    builder.put({ path: facts.project, access: "writable", kind: "folder", reason: "the project" });
    protectGit(builder, facts);
  }
  for (const text of input.write) alsoWritable(builder, input, facts, text);
}

function alsoWritable(builder: PlanBuilder, input: IsolationInput, facts: Facts, text: string): void {
  const path = absolute(text, input.home, input.cwd);
  const found = facts.found.get(path);
  if (!found) {
    builder.warn(`isolation.write: ${text} is not there`);
    return;
  }
  const because = builder.forbidden(found.real) ?? builder.forbidden(path) ?? builder.hiddenBecause(found.real);
  if (because || builder.isTooWide(found.real)) {
    throw new AgentRunError("config", `isolation.write: ${text} can not be given to an agent: ${because ?? "it holds too much else"}`, {
      hint: because ? "remove it from isolation.write" : "name the folders in it that the agent needs",
    });
  }
  builder.put({
    path: found.real,
    access: "writable",
    kind: found.kind === "folder" ? "folder" : "file",
    reason: "you asked: isolation.write",
  });
}

/** Hooks and configuration run programs whenever the human uses git (githooks(5), git-config(1)): read-only, also where there are none yet. */
function protectGit(builder: PlanBuilder, facts: Facts): void {
  const reason = "git runs what this says, later, as you";
  const reads = facts.git.some((git) => git.readsWorktreeConfig);
  for (const git of facts.git) {
    builder.put({ path: git.path, access: "writable", kind: "folder", reason: "the project's git folder", pinned: true });
    const protect = (name: string, there: boolean, kind: "file" | "folder", standIn?: "folder" | { file: string }): void => {
      if (there || standIn)
        builder.put({ path: joined(git.path, name), access: "read-only", kind, reason, ...(there || !standIn ? {} : { standIn }) });
    };
    protect("config", git.config, "file");
    protect("config.worktree", git.worktreeConfig, "file", reads ? { file: "" } : undefined);
    const common = git.kind === "submodule" || !facts.git.some((other) => other.kind === "shared") || git.kind === "shared";
    if (common) protect("hooks", git.hooks, "folder", "folder");
    // A pointer to another folder, whose configuration would count instead; one that points at itself changes nothing (gitrepository-layout(5)).
    protect("commondir", git.commonPointer, "file", { file: ".\n" });
  }
  if (facts.git.length === 0)
    builder.note("the project has no git folder yet: look at hooks and configuration of one that the agent makes before you use it");
}
