// The first process of a sandbox: run by this machine and by an emulator of the other, and what an agent can do to it.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxInitFile } from "../../src/isolation/own-programs.ts";
import { sandboxInitProgram } from "../../src/isolation/sandbox-init.ts";
import { has, ROOT, run } from "./own-program.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const OWN = sandboxInitFile(ROOT, process.arch) ?? "";
const NOT_STARTED = "agent-run: error: nothing can be started in the sandbox: the kernel ended it with errno ";
const ENDS = [
  ["exit 0", 0],
  ["exit 7", 7],
  ["exit 255", 255],
  ["kill -TERM $$", 143],
  ["kill -KILL $$", 137],
] as const;

const folder = mkdtempSync(join(tmpdir(), "sandbox-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the first process of a sandbox", () => {
  it.each(["x64", "arm64"] as const)("is built for %s as it is made here, and may be run", (arch) => {
    const file = sandboxInitFile(ROOT, arch) ?? "";
    expect(readFileSync(file).equals(sandboxInitProgram(arch))).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o755);
  });

  it("is for no other machine", () => expect(sandboxInitFile(ROOT, "riscv64")).toBeUndefined());

  it.each(ENDS)("ends as what it started does: %s, %i", (script, status) => {
    expect(run([OWN, "/bin/sh", "-c", script])).toEqual({ status, stdout: "", stderr: "" });
  });

  it("starts its arguments, with their environment and descriptors, keeps none but the standard ones, and goes by the sandbox's name", () => {
    const script =
      'printf "%s|" "$0" "$@" "$MARK"; read line <&7; echo "$line"; cat /proc/$PPID/comm; [ -e /proc/self/fd/7 ] && echo seven';
    const held = join(folder, "held");
    const made = run(["/bin/sh", "-c", 'echo through >"$1"; exec "$2" /bin/sh -c "$0" a "" "b c" 7<"$1"', script, held, OWN], {
      MARK: "kept",
    });
    expect(made).toEqual({ status: 0, stdout: "a||b c|kept|through\nbwrap\nseven\n", stderr: "" });
  });

  it("ends with 125 and says why when there is nothing to start", () => {
    expect(run([OWN, "/there/is/none"])).toEqual({ status: 125, stdout: "", stderr: `${NOT_STARTED}002\n` });
    expect(run([OWN])).toEqual({ status: 125, stdout: "", stderr: `${NOT_STARTED}014\n` });
  });
});

const emulator = has("qemu-aarch64");
describe.skipIf(!emulator)(
  `its other half, in an emulator${emulator ? "" : " (skipped: needs qemu-aarch64, apt-get install qemu-user)"}`,
  () => {
    const program = join(folder, "arm64");
    beforeAll(() => writeFileSync(program, sandboxInitProgram("arm64"), { mode: 0o755 }));

    it.each(ENDS)("ends as what it started does: %s, %i", (script, status) => {
      expect(run(["qemu-aarch64", program, "/bin/sh", "-c", script]).status).toBe(status);
    });

    it("closes itself to tracers before it starts anything, and keeps no descriptor but the standard ones", () => {
      const { status, stderr } = run(["qemu-aarch64", "-strace", program, "/there/is/none"]);
      expect(status).toBe(125);
      expect(stderr).toMatch(/prctl\(4,0,[\s\S]*clone\(0x11,[\s\S]*close_range\(3,4294967295,0\)/);
      expect(run(["qemu-aarch64", program, "/there/is/none"]).stderr).toBe(`${NOT_STARTED}002\n`);
    });
  },
);

/** Each way into another process, of the first one and of a child of its own, which shows that it works. */
const TRACES = `
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    os.execv("/bin/sleep", ["sleep", "60"])
time.sleep(0.2)
for name, pid in (("child", child), ("first", 1)):
    print(name, "attach", libc.ptrace(16, pid, None, None))
    for what in ("mem", "environ", "maps"):
        try:
            open("/proc/%d/%s" % (pid, what), "r+b" if what == "mem" else "rb").close()
            print(name, what, 0)
        except OSError:
            print(name, what, -1)
os.kill(child, signal.SIGKILL)
`;

describe.skipIf(!hasBubblewrap).each(users)(`in a run of $name${missing}`, (user) => {
  it.each(["standard", "strict"] as const)("is out of the agent's reach at %s: not traced, not read, not written", (level) => {
    using world = new World(user);
    world.settle();
    const { stdout, stderr } = world.run(`exec python3 -c '${TRACES}'`, { level });
    const of = (name: string, result: number): string[] => ["attach", "mem", "environ", "maps"].map((what) => `${name} ${what} ${result}`);
    // Where a kernel lets nobody trace but parents (yama), the child is one all the same.
    expect(stdout.trim().split("\n"), stderr).toEqual([...of("child", 0), ...of("first", -1)]);
  });
});
