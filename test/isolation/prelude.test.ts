// The program before bubblewrap: what it makes of a list of calls, by this machine and by an emulator of the other; and that the sandbox it puts together is the one
// that bubblewrap makes alone.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Call, callList, LIST_FD, LONGEST_LIST } from "../../src/isolation/call-list.ts";
import { mountsOf } from "../../src/isolation/mounts.ts";
import { archOf, KEYRING_REFUSED, preludeFile, sandboxInitFile } from "../../src/isolation/own-programs.ts";
import type { PlanEntry } from "../../src/isolation/plan.ts";
import { preludeProgram } from "../../src/isolation/prelude.ts";
import { preludeCalls } from "../../src/isolation/prelude-calls.ts";
import { has, ROOT, run, withCalls } from "./own-program.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const folder = mkdtempSync(join(tmpdir(), "prelude-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AT_FDCWD = -100;
const [EEXIST, ENOENT] = [17, 2];
const CLOSE: Call = { name: "close", args: [LIST_FD], says: "cannot close: errno " };
const NOT_STARTED = "agent-run: error: bubblewrap cannot be started: execve ended with errno ";

const emulator = has("qemu-aarch64");
const MACHINES = [
  { arch: archOf(process.arch) ?? "x64", how: "this machine", argv: [preludeFile(ROOT, process.arch) ?? ""] },
  ...(emulator
    ? [{ arch: "arm64", how: "an emulator of the other", argv: ["qemu-aarch64", preludeFile(ROOT, "arm64") ?? ""] } as const]
    : []),
] as const;
const skipped = emulator ? "" : " (and not the other: needs qemu-aarch64, apt-get install qemu-user)";

describe("the program", () => {
  it.each(["x64", "arm64"] as const)("is built for %s as it is made here, and may be run", (arch) => {
    const file = preludeFile(ROOT, arch) ?? "";
    expect(readFileSync(file).equals(preludeProgram(arch))).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o755);
    expect(statSync(file).size).toBeLessThan(700);
  });

  it("is for no other machine", () => expect(preludeFile(ROOT, "riscv64")).toBeUndefined());
});

describe.each(MACHINES)(`by $how${skipped}`, ({ arch, argv }) => {
  let count = 0;
  const made = (calls: readonly Call[], program: readonly string[], env: Record<string, string> = {}) => {
    count += 1;
    return run(["/bin/sh", ...withCalls(join(folder, `${arch}-${count}`), [...argv, ...program], calls, arch)], env);
  };
  const place = (name: string): string => join(folder, `${arch}-${name}`);
  const mkdir = (name: string, more: Partial<Call> = {}): Call => {
    return { name: "mkdirat", args: [AT_FDCWD, place(name), 0o700], says: `${name}: errno `, ...more };
  };

  it("makes the calls and becomes its arguments, with their environment and exit status, and without the list", () => {
    const script = `printf "%s|" "$0" "$@" "$MARK"; test -d ${place("one")} && test -d ${place("two")} && ls /proc/self/fd; exit 7`;
    const { status, stdout, stderr } = made([mkdir("one"), mkdir("two"), CLOSE], ["/bin/sh", "-c", script, "a", "", "b c"], {
      MARK: "kept",
    });
    expect({ status, stderr }).toEqual({ status: 7, stderr: "" });
    expect(stdout.split("\n")[0]).toBe("a||b c|kept|0");
    expect(stdout.split("\n")).not.toContain(String(LIST_FD));
  });

  it("goes no further where one is refused, and says what it was", () => {
    const nowhere: Call = { name: "mkdirat", args: [AT_FDCWD, "/there/is/none", 0o700], says: "no folder: errno " };
    expect(made([nowhere, mkdir("after")], ["/bin/echo", "started"])).toEqual({
      status: 125,
      stdout: "",
      stderr: "no folder: errno 002\n",
    });
    expect(existsSync(place("after"))).toBe(false);
  });

  it("takes the errno that is allowed, and no other, and leaves out as many calls as that says", () => {
    const there = mkdir("there");
    const left = [mkdir("left out"), mkdir("left out too")];
    const done = made([there, { ...there, allowed: EEXIST, skips: 2 }, ...left, mkdir("not left out"), CLOSE], ["/bin/true"]);
    expect(done).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(["left out", "left out too", "not left out"].map((name) => existsSync(place(name)))).toEqual([false, false, true]);
    expect(made([{ ...there, allowed: ENOENT }], ["/bin/true"]).stderr).toBe("there: errno 017\n");
    expect(made([{ ...there, allowed: EEXIST }, mkdir("goes on"), CLOSE], ["/bin/true"]).status).toBe(0);
    expect(existsSync(place("goes on"))).toBe(true);
    const skipping = { allowed: "any", skips: 1 } as const;
    const any = made([{ ...there, ...skipping }, mkdir("skipped"), mkdir("made", skipping), mkdir("made too"), CLOSE], ["/bin/true"]);
    expect(any).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(["skipped", "made", "made too"].map((name) => existsSync(place(name)))).toEqual([false, true, true]);
  });

  it("hands what one call gave to others, and what it wrote", () => {
    const text = "written by descriptor";
    const [link, name] = [place("link"), new Uint8Array(64)];
    const says = "errno ";
    const calls: Call[] = [
      { name: "openat", args: [AT_FDCWD, place("written"), 0o101, 0o600], says, keeps: true },
      { name: "write", args: [0, text, text.length], says, takes: true },
      { name: "close", args: [0], says, takes: true },
      { name: "symlinkat", args: [place("named"), AT_FDCWD, link], says },
      { name: "readlinkat", args: [AT_FDCWD, link, name, 63], says },
      { name: "mkdirat", args: [AT_FDCWD, name, 0o700], says },
      CLOSE,
    ];
    expect(made(calls, ["/bin/true"])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(place("written"), "utf8")).toBe(text);
    expect(statSync(place("named")).isDirectory()).toBe(true);
  });

  it("ends with 125 and says why when there is nothing to become, and when there is no list", () => {
    expect(made([CLOSE], ["/there/is/none"])).toEqual({ status: 125, stdout: "", stderr: `${NOT_STARTED}002\n` });
    expect(made([CLOSE], [])).toEqual({ status: 125, stdout: "", stderr: `${NOT_STARTED}014\n` });
    const { status, stderr } = run(["/bin/sh", "-c", `exec "$@" ${LIST_FD}<&-`, "sh", ...argv, "/bin/true"]);
    expect(status).toBe(125);
    expect(stderr).toMatch(/^agent-run: error: the list of what comes before bubblewrap cannot be read: .* errno 009\n$/);
  });
});

describe("a list", () => {
  it("is refused where it is longer than what the program maps, and where a call has too many arguments", () => {
    const says = "";
    const tooLong = () => callList("x64", [{ name: "write", args: [1, "x".repeat(LONGEST_LIST), 1], says }]);
    const hint = expect.stringContaining("each entry of your home is a mount");
    expect(tooLong).toThrow(expect.objectContaining({ code: "isolation", message: expect.stringContaining("bytes"), hint }));
    expect(() => callList("x64", [{ name: "mount", args: [0, 0, 0, 0, 0, 0], says }])).toThrow("mount has 6 arguments");
  });

  it("leaves the keyring first, where that is asked for, and bwrap gets no descriptor of it", () => {
    const only = preludeCalls(mountsOf([], "/blank"), { keyring: true, root: undefined, uid: 1000, gid: 1000 }, false);
    expect(only.map(({ name }) => name)).toEqual(["keyctl", "close"]);
    expect(only[0]?.says).toBe(KEYRING_REFUSED);
    const mounting = preludeCalls(mountsOf([], "/blank"), { keyring: false, root: "/r", uid: 1000, gid: 1000 }, false);
    expect(mounting[0]?.name).toBe("unshare");
    expect(mounting.at(-1)).toMatchObject({ name: "close", args: [LIST_FD] });
  });

  it("leaves the machine's abstract sockets last, where that is asked for; a kernel that has no such thing goes on without", () => {
    const lastOf = (root: string | undefined, ownSockets: boolean): Call[] => {
      const made = { keyring: false, root, uid: 1000, gid: 1000 };
      return preludeCalls(mountsOf([], "/blank"), made, ownSockets).slice(-4, -1);
    };
    const names = (calls: Call[]): string[] => calls.map(({ name }) => name);
    const [create, ...rest] = lastOf("/r", true);
    expect(create).toMatchObject({ name: "landlock_create_ruleset", allowed: "any", skips: rest.length });
    expect(names(rest)).toEqual(["landlock_restrict_self", "close"]);
    expect(names(lastOf("/r", false))).not.toContain("landlock_restrict_self");
    expect(names(lastOf(undefined, true))).toEqual([]);
  });

  it("maps the user to themselves, and nobody else", () => {
    const calls = preludeCalls(mountsOf([], "/blank"), { keyring: false, root: "/r", uid: 1000, gid: 100 }, false);
    const written = calls.filter(({ name }) => name === "write").map(({ args }) => args[1]);
    expect(written).toEqual(["deny", "1000 1000 1", "100 100 1"]);
  });

  it("lets only what is merely shown be gone", () => {
    const entry = (path: string, access: PlanEntry["access"], kind: PlanEntry["kind"] = "folder"): PlanEntry => ({
      path,
      access,
      kind,
      reason: "",
    });
    const entries = [entry("/home/dev", "assembled"), entry("/home/dev/code", "read-only"), entry("/home/dev/code/app", "writable")];
    const calls = preludeCalls(mountsOf(entries, "/blank"), { keyring: false, root: "/r", uid: 1, gid: 1 }, false);
    const opened = (path: string): Call | undefined => calls.find(({ name, args }) => name === "open_tree" && args[1] === path);
    expect([opened("/home/dev/code")?.allowed, opened("/home/dev/code/app")?.allowed]).toEqual([ENOENT, undefined]);
  });
});

describe.skipIf(!hasBubblewrap).each(users)(`the sandbox of $name${missing}`, (user) => {
  /** What is in /dev, and each mount that is seen, by its place: what of which file system, how. */
  const table = (world: World, more: Partial<IsolatedRun>): string[] => {
    // Whose the folder of terminals is depends on which user is 0 in the namespace that it was mounted in: nobody there, or the user. Nothing is made in it but by the kernel.
    const script = "cat /proc/self/mountinfo; ls -l /dev /dev/shm | sed 's/ [A-Z][a-z][a-z] .* / /; s/^\\(d.*[0-9]\\) .* pts$/\\1 pts/'";
    const { status, stdout, stderr } = world.run(script, more);
    expect(status, stderr).toBe(0);
    const lines = stdout.split("\n").map((line) => line.split(" "));
    const mounts = lines.filter((words) => words.includes("-"));
    // What another covers is not seen: it is on it, at the same place.
    const seen = mounts.filter(([id, , , , point]) => !mounts.some(([, on, , , at]) => on === id && at === point));
    const shown = seen.map((words) => {
      const [, , , root, point, options] = words;
      return `${point} ${root} ${options} ${words[words.indexOf("-") + 1]}`;
    });
    return [...shown.sort(), ...lines.filter((words) => !words.includes("-")).map((words) => words.join(" "))];
  };
  const cache = (world: World, level: string): string => join(world.home, `.local/state/agent-run/isolation-${level}.json`);

  it.each([
    ["standard", {}],
    ["standard, with what is named", { hide: [".env", "~/notes"], write: ["~/shared"], allow: ["npm"] }],
    ["strict", { level: "strict" }],
    ["strict, with sandboxes inside", { level: "strict", nested: true, allow: ["git-config"] }],
  ] as const)("is the same as bubblewrap makes alone: %s", (_name, more) => {
    using world = new World(user);
    for (const path of [".aws/credentials", ".netrc", ".npmrc", ".config/gh/hosts.yml", ".ssh/id_rsa", "notes/a"]) world.plant(path);
    for (const path of [".bashrc", ".gitconfig", "shared/a", ".cache/a", "code/other/a", "code/project/.env"]) world.plant(path, "a\n");
    world.git("init", "-q");
    world.settle();
    const own = table(world, more);
    expect(own.length).toBeGreaterThan(20);
    world.leaveToBubblewrap("level" in more ? more.level : "standard");
    expect(own).toEqual(table(world, more));
  });

  it("starts where stdout is a terminal that they may not open, as after su, and names only one that they may", () => {
    using world = new World(user);
    world.settle();
    const words = world.argv(["/bin/sh", "-c", "tty <&1; echo seen >/dev/tty"]).map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const { status, stdout, stderr } = run(["script", "-qec", words.join(" "), "/dev/null"]);
    // The terminal that script(1) makes is of whoever runs the tests.
    const named = user.prefix.length === 0 ? "/dev/console" : "not a tty";
    expect({ status, lines: stdout.split("\r\n"), stderr }).toEqual({ status: 0, lines: [named, "seen", ""], stderr: "" });
  });

  it("is made by bubblewrap at the next launch but one, where the kernel no longer makes the mounts for us", () => {
    using world = new World(user);
    const own = join(world.home, "own");
    const program = (name: string): string => join(own, "dist", `${name}-${process.arch}`);
    mkdirSync(join(own, "dist"), { recursive: true });
    copyFileSync(sandboxInitFile(ROOT, process.arch) ?? "", program("sandbox-init"));
    copyFileSync(preludeFile(ROOT, process.arch) ?? "", program("prelude"));
    world.settle();
    const launch = () => world.run("echo ran", { packageFolder: own, allow: ["session-keyring"] });
    expect(launch().stdout).toBe("ran\n");
    expect(readFileSync(cache(world, "standard"), "utf8")).toContain('"mounts":true');
    writeFileSync(program("prelude"), "#!/bin/sh\necho 'agent-run: error: refused' >&2\nexit 125\n");
    expect(launch()).toMatchObject({ status: 125, stdout: "", stderr: "agent-run: error: refused\n" });
    expect(launch()).toMatchObject({ status: 0, stdout: "ran\n", stderr: "" });
    expect(readFileSync(cache(world, "standard"), "utf8")).toContain('"mounts":false');
  });
});
