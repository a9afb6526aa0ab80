// The part of the plan about what the agent may write: the project, what the human added, and the git files in it that would run later. Used by plan.ts.
import { AgentRunError } from "../core/error.ts";
import { absolute, joined, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Facts } from "./plan-facts.ts";
import { rootLeft, writableRoots } from "./plan-roots.ts";

/**
 * The project is writable, but for what git runs in it; with it what `isolation.write` names.
 * @throws AgentRunError `isolation` where the project lies in what is hidden, `config` for what `isolation.write` can not give
 */
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
  const left = rootLeft(path, found.real, writableRoots(input, facts));
  if (left) {
    throw new AgentRunError(
      "config",
      `isolation.write: ${text} is a link that leads out of ${left.path}, where agents write, to ${found.real}`,
      {
        hint: `look at who made it; where it is right, write ${found.real} in its place`,
      },
    );
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
  const cover = (path: string, kind: "file" | "folder", standIn?: "folder" | { file: string }): void =>
    builder.put({ path, access: "read-only", kind, reason, ...(standIn === undefined ? {} : { standIn }) });
  const hasShared = facts.git.some((git) => git.kind === "shared");
  const main = facts.git.filter(({ kind }) => kind === "own" || kind === "shared" || kind === "worktree");
  const written = [facts.project, ...facts.git.map(({ path }) => path)];
  for (const git of facts.git) {
    const { links = [] } = git;
    if (links.length > 0) {
      const names = links.map((name) => `${git.path}/${name}`).join(", ");
      builder.put({
        path: git.path,
        access: "read-only",
        kind: "folder",
        reason: `${links.join(", ")} in it is a link, which can not be covered`,
      });
      builder.warn(
        `${names} is a link, and another could be put in its place: the git folder is there to read only; make it a file or folder, or set core.hooksPath`,
      );
      continue;
    }
    builder.put({ path: git.path, access: "writable", kind: "folder", reason: "the project's git folder", pinned: true });
    const protect = (name: string, there: boolean, kind: "file" | "folder", standIn?: "folder" | { file: string }): void => {
      if (there) cover(joined(git.path, name), kind);
      else if (standIn) cover(joined(git.path, name), kind, standIn);
    };
    // Work trees read the configuration that they share.
    const reads = main.includes(git) ? main.some((one) => one.readsWorktreeConfig) : git.readsWorktreeConfig;
    protect("config", git.config, "file");
    protect("config.worktree", git.worktreeConfig, "file", reads ? { file: "" } : undefined);
    if (git.kind !== "worktree" && !(git.kind === "own" && hasShared)) protect("hooks", git.hooks, "folder", "folder");
    // A pointer to another folder, whose configuration would count instead; one that points at itself changes nothing (gitrepository-layout(5)).
    protect("commondir", git.commonPointer, "file", { file: ".\n" });
    for (const { path, there } of git.includes ?? [])
      if (written.some((folder) => within(path, folder))) cover(path, "file", there ? undefined : { file: "" });
    if (git.includesMore)
      builder.warn(`${git.path}/config includes more files than are covered: look at those in the project before you use git in it`);
    if (git.pointer !== undefined && within(git.pointer, facts.project)) cover(git.pointer, "file");
  }
  const { gitElsewhere: elsewhere, gitLeft: left = [], gitClosed: closed = [] } = facts;
  if (elsewhere !== undefined) {
    builder.warn(
      `the project's .git leads to ${elsewhere}, which is not known to be the project's: it is there to read only; where that is right, name it in isolation.write`,
    );
  }
  if (left.length > 0)
    builder.warn(
      `${left.length} git folders are not covered, as they are too many: look at their hooks and configuration before you use them`,
    );
  if (closed.length > 0)
    builder.warn(
      `${some(closed)}: closed to you by mode, so that git folders in it are not covered: look at their hooks and configuration before you use them`,
    );
  if (facts.git.length === 0 && elsewhere === undefined)
    builder.note("the project has no git folder yet: look at hooks and configuration of one that the agent makes before you use it");
}

/** The first of them by name. */
function some(paths: readonly string[]): string {
  const [first = "", ...rest] = paths;
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}
