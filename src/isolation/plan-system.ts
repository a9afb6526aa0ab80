// The part of the plan about the machine itself and our own files: temp folders, /run, what must stay visible under them. Used by plan.ts.
import { AgentRunError } from "../core/error.ts";
import { baseOf, joined, within } from "./path.ts";
import { CERTIFICATES, type IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Facts } from "./plan-facts.ts";

const TEMPS = ["/tmp", "/var/tmp", "/dev/shm"];

/** Temp folders of its own, an empty /run, and back from it what programs need to work at all. */
export function planSystem(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const folder = (path: string): string | undefined => (facts.found.get(path)?.kind === "folder" ? facts.found.get(path)?.real : undefined);
  const run = folder("/run");
  if (run)
    builder.put({ path: run, access: "hidden", kind: "folder", reason: "sockets of the system, of your desktop and of container engines" });
  const temps = TEMPS.flatMap((path) => folder(path) ?? []);
  const named = folder(input.env["TMPDIR"] ?? "");
  if (named && !builder.isTooWide(named) && !temps.some((temp) => within(named, temp)) && !within(facts.project, named)) temps.push(named);
  for (const path of temps) {
    builder.put({ path, access: "empty", kind: "folder", reason: "temp of its own: sockets and files of others lie in yours" });
  }
  const runtime = folder(input.env["XDG_RUNTIME_DIR"] ?? "");
  if (runtime && !builder.isTooWide(runtime)) {
    builder.put({
      path: runtime,
      access: "empty",
      kind: "folder",
      reason: "a runtime folder of its own: yours holds session bus, keyring and agent sockets",
    });
  }
  for (const path of ["/run/current-system", "/run/booted-system", "/run/opengl-driver", "/run/host"]) {
    const found = facts.found.get(path);
    if (found) builder.put({ path, access: "read-only", kind: "folder", reason: "programs of the system", source: found.real });
  }
  if (facts.resolver && facts.resolver !== "/etc/resolv.conf") {
    builder.put({ path: facts.resolver, access: "read-only", kind: "file", reason: "names are looked up as outside" });
  }
  for (const drive of facts.windowsDrives) {
    if (within(facts.project, drive)) builder.note(`the project lies on the Windows drive ${drive}`);
    builder.put({
      path: drive,
      access: "hidden",
      kind: drive === "/init" ? "file" : "folder",
      reason: "Windows, where programs run outside of any isolation",
    });
  }
}

const OWN = "agent-run's own settings, records and control socket";

const ownFolders = ({ paths }: IsolationInput): readonly string[] => [paths.config, paths.state, paths.runtime];

/** Said before any part of the plan gives something back: our own folders never are, whatever leads there. */
export function forbidOwn(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  for (const path of ownFolders(input)) for (const place of [path, facts.found.get(path)?.real ?? path]) builder.forbid(place, OWN);
}

/** Our own folders are not there, but for this session's; our program and those that the run needs are there to read. */
export function planOwn(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  for (const path of ownFolders(input)) {
    const found = facts.found.get(path);
    if (!found) continue;
    if (within(facts.project, found.real)) {
      throw new AgentRunError("isolation", `the project ${facts.project} lies in agent-run's own folder ${found.real}`, {
        hint: "work in another folder",
      });
    }
    builder.hide(found, OWN, "never", path);
  }
  if (input.sessionFolder) {
    // The daemon may make it after this plan, and has by the time that the agent starts.
    const runtime = facts.found.get(input.paths.runtime)?.real;
    const later = runtime ? joined(runtime, baseOf(input.sessionFolder)) : input.sessionFolder;
    const path = facts.found.get(input.sessionFolder)?.real ?? later;
    builder.put({ path, access: "read-only", kind: "folder", reason: "this session's own files", opens: true });
  }
  const own = facts.found.get(input.packageFolder);
  if (own && within(facts.project, own.real))
    builder.note("the project is agent-run itself: what the agent changes here runs later as you");
  else if (own) builder.put({ path: own.real, access: "read-only", kind: "folder", reason: "agent-run itself" });
  for (const path of input.programs) keep(builder, facts, path, "a program of this run");
  for (const path of (input.env["PATH"] ?? "").split(":")) keep(builder, facts, path, "on your PATH");
  for (const name of CERTIFICATES) keep(builder, facts, input.env[name] ?? "", `certificates: ${name}`);
}

/** Shows a file or folder read-only where it would be gone because a temp folder or /run around it is replaced. */
function keep(builder: PlanBuilder, facts: Facts, path: string, reason: string): void {
  const found = facts.found.get(path);
  if (!found || found.kind === "socket" || builder.isTooWide(found.real) || builder.has(path) || within(facts.project, found.real)) return;
  const gone = [...TEMPS, "/run"].some((place) => [place, facts.found.get(place)?.real].some((root) => root && within(path, root)));
  if (gone && !within(found.real, facts.project)) {
    builder.put({ path, access: "read-only", kind: found.kind, reason, ...(found.real === path ? {} : { source: found.real }) });
  }
}
