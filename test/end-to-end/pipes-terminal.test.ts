// Pipes of which one end is the human's terminal: the agent has one of its own in that place, and the human sees and steers what he would see and steer bare.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allProcesses } from "../../src/core/process-tree.ts";
import { type Human, projectFiles, putOnPath, sitDown } from "./human.ts";
import { hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const LIMIT_MS = 10_000;
const CTRL = { c: "\x03", s: "\x13", q: "\x11", z: "\x1a" } as const;
const missing = hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)";

describe.skipIf(!hasBubblewrap)(`pipes of which one end is the human's terminal${missing}`, () => {
  let world: World;
  let human: Human;
  beforeAll(async () => {
    world = await makeWorld({ config: "# isolation as it is without a setting\n" });
    putOnPath(world);
    expect((await world.run(["true"])).code).toBe(0);
  });
  beforeEach(async () => {
    rmSync(file("stop"), { force: true });
    human = await sitDown(world.env, world.project, { cols: 91, rows: 33 });
  });
  afterEach(() => human[Symbol.asyncDispose]());
  afterAll(() => world[Symbol.asyncDispose]());

  const { file, text, script } = projectFiles(() => world.project);
  const agentOf = (lines: string, shell = "sh"): string => `agent-run ${shell} ${script(lines)}`;
  const appears = (what: string, limit = LIMIT_MS): Promise<void> => until(() => human.raw().includes(what), limit, `'${what}'`);
  const shown = async (what: string): Promise<void> =>
    until(async () => (await human.screen()).includes(what), LIMIT_MS, `a row '${what}'`);
  const commands = async (): Promise<number> => (await human.prompt())?.number ?? 0;

  it("are terminals to the agent, of the window's size, and none of the human's", async () => {
    const agent = agentOf(
      "for n in 1 2; do test -t $n && echo tty-$n >> seen; stty size <&$n >> seen; end=$(readlink /proc/$$/fd/$n); echo $end >> seen; done; stty raw -echo <&2; exit 7",
    );
    expect(await human.run("stty -a | grep -v speed > before; tty > mine")).toBe(0);
    expect(await human.run(`${agent} </dev/null`)).toBe(7);
    const mine = text("mine").trim();
    const [first, size, end, second, ...rest] = text("seen").trim().split("\n");
    expect([first, size, second, ...rest]).toEqual(["tty-1", "33 91", "tty-2", "33 91", end]);
    expect(end).toMatch(/^\/dev\/pts\//);
    expect(end).not.toBe(mine);
    expect(await human.run("stty -a | grep -v speed | cmp - before")).toBe(0);
    rmSync(file("seen"));
    // Where one of them alone is a terminal, the other is what it was.
    expect(await human.run(`${agent} </dev/null | cat > nothing`)).toBe(0);
    expect(text("seen")).toMatch(/^pipe:.*\ntty-2\n33 91\n\/dev\/pts\//m);
    expect(text("seen")).not.toContain("tty-1");
    expect(text("seen")).not.toContain(mine);
  });

  it("keep the order of stdout and stderr, and every byte as it was written", async () => {
    const agent = agentOf(
      "i=0; while [ $i -lt 300 ]; do printf 'o%d\\n' $i; printf 'e%d\\n' $i >&2; i=$((i+1)); done; printf 'a\\tb\\033[1mc\\033[m\\n\\n\\nend'",
    );
    const from = human.raw().length;
    await human.run(`${agent} </dev/null`);
    const lines = Array.from({ length: 300 }, (_, i) => `o${i}\r\ne${i}\r\n`).join("");
    expect(human.raw().slice(from)).toContain(`${lines}a\tb\x1b[1mc\x1b[m\r\n\r\n\r\nend`);
  });

  it("wait for a terminal that is stopped, and lose nothing at the end", async () => {
    const agent = agentOf("i=0; while [ $i -lt 60000 ]; do echo line-$i >&2; i=$((i+1)); done; echo over > over");
    const before = await commands();
    const from = human.raw().length;
    human.type(`${agent} </dev/null | cat; echo all done\r`);
    await appears("line-9\r");
    human.type(CTRL.s);
    // What the kernel and we take meanwhile is less than all.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(text("over")).toBe("");
    human.type(CTRL.q);
    await until(async () => (await commands()) > before, 2 * LIMIT_MS, "the prompt");
    const received = human.raw().slice(from);
    const numbers = [...received.matchAll(/line-(\d+)\r\n/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 60_000 }, (_, i) => i));
    expect(received.indexOf("all done\r\n", received.indexOf("line-59999"))).toBeGreaterThan(0);
  });

  it("give the agent no key: what is typed meanwhile is the shell's, and so are the terminal's modes", async () => {
    const take = (from: string): string => `(timeout 3 head -c 3 ${from} >> taken; stty -echo ${from} 2>/dev/null) & `;
    const agent = agentOf(
      `echo begun >&2; for n in 1 2; do ${take("<&$n")}${take("</proc/self/fd/$n")}done; ${take("</dev/tty")}${take("</dev/console")} until [ -e stop ]; do sleep 0.05; done; wait`,
    );
    const before = await commands();
    human.type(`${agent} </dev/null\r`);
    await appears("begun");
    human.type("echo pass''word\r");
    await shown("echo pass''word");
    await new Promise((resolve) => setTimeout(resolve, 400));
    writeFileSync(file("stop"), "");
    await until(async () => (await commands()) === before + 2, LIMIT_MS, "the command that was typed ahead");
    await appears("password\r");
    expect(text("taken")).toBe("");
  });

  it("pass Ctrl-C on, once, and give the agent's own status", async () => {
    const agent = agentOf("trap 'echo got >&2; exit 5' INT; echo begun >&2; while :; do sleep 0.05; done");
    const before = await commands();
    const from = human.raw().length;
    human.type(`${agent} </dev/null\r`);
    await appears("begun");
    human.type(CTRL.c);
    await until(async () => (await commands()) > before, LIMIT_MS, "the prompt");
    expect((await human.prompt())?.status).toBe(5);
    expect(human.raw().slice(from).match(/got/g)).toHaveLength(1);
    expect(await human.run("agent-run sh -c 'kill -TERM $$' </dev/null")).toBe(143);
  });

  it("stop with Ctrl-Z, the whole pipeline, and go on with bg and fg", async () => {
    const lines = "echo begun >&2; while [ ! -e stop ]; do printf x >> count; sleep 0.02; done; echo ended >&2; exit 3";
    // A dash that has just begun a `sleep` cannot be stopped (vfork).
    const agent = agentOf(lines, "bash");
    const before = await commands();
    human.type(`set -o pipefail; ${agent} </dev/null | cat\r`);
    await appears("begun");
    human.type(CTRL.z);
    await until(async () => (await commands()) > before, LIMIT_MS, "the prompt");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopped = text("count");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(text("count")).toBe(stopped);
    expect(await human.run("bg")).toBe(0);
    await until(() => text("count") !== stopped, LIMIT_MS, "it to go on");
    human.type("fg\r");
    writeFileSync(file("stop"), "");
    await appears("ended");
    await until(async () => (await human.prompt())?.status === 3, LIMIT_MS, "its status");
  });

  it("tell the agent the window's new size", async () => {
    const agent = agentOf("trap 'stty size <&2 >&2; exit 0' WINCH; echo begun >&2; while :; do sleep 0.05; done");
    human.type(`${agent} </dev/null | cat\r`);
    await appears("begun");
    human.resize(61, 17);
    await appears("17 61");
  });

  it("stop a job in the background that writes where the terminal says so, and leave it its output later", async () => {
    const agent = agentOf("echo begun > begun; sleep 0.3; echo written >&2; exit 4");
    expect(await human.run(`stty tostop; ${agent} </dev/null &`)).toBe(0);
    await until(() => text("begun") !== "", LIMIT_MS, "the agent");
    await until(async () => (await human.run("jobs > jobs")) === 0 && text("jobs").includes("Stopped"), LIMIT_MS, "the job to stop");
    expect(human.raw()).not.toContain("written");
    expect(await human.run("fg")).toBe(4);
    await shown("written");
    expect(await human.run("stty -tostop")).toBe(0);
  });

  it("leave what is typed to the shell where the agent is in the background, which has nothing to read then", async () => {
    const agent = agentOf("head -c 9 > read; head -c 3 <&2 >> taken; echo over > over");
    rmSync(file("over"), { force: true });
    expect(await human.run(`${agent} > printed &`)).toBe(0);
    await until(() => existsSync(file("read")), LIMIT_MS, "the agent");
    expect(await human.run("echo it is mine")).toBe(0);
    await shown("it is mine");
    expect(text("read")).toBe("");
    expect(text("taken")).toBe("");
    expect(await human.run("kill %1; wait")).toBe(0);
    expect(text("over")).toBe("");
  });

  it("cost nothing where none is a terminal: nothing that makes one is loaded", async () => {
    const loads = (pid: number): boolean => readFileSync(`/proc/${pid}/maps`, "latin1").includes("pty.node");
    const child = world.start(["sh", "-c", "echo up; read -r line"]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    expect(loads(child.pid ?? 0)).toBe(false);
    child.stdin?.end("\n");
    await new Promise((resolve) => child.once("close", resolve));
    human.type(`${agentOf("echo begun >&2; until [ -e stop ]; do sleep 0.05; done")} </dev/null | cat\r`);
    await appears("begun");
    const launcher = allProcesses().find(
      ({ pid, parent }) => parent === human.shell && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("agent.sh"),
    );
    expect(loads(launcher?.pid ?? 0)).toBe(true);
    writeFileSync(file("stop"), "");
    await until(async () => (await human.prompt())?.status === 0, LIMIT_MS, "the prompt");
  });
});
