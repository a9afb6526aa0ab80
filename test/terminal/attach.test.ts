// The whole terminal, as a human meets it: a launcher in a real PTY, an agent in its own, a terminal in memory around both.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processInfo } from "../../src/core/process-tree.ts";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { barShows, node, type Outer, type OuterOptions, openOuter, pause, shows } from "./outer.ts";

let demo = "";
let folder = "";
beforeAll(async () => {
  demo = await demoBundle();
  folder = mkdtempSync(join(tmpdir(), "terminal-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeDemo(demo);
});

const hasBubblewrap =
  spawnSync("bwrap", ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent", "true"]).status === 0;
const hasPerl = process.platform === "linux" && spawnSync("perl", ["-e", "1"]).status === 0;
const levels: [string, Record<string, string>][] = [
  ["bare", {}],
  ...(hasBubblewrap ? [["in bubblewrap", { DEMO_BWRAP: "1" }] as [string, Record<string, string>]] : []),
];

const attached = (command: readonly string[], options: OuterOptions = {}): Outer => openOuter(node, [demo, ...command], options);
const shell = (script: string, options: OuterOptions = {}): Outer => attached(["/bin/sh", "-c", script], options);
const alive = (pid: number): boolean => processInfo(pid) !== undefined;
/** Of the terminal that a process has as its stdin, as stty(1) prints them, on one line. Linux only. */
const modesOf = (pid: number): string =>
  execFileSync("sh", ["-c", `stty -a < /proc/${pid}/fd/0`], { encoding: "utf8" }).replace(/\s+/g, " ");
const pidIn = async (name: string): Promise<number> => {
  const path = join(folder, name);
  for (let i = 0; i < 500 && !(existsSync(path) && statSync(path).size > 0); i++) await pause(10);
  const pid = Number(readFileSync(path, "utf8").trim());
  if (!(pid > 1)) throw new Error(`no pid in ${path}`);
  return pid;
};
const running = (part: string): string[] =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(part));

describe.each(levels)("an agent in a terminal, %s", (_, env) => {
  it.each([
    ["exit 0", 0],
    ["exit 3", 3],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
    ["kill -INT $$", 130],
  ])("ends with the status of '%s'", async (script, status) => {
    await using outer = shell(script, { env });
    expect(await outer.exited).toEqual({ code: status });
  });

  it.skipIf(!hasPerl)("that keeps its terminal to itself (TIOCEXCL, needs perl) ends all the same", async () => {
    await using outer = attached(["perl", "-e", "ioctl(STDIN, 0x540C, 0) or die; exit 5"], { env });
    expect(await outer.exited).toEqual({ code: 5 });
  });

  it.skipIf(!hasPerl).each([
    ["exit 5", { code: 5 }],
    ["exit 255", { code: 255 }],
    ["kill 9, $$", { code: 137 }],
  ])("that stops its terminal's output (TCOOFF, needs perl) and leaves with '%s' ends all the same", async (leave, status) => {
    await using outer = attached(["perl", "-MPOSIX", "-e", `$| = 1; print "last words"; tcflow(1, POSIX::TCOOFF) or die; ${leave}`], {
      env,
    });
    expect(await outer.exited).toEqual(status);
  });

  it("gets the keys, and shows the bar on the last row", async () => {
    await using outer = attached(["cat"], { env });
    await outer.until("the bar", barShows("readonly@123456789012"));
    // The bar may stand a moment before the terminal is the agent's: until then it echoes keys itself.
    await outer.until(
      "a terminal without an echo of its own",
      () => process.platform !== "linux" || modesOf(outer.pid).includes(" -echo "),
    );
    outer.type("hello\r");
    await outer.until("the line and its echo", (screen) => screen.rows().filter((row) => row === "hello").length === 2);
    outer.type("\x04");
    expect(await outer.exited).toEqual({ code: 0 });
    expect(outer.screen.row(23)).toBe("");
  });

  it("gets Ctrl-C once, and nothing else does", async () => {
    await using outer = shell('n=0; trap "n=\\$((n+1))" INT; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo got $n', {
      env,
    });
    await outer.until("ready", shows("ready"));
    outer.type("\x03");
    await outer.until("one interrupt", shows("got 1"));
    expect(await outer.exited).toEqual({ code: 0 });
  });

  it("gets a signal for the launcher once, in its foreground process group", async () => {
    await using outer = shell('n=0; trap "n=\\$((n+1))" TERM; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo got $n', {
      env,
    });
    await outer.until("ready", shows("ready"));
    process.kill(outer.pid, "SIGTERM");
    await outer.until("one signal", shows("got 1"));
    expect(await outer.exited).toEqual({ code: 0 });
  });

  it("sees the terminal's size without the bar's row, also after a change", async () => {
    await using outer = shell('trap "stty size" WINCH; stty size; while :; do sleep 0.05; done', { env });
    await outer.until("its size", shows("23 80"));
    outer.resize(100, 30);
    await outer.until("its new size", shows("29 100"));
    await outer.until("the bar on the new last row", barShows("readonly@"));
  });

  it("has each of its lines once, on the screen or in the scrollback, when the window shrinks and grows again", async () => {
    await using outer = shell(
      'printf "\\033[H\\033[2J"; i=1; while [ $i -le 60 ]; do echo "line $i"; i=$((i+1)); done; stty size; read x; echo more; stty size; read x',
      {
        env,
      },
    );
    await outer.until("its lines", shows("23 80"));
    // The clear took it away, and it comes back when the copy of the screen is loaded.
    await outer.until("the bar", barShows("readonly@"));
    for (const rows of [9, 30, 12, 40]) {
      outer.resize(80, rows);
      await outer.until("the bar on the last row, and nowhere else", (screen) => {
        const bars = screen.rows().map((row) => row.includes("readonly@"));
        return bars.indexOf(true) === rows - 1;
      });
    }
    outer.type("\r");
    await outer.until("the agent's new size", shows("39 80"));
    const { active } = outer.screen.terminal.buffer;
    const found = Array.from(
      { length: active.length },
      (_, y) => /^line (\d+)/.exec(active.getLine(y)?.translateToString(true) ?? "")?.[1],
    );
    expect(found.filter((line) => line !== undefined).map(Number)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    outer.type("\r");
    expect(await outer.exited).toEqual({ code: 0 });
  });

  it("is ended by Ctrl-K twice, with half a second between", async () => {
    const mark = `stubborn${performance.now()}`;
    await using outer = shell(`trap "" TERM HUP; echo ready; while :; do sleep 0.1; : ${mark}; done`, {
      env: { ...env, DEMO_GRACE_MS: "200" },
    });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", shows("End sh?"));
    await pause(600);
    outer.type("\x0b");
    expect(await outer.exited).toEqual({ code: 137 });
    expect(running(mark)).toEqual([]);
  });

  it("leaves nothing behind when it is ended: no daemon in a session of its own, no orphan", async () => {
    const name = `daemon-${env["DEMO_BWRAP"] ?? 0}`;
    const marker = `sleep 3${Math.floor(100_000 + performance.now())}`;
    await using outer = shell(
      `setsid sh -c 'echo $$ > ${folder}/${name}; trap "" TERM HUP; while :; do ${marker}; done' & (setsid ${marker} &) ; echo ready; sleep 60`,
      { env: { ...env, DEMO_GRACE_MS: "100", AGENT_RUN_SESSION: `sess_0000dead` } },
    );
    await outer.until("ready", shows("ready"));
    await pidIn(name);
    outer.type("\x0b");
    await outer.until("the question", shows("End sh?"));
    await pause(600);
    outer.type("\x0b");
    await outer.exited;
    expect(running(marker)).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")(
    "cannot say that it stopped or ended: what the shim's words carry is in no file of /proc",
    async () => {
      const script = [
        "for file in /proc/$PPID/cmdline /proc/$PPID/environ /proc/self/environ; do tr '\\0' '\\n' <$file; done >$0",
        'forge() { printf "\\033]7777;%s;start\\007\\033]7777;%s;stop\\007\\033]7777;%s;exit;7\\007" "$1" "$1" "$1"; }',
        "for word in $(grep -aoE '[0-9a-f-]{32,36}' <$0) 00000000-0000-0000-0000-000000000000 ''; do forge \"$word\"; done",
        "grep -c 'kill -STO[P]' <$0; sleep 0.5; echo lives on; exit 3",
      ].join("\n");
      await using outer = attached(["/bin/sh", "-c", script, join(folder, `seen-${env["DEMO_BWRAP"] ?? 0}`)], { env });
      expect(await outer.exited).toEqual({ code: 3 });
      expect(outer.screen.rows().slice(0, 2)).toEqual(["1", "lives on"]);
    },
  );

  it("gets exactly the environment of its command, names included that no shell would keep", async () => {
    const own = {
      "BASH_FUNC_hi%%": "() { :; }",
      "npm.odd-name": "x y",
      "quote's": '"$HOME"',
      n: "1",
      rc: "2",
      AGENT_RUN_SESSION: "sess_0000abcd",
    };
    await using outer = attached(["env"], { env: { ...env, ...own }, cols: 200 });
    await outer.exited;
    const lines = outer.screen
      .rows()
      .flatMap((row) => (row.includes("=") ? [[row.slice(0, row.indexOf("=")), row.slice(row.indexOf("=") + 1)]] : []));
    const { PATH, HOME, LANG, TERM, PWD, ...rest } = Object.fromEntries(lines) as Record<string, string>;
    expect([PATH, HOME, LANG, TERM, PWD].every((value) => value !== undefined)).toBe(true);
    expect(rest).toEqual(own);
  });

  it("holds no descriptor of ours", async () => {
    const script = `ls /proc/self/fd | xargs echo bare; '${node}' '${demo}' sh -c 'ls /proc/self/fd | xargs echo agent'; echo over; sleep 9`;
    await using outer = openOuter("/bin/sh", ["-c", script], { env, cols: 300 });
    await outer.until("both", shows("over"));
    const [bare, agent] = ["bare", "agent"].map((word) =>
      outer.screen
        .rows()
        .find((row) => row.startsWith(word))
        ?.slice(word.length),
    );
    expect(agent).toBe(bare);
  });

  it("loses no byte at its end, 20 times", async () => {
    for (let i = 0; i < 20; i++) {
      await using outer = attached(["/bin/sh", "-c", `head -c 60000 /dev/zero | tr '\\0' x; printf END${i}END`], { env });
      await outer.exited;
      expect(outer.received().replace(/[^x]/g, "").length).toBeGreaterThanOrEqual(60_000);
      expect(outer.received()).toContain(`END${i}END`);
    }
  }, 60_000);
});

describe("a last line that fills its row", () => {
  it.each([
    ["by an agent that is gone at once", ""],
    ["by one that was there for a while", "; sleep 1"],
  ])("stays whole above what follows: %s", async (_, rest) => {
    await using outer = shell(`printf '%080d' 7${rest}`, { env: { DEMO_REPORT: "1" } });
    await outer.until("what follows", shows("demo: {"));
    const rows = outer.screen.rows();
    expect(rows[rows.findIndex((row) => row.startsWith("demo: {")) - 1]).toBe("7".padStart(80, "0"));
  });
});

describe("the human's terminal", () => {
  const modes = 'printf "\\033[?1049h\\033[?2004h\\033[?1000h\\033[>1u\\033[?25l\\033[2;5r"; echo ready; sleep 60';
  const restored = (outer: Outer): void => {
    const { terminal } = outer.screen;
    expect(terminal.buffer.active.type).toBe("normal");
    expect(terminal.modes).toMatchObject({ bracketedPasteMode: false, mouseTrackingMode: "none", wraparoundMode: true });
    expect(outer.received()).toContain("\x1b[<1u");
  };

  it("is itself again after the agent was killed in the middle of everything", async () => {
    await using outer = openOuter("/bin/sh", [
      "-c",
      `echo modes $(stty -g); '${node}' '${demo}' sh -c '${modes}'; echo modes $(stty -g); echo after; sleep 60`,
    ]);
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", shows("End sh?"));
    await pause(600);
    outer.type("\x0b");
    await outer.until("what comes after", shows("after"));
    await pause(100);
    restored(outer);
    const [before, after] = outer.received().match(/modes [0-9a-f:=]+/g) ?? [];
    expect(before).toBeDefined();
    expect(after).toBe(before);
  });

  it("is itself again within a second after the launcher was killed by SIGKILL", async () => {
    const pidFile = join(folder, "launcher");
    writeFileSync(pidFile, "");
    await using outer = openOuter("/bin/sh", [
      "-c",
      `before=$(stty -g); '${node}' '${demo}' sh -c '${modes}' </dev/tty & echo $! > ${pidFile}; wait $!; sleep 0.9; [ "$before" = "$(stty -g)" ] && echo same modes; sleep 60`,
    ]);
    await outer.until("ready", shows("ready"));
    await pause(200);
    process.kill(await pidIn("launcher"), "SIGKILL");
    await outer.until("the same modes as before", shows("same modes"));
    restored(outer);
  });

  it("is itself again after the launcher of an agent that never pauses was killed by SIGKILL", async () => {
    const pidFile = join(folder, "busy-launcher");
    writeFileSync(pidFile, "");
    const script = 'printf "\\033[?1049h\\033[?1000h\\033[?2004h"; while :; do echo busy; done';
    await using outer = openOuter("/bin/sh", [
      "-c",
      `'${node}' '${demo}' sh -c '${script}' </dev/tty & echo $! > ${pidFile}; wait $!; sleep 60`,
    ]);
    await outer.until("the flood", shows("busy"));
    process.kill(await pidIn("busy-launcher"), "SIGKILL");
    await outer.until("the main screen", () => outer.received().includes("\x1b[?1049l"));
    for (const off of ["\x1b[?1000l", "\x1b[?2004l"]) expect(outer.received()).toContain(off);
  });

  it.each([
    ["as a rule", false],
    ["also where the shell was faster than the guard", true],
  ])("shows the prompt of the human's shell again after a SIGKILL on the alternate screen, %s", async (_, slow) => {
    await using outer = openOuter("bash", ["--norc", "--noprofile", "-i"], { env: { PS1: "human> ", HISTFILE: "" } });
    await outer.until("the prompt", shows("human>"));
    outer.type(`'${node}' '${demo}' sh -c 'printf "\\033[?1049h\\033[2J"; echo ready; sleep 60'\r`);
    await outer.until("the agent on the alternate screen", (screen) => screen.rows().includes("ready") && barShows("ctrl-k")(screen));
    const launcher = Number(execFileSync("ps", ["-o", "pid=", "--ppid", String(outer.pid)], { encoding: "utf8" }).trim());
    const guard = Number(
      execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(launcher)], { encoding: "utf8" })
        .split("\n")
        .find((line) => line.includes("while IFS= read"))
        ?.trim()
        .split(" ")[0],
    );
    expect(guard).toBeGreaterThan(1);
    // The guard knows of the alternate screen a moment later.
    await pause(300);
    if (slow) process.kill(guard, "SIGSTOP");
    process.kill(launcher, "SIGKILL");
    if (slow) {
      await pause(300);
      process.kill(guard, "SIGCONT");
    }
    const atPrompt = (screen: Outer["screen"]): boolean =>
      screen.terminal.buffer.active.type === "normal" && screen.row(screen.terminal.buffer.active.cursorY).startsWith("human>");
    await outer.until("the prompt without a key", atPrompt);
    outer.type("stty -a | grep -o ' opost'; echo it is $((40 + 2))\r");
    await outer.until("what the shell does", shows("it is 42"));
    expect(shows("opost")(outer.screen)).toBe(true);
  });

  it.skipIf(spawnSync("sh", ["-c", "command -v zsh"]).status !== 0)(
    "has its modes again after a SIGKILL also in zsh, which takes over what it finds, with the shell's start-up lines (needs zsh)",
    async () => {
      const bin = join(import.meta.dirname, "..", "..", "bin", "agent-run.cjs");
      await using outer = openOuter("zsh", ["-f", "-i"]);
      outer.type(`PS1='human> '; eval "$('${node}' '${bin}' shell-init zsh)"; echo loaded $((40 + 2))\r`);
      await outer.until("the lines", shows("loaded 42"));
      outer.type(`'${node}' '${demo}' sh -c 'echo ready; sleep 60'\r`);
      await outer.until("the agent", (screen) => screen.rows().includes("ready") && barShows("ctrl-k")(screen));
      const launcher = Number(execFileSync("ps", ["-o", "pid=", "--ppid", String(outer.pid)], { encoding: "utf8" }).trim());
      process.kill(launcher, "SIGKILL");
      await outer.until("the shell's word of it", shows("killed"));
      outer.type("stty -a | grep -oE -- '-?(opost|isig|icrnl)'; echo it is $((40 + 3))\r");
      await outer.until("what the shell does", shows("it is 43"));
      const modes = outer.screen.rows().filter((row) => /^-?(opost|isig|icrnl)$/.test(row.trim()));
      expect(modes.sort()).toEqual(["icrnl", "isig", "opost"]);
    },
  );

  it("keeps what was on the screen before, and the agent's output, in its scrollback", async () => {
    await using outer = openOuter("/bin/sh", ["-c", `seq 1 30; '${node}' '${demo}' sh -c 'seq 100 140; exit 0'; echo after; sleep 60`]);
    await outer.until("the end", shows("after"));
    const buffer = outer.screen.terminal.buffer.active;
    const all = Array.from({ length: buffer.baseY + buffer.cursorY }, (_, y) => buffer.getLine(y)?.translateToString(true));
    const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
    expect(all).toEqual([...numbers(1, 30), ...numbers(100, 140), "after"]);
  });

  it("may stop reading: the agent is still ended in time, and we leave", async () => {
    await using outer = attached(["/bin/sh", "-c", "while :; do echo flood flood flood flood; done"], {
      env: { DEMO_STOP_AFTER_MS: "700" },
    });
    await outer.until("the flood", shows("flood"));
    outer.stall(true);
    const started = performance.now();
    while (alive(outer.pid) && performance.now() - started < 12_000) await pause(50);
    expect(alive(outer.pid)).toBe(false);
    outer.stall(false);
  });

  it("that answers no query is no hindrance", async () => {
    await using outer = shell("echo hi; sleep 0.3; echo there", { answers: false });
    expect(await outer.exited).toEqual({ code: 0 });
    expect(outer.received()).toContain("there");
  });

  it.each([
    ["the agent", false],
    ["a question over it", true],
  ])("follows a storm of sizes, down to one cell, and shows %s and the bar afterwards", async (_, over) => {
    await using outer = shell("stty -echo; printf 'ready\\n'; trap 'stty size' WINCH; while :; do sleep 0.05; done");
    await outer.until("ready", shows("ready"));
    if (over) {
      outer.type("\x0b");
      await outer.until("the question", shows("End sh?"));
    }
    const sizes = [1, 1, 2, 2, 1, 40, 200, 1, 3, 3, 80, 2, 20, 5, 1, 1, 132, 50];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < sizes.length; i += 2) {
        outer.resize(sizes[i] as number, sizes[i + 1] as number);
        // Some within one pause of ours, some beyond it.
        await pause((i * 7) % 40);
      }
    }
    outer.resize(70, 20);
    await outer.until("the bar", (screen) => barShows("ctrl-k")(screen) && barShows("readonly")(screen));
    if (over) {
      await outer.until("the question, whole", (screen) => shows("End sh?")(screen) && shows("press a key:")(screen));
      outer.type("\x1b");
    }
    await outer.until("the agent's size", shows("19 70"));
    expect(outer.screen.rows().filter((row) => row.includes("readonly@")).length).toBe(1);
    outer.type("\x0b");
    await outer.until("the question about it", (screen) => shows("End sh?")(screen) && shows("press a key:")(screen));
    outer.type("\x0b");
    expect(await outer.exited).toEqual({ code: 137 });
  });

  it("that answers our question late does not give the answer to the agent", async () => {
    await using outer = shell("stty raw -echo; printf ready; dd bs=1 count=6 2>/dev/null | od -An -c | tr -d ' \\n'; sleep 9", {
      answers: false,
    });
    await outer.until("ready", shows("ready"));
    await pause(1000);
    outer.type("\x1b[1;1Rtyped\x1b");
    await outer.until("what was typed alone", shows("typed033"));
  });

  it("of two rows shows the agent without a bar, and gets the bar when it grows", async () => {
    await using outer = attached(["cat"], { cols: 40, rows: 2 });
    outer.type("hi\r");
    await outer.until("the echo", shows("hi"));
    expect(outer.screen.rows().join("")).not.toContain("isolated");
    outer.resize(40, 10);
    await outer.until("the bar", barShows("cat"));
    outer.resize(1, 1);
    outer.resize(60, 12);
    await outer.until("the bar again", barShows("cat"));
  });
});

describe("of which the window goes", () => {
  it.each([
    ["the terminal's own session, which the kernel tells it", ""],
    ["another one, which nobody tells it", "setsid -w "],
  ])("ends the agent where the launcher is of %s", async (_, other) => {
    const name = `window${other.length}`;
    await using outer = openOuter("/bin/sh", [
      "-c",
      `${other}"$@"; :`,
      "sh",
      node,
      demo,
      "sh",
      "-c",
      `echo $$ > ${folder}/${name}; sleep 300`,
    ]);
    await outer.until("the bar", barShows("sh"));
    const agent = await pidIn(name);
    expect(alive(agent)).toBe(true);
    process.kill(outer.pid, "SIGKILL");
    for (let left = 200; alive(agent) && left > 0; left -= 1) await pause(50);
    expect(alive(agent)).toBe(false);
  });
});

describe("without a bar of its own", () => {
  it("--no-bar leaves the agent every row, and the kill key works", async () => {
    await using outer = shell('stty size; trap "" HUP; sleep 30', { env: { DEMO_NO_BAR: "1" } });
    await outer.until("all rows", shows("24 80"));
    expect(outer.screen.rows().join("")).not.toContain("readonly@");
    outer.type("\x0b");
    await outer.until("the question", shows("End "));
    await pause(600);
    outer.type("\x0b");
    expect(await outer.exited).toEqual({ code: 137 });
    expect(outer.screen.terminal.buffer.active.type).toBe("normal");
  });

  const nested = (script: string, env: Record<string, string> = {}): Outer =>
    openOuter(node, [demo, node, demo, "sh", "-c", script], { env: { DEMO_NESTED_INSIDE: "1", ...env } });
  const outerAsks = shows("End the agent inside, or node too?");

  it("inside another one shows one bar, and the keys of both reach whom they are for", async () => {
    await using outer = nested("stty size; cat");
    await outer.until("one row less", shows("23 80"));
    await outer.until("the bar", barShows("readonly@"));
    expect(outer.screen.rows().filter((row) => row.includes("readonly@")).length).toBe(1);
    outer.type("hello\r");
    await outer.until("the echo", (screen) => screen.rows().filter((row) => row === "hello").length === 2);
    outer.type("\x0b");
    await outer.until("the outer question", outerAsks);
    await outer.until("keys to count", shows("press a key:"));
    outer.type("l");
    await outer.until("the inner question", shows("End sh?"));
    await outer.until("keys to count", shows("press a key:"));
    outer.type("\x1b");
    await outer.until("no question", (screen) => !shows("End sh?")(screen));
    outer.type("\x04");
    expect(await outer.exited).toEqual({ code: 0 });
  });

  it("the kill key, twice, ends the inner one, and the outer one goes on", async () => {
    const script = `'${node}' '${demo}' sh -c 'echo ready; exec cat'; echo inner ended with $?; sleep 9`;
    await using outer = openOuter(node, [demo, "sh", "-c", script], { env: { DEMO_NESTED_INSIDE: "1" } });
    await outer.until("the bar", barShows("readonly@"));
    // The inner one has made itself known before its agent can say a word.
    await outer.until("the inner one's agent", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", shows("End the agent inside, or sh too?"));
    await outer.until("keys to count", shows("press a key:"));
    outer.type("\x0b");
    await outer.until("the end of the inner one", shows("inner ended with 137"));
    outer.type("\x0b");
    await outer.until("the question about the outer one alone", shows("End sh?"));
  });

  it("both are ended with 'a', also when what is inside only says that it is an agent-run and ends by nothing", async () => {
    const script = `trap "" TERM HUP INT; stty -echo; printf '\\033]7777;inner;${"0".repeat(32)};here\\007ready'; while :; do sleep 0.1; done`;
    await using outer = shell(script, { env: { DEMO_GRACE_MS: "100" } });
    await outer.until("ready", shows("ready"));
    outer.type("\x0b");
    await outer.until("the question", shows("End the agent inside, or sh too?"));
    await outer.until("keys to count", shows("press a key:"));
    outer.type("\x0b");
    await outer.until("word on the bar", barShows("asked the inner"));
    outer.type("\x0b");
    await outer.until("the question again", shows("end all"));
    await outer.until("keys to count", shows("press a key:"));
    outer.type("a");
    expect(await outer.exited).toEqual({ code: 137 });
  });

  it("one that was inside and died by SIGKILL is none any more", async () => {
    const pidFile = join(folder, "inner");
    const script = `'${node}' '${demo}' sh -c 'echo $PPID; sleep 60' & echo $! > ${pidFile}; wait; echo it is dead; sleep 9`;
    await using outer = openOuter(node, [demo, "sh", "-mc", script], { env: { DEMO_NESTED_INSIDE: "1" } });
    await outer.until("the bar", barShows("readonly@"));
    process.kill(await pidIn("inner"), "SIGKILL");
    await outer.until("its death", shows("it is dead"));
    await pause(300);
    outer.type("\x0b");
    await outer.until("the question about the outer one alone", shows("End sh?"));
  });
});

describe("a paste", () => {
  it("of 300 KB to an agent that does not read neither blocks nor spins, and arrives whole when it reads", async () => {
    const out = join(folder, "pasted");
    await using outer = shell(
      `stty raw -echo; echo ready; while [ ! -e ${folder}/go ]; do sleep 0.05; done; head -c 300000 > ${out}; echo done`,
    );
    await outer.until("ready", shows("ready"));
    const paste = "0123456789".repeat(30_000);
    outer.type(paste);
    const ticks = (): number => {
      const fields = readFileSync(`/proc/${outer.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    // What loads and warms up in the first seconds is not what is measured here; who spins has no second of rest.
    const busy: number[] = [];
    while (busy.length < 10 && (busy.at(-1) ?? 100) > 5) {
      const before = ticks();
      await pause(1000);
      busy.push(ticks() - before);
    }
    expect(busy.at(-1)).toBeLessThanOrEqual(5);
    // The keys still work: the question opens over the agent that reads nothing.
    outer.type("\x0b");
    await outer.until("the question", shows("End sh?"));
    await pause(600);
    outer.type("\x1b");
    await outer.until("no question", (screen) => !shows("End sh?")(screen));
    writeFileSync(join(folder, "go"), "");
    await outer.until("the end of it", shows("done"), 15_000);
    expect(readFileSync(out, "latin1")).toBe(paste);
  }, 40_000);
});
