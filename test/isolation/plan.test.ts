// The plan as a value: what it holds for a home and a project of every awkward kind, without touching the machine.
import { describe, expect, it } from "vitest";
import { bubblewrapCommand, mountArguments } from "../../src/isolation/bubblewrap.ts";
import { mountsOf } from "../../src/isolation/mounts.ts";
import { type IsolationInput, type PlanEntry, placesToLookAt, planIsolation } from "../../src/isolation/plan.ts";
import { allowNames } from "../../src/isolation/plan-allow.ts";
import type { Facts, Found } from "../../src/isolation/plan-facts.ts";

const INPUT: IsolationInput = {
  level: "standard",
  platform: "linux",
  home: "/home/dev",
  homes: ["/home/dev"],
  uid: 1000,
  project: "/home/dev/code/app",
  cwd: "/home/dev/code/app",
  agent: "claude",
  paths: { config: "/home/dev/.config/agent-run", state: "/home/dev/.local/state/agent-run", runtime: "/run/user/1000/agent-run" },
  packageFolder: "/opt/agent-run",
  sessionFolder: "/run/user/1000/agent-run/sess_00000001",
  env: { HOME: "/home/dev", XDG_RUNTIME_DIR: "/run/user/1000", PATH: "/usr/bin" },
  programs: ["/usr/bin/claude"],
  allow: [],
  write: [],
  hide: [],
};

const folder = (real: string): Found => ({ kind: "folder", real });
const file = (real: string): Found => ({ kind: "file", real });
const same = (kind: (path: string) => Found, ...paths: string[]): [string, Found][] => paths.map((path) => [path, kind(path)]);

const FACTS: Facts = {
  homes: ["/home/dev"],
  project: "/home/dev/code/app",
  cwd: "/home/dev/code/app",
  found: new Map([
    ...same(
      folder,
      "/tmp",
      "/var/tmp",
      "/dev/shm",
      "/run",
      "/run/user/1000",
      "/run/user/1000/agent-run",
      "/run/user/1000/agent-run/sess_00000001",
    ),
    ...same(
      folder,
      "/home/dev/.aws",
      "/home/dev/.ssh",
      "/home/dev/.config/agent-run",
      "/home/dev/.claude",
      "/home/dev/.codex",
      "/opt/agent-run",
    ),
    ...same(folder, "/home/dev/.cache", "/home/dev/.config/gcloud"),
    ...same(file, "/home/dev/.netrc", "/home/dev/.claude.json", "/home/dev/.claude/settings.json"),
  ]),
  links: [],
  listings: new Map([
    [
      "/home/dev",
      [
        ...[".aws", ".ssh", ".config", ".claude", ".codex", ".cache", "code"].map((name) => ({ name, kind: "folder" as const })),
        ...[".netrc", ".claude.json", ".bashrc"].map((name) => ({ name, kind: "file" as const, runs: false })),
        { name: ".vimrc", kind: "link" as const, target: "dotfiles/vimrc" },
      ],
    ],
  ]),
  sockets: [],
  git: [
    {
      path: "/home/dev/code/app/.git",
      kind: "own",
      config: true,
      hooks: false,
      worktreeConfig: false,
      readsWorktreeConfig: false,
      commonPointer: false,
    },
  ],
  resolver: "/run/systemd/resolve/stub-resolv.conf",
  windowsDrives: [],
};

const plan = (input: Partial<IsolationInput> = {}, facts: Partial<Facts> = {}) =>
  planIsolation({ ...INPUT, ...input }, { ...FACTS, ...facts });
const access = (entries: readonly PlanEntry[]): Record<string, string> =>
  Object.fromEntries(entries.map((entry) => [entry.path, entry.access]));
const withFound = (...more: [string, Found][]): Partial<Facts> => ({ found: new Map([...FACTS.found, ...more]) });

describe("the plan", () => {
  it("is this, as a whole, for a developer's machine", () => {
    expect(access(plan().entries)).toEqual({
      "/dev/shm": "empty",
      "/home/dev": "assembled",
      "/home/dev/.aws": "hidden",
      "/home/dev/.bashrc": "read-only",
      "/home/dev/.cache": "writable",
      "/home/dev/.claude": "writable",
      "/home/dev/.claude.json": "writable",
      "/home/dev/.claude/.config.json": "read-only",
      "/home/dev/.claude/agents": "read-only",
      "/home/dev/.claude/commands": "read-only",
      "/home/dev/.claude/daemon": "empty",
      "/home/dev/.claude/hooks": "read-only",
      "/home/dev/.claude/jobs": "empty",
      "/home/dev/.claude/keybindings.json": "read-only",
      "/home/dev/.claude/output-styles": "read-only",
      "/home/dev/.claude/plugins": "read-only",
      "/home/dev/.claude/routines": "read-only",
      "/home/dev/.claude/rules": "read-only",
      "/home/dev/.claude/session-env": "empty",
      "/home/dev/.claude/sessions": "empty",
      "/home/dev/.claude/teams": "empty",
      "/home/dev/.claude/shell-snapshots": "empty",
      "/home/dev/.claude/workflows": "read-only",
      "/home/dev/.claude/settings.json": "read-only",
      "/home/dev/.claude/settings.local.json": "read-only",
      "/home/dev/.claude/skills": "read-only",
      "/home/dev/.codex": "hidden",
      "/home/dev/.config": "read-only",
      "/home/dev/.config/agent-run": "hidden",
      "/home/dev/.config/gcloud": "hidden",
      "/home/dev/.local/state/claude": "writable",
      "/home/dev/.netrc": "hidden",
      "/home/dev/.npm": "empty",
      "/home/dev/.ssh": "hidden",
      "/home/dev/.vimrc": "link",
      "/home/dev/code": "read-only",
      "/home/dev/code/app": "writable",
      "/home/dev/code/app/.git": "writable",
      "/home/dev/code/app/.git/commondir": "read-only",
      "/home/dev/code/app/.git/config": "read-only",
      "/home/dev/code/app/.git/hooks": "read-only",
      "/opt/agent-run": "read-only",
      "/run": "hidden",
      "/run/systemd/resolve/stub-resolv.conf": "read-only",
      "/run/user/1000": "empty",
      "/run/user/1000/agent-run": "hidden",
      "/run/user/1000/agent-run/sess_00000001": "read-only",
      "/tmp": "empty",
      "/var/tmp": "empty",
    });
    expect(plan().notes).toEqual([]);
  });

  it("shows the session's folder also when the daemon has not made it yet, where a link leads to the runtime folder too", () => {
    const found = new Map([...FACTS.found].filter(([path]) => path !== INPUT.sessionFolder));
    found.set(INPUT.paths.runtime, folder("/data/run"));
    expect(planIsolation(INPUT, { ...FACTS, found }).entries).toContainEqual({
      path: "/data/run/sess_00000001",
      access: "read-only",
      kind: "folder",
      reason: "this session's own files",
      opens: true,
    });
  });

  it("has an empty place of its own where Gradle's daemons say how they are reached, and shares Gradle's cache", () => {
    const found = withFound(...same(folder, "/home/dev/.gradle/daemon", "/home/dev/.gradle/caches", "/data/gradle/daemon"));
    const { entries } = plan({ env: { ...INPUT.env, GRADLE_USER_HOME: "/data/gradle" } }, found);
    expect(access(entries)).toMatchObject({
      "/home/dev/.gradle/daemon": "empty",
      "/data/gradle/daemon": "empty",
      "/home/dev/.gradle/caches": "writable",
    });
  });

  it("gives every entry a reason and names parents before children", () => {
    const { entries } = plan();
    expect(entries.every((entry) => entry.reason !== "")).toBe(true);
    for (const [index, entry] of entries.entries()) {
      expect(entries.slice(index + 1).some((later) => entry.path.startsWith(`${later.path}/`))).toBe(false);
    }
  });

  it("changes nothing at level none and says so", () => {
    expect(plan({ level: "none" })).toMatchObject({ entries: [], namespaces: [], notes: [expect.stringContaining("not isolated")] });
  });

  it.each(["/home/dev", "/home", "/", "/tmp", "/usr"])("makes nothing writable when the project is %s, and says so", (project) => {
    const result = plan({ project, cwd: project }, { project, cwd: project, git: [] });
    expect(access(result.entries)[project]).not.toBe("writable");
    expect(result.warnings).toEqual([expect.stringContaining("too wide to be a project")]);
  });

  it("keeps a project in a temp folder visible under the fresh one", () => {
    const { entries } = plan({ project: "/tmp/x/app", cwd: "/tmp/x/app" }, { project: "/tmp/x/app", cwd: "/tmp/x/app", git: [] });
    const inTemp = plan({ project: "/tmp/x/app" }, { project: "/tmp/x/app", git: [] });
    const args = mountArguments(mountsOf(inTemp.entries, "/blank")).join(" ");
    expect(access(entries)).toMatchObject({ "/tmp": "empty", "/tmp/x/app": "writable" });
    expect(args.indexOf("--tmpfs /tmp ")).toBeLessThan(args.indexOf("--bind-try /tmp/x/app /tmp/x/app"));
  });

  it.each(["/home/dev/.aws/x", "/home/dev/.ssh/x", "/home/dev/.config/agent-run/x", "/run/user/1000/agent-run/sess_00000001"])(
    "refuses a project in what is hidden: %s",
    (project) => {
      expect(() => plan({ project }, { project, git: [] })).toThrow(expect.objectContaining({ code: "isolation" }));
    },
  );

  it("gives back what isolation.allow names, but neither AWS stores nor our own folders", () => {
    const names = allowNames.filter((name) => name !== "aws");
    const everything = access(plan({ allow: names }).entries);
    expect(everything).toMatchObject({ "/home/dev/.ssh": "read-only", "/home/dev/.netrc": "read-only", "/home/dev/.codex": "writable" });
    expect(everything).toMatchObject({
      "/home/dev/.aws": "hidden",
      "/home/dev/.config/agent-run": "hidden",
      "/run/user/1000/agent-run": "hidden",
    });
    for (const name of ["aws", "toString", "shh", ""])
      expect(() => plan({ allow: [name] })).toThrow(expect.objectContaining({ code: "config" }));
  });

  it("hides the login of an agent that is known by that alone from every other one, until it is given back", () => {
    const home = withFound(["/home/dev/.qwen", folder("/home/dev/.qwen")], ["/data/copilot", folder("/data/copilot")]);
    const env = { ...INPUT.env, COPILOT_HOME: "/data/copilot" };
    const seen = (more: Partial<IsolationInput>) => {
      const paths = access(plan({ env, ...more }, home).entries);
      return [paths["/home/dev/.qwen"], paths["/data/copilot"]];
    };
    expect(seen({ agent: "claude" })).toEqual(["hidden", "hidden"]);
    expect(seen({ agent: "qwen" })).toEqual([undefined, "hidden"]);
    expect(seen({ agent: "copilot" })).toEqual(["hidden", undefined]);
    expect(seen({ agent: "claude", allow: ["qwen"] })).toEqual(["read-only", "hidden"]);
    expect(seen({ agent: "qwen", write: ["~/.qwen"] })).toEqual(["writable", "hidden"]);
    // No program that has the name of a store is an agent.
    expect(access(plan({ agent: "ssh" }).entries)).toMatchObject({ "/home/dev/.ssh": "hidden" });
    expect(() => plan({ agent: "claude", write: ["~/.qwen"] }, home)).toThrow(/qwen/);
  });

  it("gives back no store that lies in one of AWS's, or in our own folders, by whichever link or variable", () => {
    const led = withFound(
      ["/home/dev/.aws", folder("/data/aws")],
      ["/home/dev/.ssh", folder("/data/aws/ssh")],
      ["/run/user/1000/agent-run/kube", file("/run/user/1000/agent-run/kube")],
    );
    const env = { ...INPUT.env, KUBECONFIG: "/run/user/1000/agent-run/kube" };
    const { entries, warnings } = plan({ allow: ["ssh", "kube"], env }, led);
    const opened = entries.filter(({ path, access }) => access !== "hidden" && /^\/data|kube/.test(path)).map(({ path }) => path);
    expect(opened).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^isolation\.allow = "ssh": \/home\/dev\/\.ssh is not given back, for it is part of /),
      expect.stringMatching(/^isolation\.allow = "kube": \/run\/user\/1000\/agent-run\/kube is not given back/),
    ]);
  });

  it("makes a store writable that is given back and named in isolation.write, and no other", () => {
    const both = access(plan({ allow: ["ssh", "netrc"], write: ["~/.ssh"] }).entries);
    expect(both).toMatchObject({ "/home/dev/.ssh": "writable", "/home/dev/.netrc": "read-only" });
    expect(() => plan({ allow: ["netrc"], write: ["~/.ssh"] })).toThrow(expect.objectContaining({ code: "config" }));
    expect(() => plan({ allow: ["ssh"], write: ["~/.aws"] })).toThrow(expect.objectContaining({ code: "config" }));
  });

  it("says at strict that an agent's own sandbox does not start, unless it may", () => {
    const about = (agent: string, nested?: boolean): string[] =>
      plan({ level: "strict", agent, nested }).warnings.filter((text) => text.includes("own sandbox"));
    expect(about("codex")).toEqual([expect.stringContaining("(--sandbox danger-full-access), or run with --allow-nested")]);
    expect(about("claude")).toEqual([expect.stringContaining('"enabled":false')]);
    expect(about("codex", true)).toEqual([]);
    expect(about("gemini")).toEqual([]);
    expect(plan({ agent: "codex" })).toMatchObject({ nested: true, warnings: [] });
  });

  it("refuses to make hidden or too wide places writable", () => {
    for (const path of ["~/.aws", "~/.ssh", "~/.config/agent-run", "~", "/tmp", "/run/user/1000/agent-run"]) {
      const facts = withFound(["/home/dev", folder("/home/dev")]);
      expect(() => plan({ write: [path] }, facts), path).toThrow(expect.objectContaining({ code: "config" }));
    }
    expect(plan({ write: ["~/nowhere"] }).warnings).toEqual(["isolation.write: ~/nowhere is not there"]);
  });

  it("keeps what a wider writable folder holds protected, and pins what leads to it", () => {
    const { entries } = plan({ write: ["~/code"] }, withFound(["/home/dev/code", folder("/home/dev/code")]));
    expect(access(entries)).toMatchObject({ "/home/dev/code": "writable", "/home/dev/code/app/.git/config": "read-only" });
    expect(entries.filter((entry) => entry.pinned).map((entry) => entry.path)).toEqual(["/home/dev/code/app", "/home/dev/code/app/.git"]);
  });

  it("closes a folder of the agent's that holds too many programs to protect one by one, also where what is around it is writable", () => {
    const place = "/home/dev/work/claude";
    const env = { ...INPUT.env, CLAUDE_CONFIG_DIR: place };
    const found = withFound(["/home/dev/work", folder("/home/dev/work")], [place, folder(place)]);
    const holding = (programs: number) => {
      const files = Array.from({ length: programs }, (_, index) => ({ name: `${index}.sh`, kind: "file" as const, runs: false }));
      const listings = new Map([...FACTS.listings, [place, [...files, { name: "projects", kind: "folder" as const }]]]);
      const { entries, warnings } = plan({ write: ["~/work"], env }, { ...found, listings });
      const { [place]: itself, [`${place}/0.sh`]: program, [`${place}/projects`]: below } = access(entries);
      return { itself, program, below, warned: warnings.some((text) => text.startsWith(`${place} holds ${programs} programs`)) };
    };
    expect(holding(64)).toEqual({ itself: "writable", program: "read-only", below: undefined, warned: false });
    expect(holding(65)).toEqual({ itself: "read-only", program: undefined, below: "writable", warned: true });
  });

  it("covers what git's configuration includes, in the project and in a git folder outside of it, and says where that is not all", () => {
    const [own] = FACTS.git;
    if (!own) throw new Error("no git folder");
    const includes = ["/home/dev/code/app/team", "/home/dev/main/.git/shared", "/home/dev/notes"].map((path) => ({ path, there: true }));
    const shared = { ...own, path: "/home/dev/main/.git", kind: "shared" as const, includes, includesMore: true as const };
    const { entries, warnings } = plan({}, { git: [own, shared] });
    expect(access(entries)).toMatchObject({ "/home/dev/code/app/team": "read-only", "/home/dev/main/.git/shared": "read-only" });
    expect(access(entries)).not.toHaveProperty("/home/dev/notes");
    expect(warnings).toEqual([expect.stringMatching(/^\/home\/dev\/main\/.git\/config includes more files than are covered/)]);
  });

  it("covers a work tree's own configuration wherever one of the folders that share it reads that, and a submodule's by itself", () => {
    const [own] = FACTS.git;
    if (!own) throw new Error("no git folder");
    const covered = (...reading: ("worktree" | "shared" | "submodule")[]): string[] => {
      const git = (["worktree", "shared", "submodule"] as const).map((kind) => ({
        ...own,
        path: `/home/dev/code/app/${kind}`,
        kind,
        readsWorktreeConfig: reading.includes(kind),
      }));
      const { entries } = plan({}, { git });
      return entries.flatMap(({ path, access }) =>
        access === "read-only" && path.endsWith("/config.worktree") ? [path.split("/")[5] ?? ""] : [],
      );
    };
    expect(covered("shared").sort()).toEqual(["shared", "worktree"]);
    expect(covered("submodule")).toEqual(["submodule"]);
    expect(covered()).toEqual([]);
  });

  it("hides what the human names, in the project too", () => {
    const facts = withFound(["/home/dev/code/app/.env", file("/home/dev/code/app/.env")]);
    const result = plan({ hide: [".env"] }, facts);
    expect(access(result.entries)["/home/dev/code/app/.env"]).toBe("hidden");
    expect(mountArguments(mountsOf(result.entries, "/blank")).join(" ")).toContain("--ro-bind /blank /home/dev/code/app/.env");
  });

  it("hides the store that a link leads to, and does not make the link anew", () => {
    const found = new Map([...FACTS.found, ["/home/dev/.aws", folder("/data/aws")] as const]);
    const listings = new Map([["/home/dev", [{ name: ".aws", kind: "link" as const, target: "/data/aws" }]]]);
    const { entries } = plan({}, { found, listings });
    expect(access(entries)["/data/aws"]).toBe("hidden");
    expect(access(entries)["/home/dev/.aws"]).toBeUndefined();
  });

  it("opens nothing of what is hidden, whatever path of the agent's leads there", () => {
    const led = withFound(
      ["/home/dev/.claude/scripts", folder("/home/dev/.aws/sso")],
      ["/home/dev/.claude/bin", folder("/run/user/1000/agent-run")],
      ["/home/dev/.claude/local", folder("/home/dev/.codex/log")],
    );
    for (const level of ["standard", "strict"] as const) {
      const { entries } = plan({ level }, led);
      const opened = entries
        .filter(({ path, access }) => access !== "hidden" && /\.aws|\.codex|agent-run/.test(path))
        .map(({ path }) => path);
      expect(opened).toEqual(["/opt/agent-run", "/run/user/1000/agent-run/sess_00000001"]);
    }
  });

  it("lists at strict nothing that a link in an agent's folder leads to", () => {
    const { entries, warnings } = plan({ level: "strict" }, withFound(["/home/dev/.claude/scripts", folder("/home/dev/backup")]));
    expect(access(entries)["/home/dev/backup"]).toBeUndefined();
    expect(warnings.join()).toContain("/home/dev/.claude/scripts leads out of /home/dev/.claude");
  });

  it("hides nothing that the run needs, nor anything outside of homes, because a link that an agent may have made leads there", () => {
    const store = "/home/dev/.cache/google-chrome";
    const led = (real: string, input: Partial<IsolationInput> = {}) => {
      const { entries, warnings } = plan(input, withFound([store, folder(real)]));
      const said = `${store} leads out of /home/dev/.cache, where agents write, to ${real}: not hidden there`;
      return { hidden: access(entries)[real] === "hidden", said: warnings.includes(said) };
    };
    expect(led("/home/dev/photos")).toEqual({ hidden: true, said: false });
    const kept = { hidden: false, said: true };
    expect(led("/home/dev/code")).toEqual(kept);
    expect(led("/srv/data")).toEqual(kept);
    expect(led("/home/dev/bin", { programs: ["/home/dev/bin/claude"] })).toEqual(kept);
    expect(led("/home/dev/bin", { env: { ...INPUT.env, PATH: "/usr/bin:/home/dev/bin" } })).toEqual(kept);
    expect(led("/home/dev/bin", { packageFolder: "/home/dev/bin/agent-run" })).toEqual(kept);
  });

  it("follows 32 links at most out of stores that lie where agents write, and says where there are more", () => {
    const store = "/home/dev/.cache/google-chrome";
    const targets = Array.from({ length: 40 }, (_, index) => `/home/dev/photos/${index}`);
    const links = targets.map((real) => ({ place: store, found: folder(real) }));
    const { entries, warnings } = plan({}, { ...withFound([store, folder(store)]), links });
    const hidden = new Set(entries.filter((entry) => entry.access === "hidden").map(({ path }) => path));
    expect(targets.filter((target) => hidden.has(target))).toEqual(targets.slice(0, 32));
    expect(warnings).toContain(`${store} leads out of /home/dev/.cache, where agents write, to too many places: not hidden there`);
  });

  it("does not hide a whole home because a link in a store leads there", () => {
    const result = plan({}, { links: [{ place: "/home/dev/.aws", found: folder("/home/dev") }] });
    expect(access(result.entries)["/home/dev"]).toBe("assembled");
    expect(result.notes).toEqual([expect.stringContaining("/home/dev is not hidden")]);
  });

  it("looks for stores where variables moved them", () => {
    const env = { ...INPUT.env, AWS_CONFIG_FILE: "~/work/aws", KUBECONFIG: "/a/k1:/b/k2", XDG_CONFIG_HOME: "/cfg", CODEX_HOME: "/codex" };
    const places = placesToLookAt({ ...INPUT, env }).map((place) => place.path);
    expect(places).toEqual(expect.arrayContaining(["/home/dev/work/aws", "/a/k1", "/b/k2", "/cfg/gh", "/home/dev/.config/gh", "/codex"]));
  });
});

/** Leaves the keyring, and the mounts to bwrap. */
const PRELUDE = { program: "/o/prelude", arch: "x64", keyring: true, root: undefined, uid: 1000, gid: 1000 } as const;

describe("bubblewrap's arguments", () => {
  const wrapped = bubblewrapCommand(
    plan(),
    { file: "/usr/bin/claude", args: ["--flag", "a b"], cwd: "/home/dev/code/app", env: { A: "1", PWD: "/home/dev/code/app" } },
    { bwrap: "/usr/bin/bwrap", sh: "/bin/sh", files: "/s/isolation-1", filter: new Uint8Array([1]), prelude: PRELUDE, init: "/o/init" },
  );
  const args = String(wrapped.files[0]?.content).split("\0");

  it("pass the command as it is, its environment as bwrap's own, and the plan by descriptor", () => {
    const { argsClosing, ...command } = wrapped.command;
    // The same, with a list of arguments that closes a descriptor.
    expect(argsClosing?.([5])).toEqual(command.args.flatMap((each) => (each === "--" ? ["--args", "5", each] : [each])));
    expect(command).toEqual({
      file: "/bin/sh",
      args: [
        "-c",
        'exec "$@" 8<"$0.args" 9<"$0.seccomp" 6<"$0.calls"',
        "/s/isolation-1",
        "/o/prelude",
        "/usr/bin/bwrap",
        "--args",
        "8",
        "--",
        "/o/init",
        "/usr/bin/claude",
        "--flag",
        "a b",
      ],
      cwd: "/home/dev/code/app",
      env: { A: "1", PWD: "/home/dev/code/app" },
    });
    expect(wrapped.files.map((each) => each.path)).toEqual(["args", "blank", "seccomp", "calls"].map((name) => `/s/isolation-1.${name}`));
  });

  it("drop privileges, die with their parent, and keep the controlling terminal", () => {
    expect(args).toEqual(
      expect.arrayContaining([
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--die-with-parent",
        "--as-pid-1",
        "--seccomp",
      ]),
    );
    expect(args.join(" ")).toContain("--cap-drop ALL");
    expect(args).not.toContain("--new-session");
    expect(args).not.toContain("--clearenv");
  });

  it("mount nothing of what is hidden, and nothing writable but what the plan says", () => {
    const sources = (flag: string): string[] => args.flatMap((arg, index) => (arg === flag ? [args[index + 1] ?? ""] : []));
    expect([...sources("--bind"), ...sources("--bind-try")].sort()).toEqual(
      plan()
        .entries.filter((entry) => entry.access === "writable")
        .map((entry) => entry.path)
        .sort(),
    );
    expect([...sources("--ro-bind"), ...sources("--ro-bind-try")]).not.toContain("/home/dev/.netrc");
    expect(sources("--dev-bind")).toEqual([]);
  });

  it("name one mount where all others are made before, and those in /proc", () => {
    const { files } = bubblewrapCommand(
      plan({}, withFound(["/proc/keys", file("/proc/keys")])),
      { file: "/usr/bin/claude", args: [], cwd: "/home/dev/code/app", env: {} },
      {
        ...{ bwrap: "/usr/bin/bwrap", sh: "/bin/sh", files: "/s/isolation-1", filter: undefined, init: "/o/init" },
        prelude: { ...PRELUDE, root: "/s/root" },
      },
    );
    const all = String(files[0]?.content).split("\0");
    const mounts = all.slice(all.indexOf("--as-pid-1") + 1, all.indexOf("--chdir"));
    expect(mounts).toEqual(["--dev-bind", "/s/root", "/", "--proc", "/proc"]);
  });
});

describe("package stores that are not there", () => {
  const CARGO = "/usr/bin/cargo";
  const store = (input: Partial<IsolationInput>, there: readonly string[] = []) => {
    const found = new Map([...FACTS.found, ...there.map((path): [string, Found] => [path, { kind: "folder", real: path }])]);
    found.set(CARGO, { kind: "file", real: CARGO });
    const { entries } = planIsolation({ ...INPUT, ...input }, { ...FACTS, found });
    return entries.filter(({ path, access }) => access === "empty" && path.includes("cargo"));
  };

  it("are empty folders in place of what is missing, for tools that are there alone", () => {
    expect(store({})).toEqual([
      { path: "/home/dev/.cargo", access: "empty", kind: "folder", reason: expect.stringContaining("gone at the end") },
    ]);
    expect(store({}, ["/home/dev/.cargo", "/home/dev/.cargo/git"])).toMatchObject([
      { path: "/home/dev/.cargo/registry", standIn: "folder" },
    ]);
    expect(store({ env: { ...INPUT.env, PATH: "/opt/bin" } })).toEqual([]);
  });

  it("are where variables say", () => {
    const env = { ...INPUT.env, CARGO_HOME: "/data/cargo" };
    expect(store({ env }, ["/data"])).toMatchObject([{ path: "/data/cargo", access: "empty", standIn: "folder" }]);
  });

  it("are not made at strict, whose home takes them, nor on macOS", () => {
    expect(store({ level: "strict" })).toEqual([]);
    expect(store({ platform: "darwin" })).toEqual([]);
  });
});
