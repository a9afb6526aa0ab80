// A run whose stdin is the human's terminal and that has no bar: in a pipeline, under `agent-run exec`, with TERM=dumb. The agent has a terminal of its own, and
// the human's keys from when it reads on.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Human, projectFiles, putOnPath, sitDown } from "./human.ts";
import { hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const LIMIT_MS = 10_000;
const CTRL = { c: "\x03", d: "\x04", z: "\x1a" } as const;
/** Long enough for who would take a key. */
const MEANWHILE_MS = 400;
const hasLess = spawnSync("less", ["--version"]).status === 0;
const noLess = hasLess ? "" : " (needs less, apt-get install less)";
/** The status of a pipeline's first program. */
const FIRST = "(exit $PIPESTATUS)";
const missing = hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)";

describe.skipIf(!hasBubblewrap)(`keys without a bar${missing}`, () => {
  let world: World;
  let human: Human;
  beforeAll(async () => {
    world = await makeWorld({ config: "# isolation as it is without a setting\n" });
    putOnPath(world);
    expect((await world.run(["true"])).code).toBe(0);
  });
  const sit = async (env: Record<string, string> = {}): Promise<void> => {
    human = await sitDown({ ...world.env, ...env }, world.project, { cols: 91, rows: 33 });
  };
  beforeEach(async () => {
    for (const name of ["go", "seen", "stolen"]) rmSync(file(name), { force: true });
    await sit();
  });
  afterEach(() => human[Symbol.asyncDispose]());
  afterAll(() => world[Symbol.asyncDispose]());

  const { file, text, script } = projectFiles(() => world.project);
  let from = 0;
  const received = (): string => human.raw().slice(from);
  const start = (line: string): void => {
    from = human.raw().length;
    human.type(`${line}\r`);
  };
  const appears = (what: string): Promise<void> =>
    until(() => received().includes(what), LIMIT_MS, `'${what}' in ${JSON.stringify(received())}`);
  const status = async (): Promise<number> => {
    await until(async () => (await human.prompt()) !== undefined, LIMIT_MS, "the prompt");
    return (await human.prompt())?.status ?? -1;
  };
  const atRest = async (): Promise<void> =>
    expect(await human.run("stty -a | grep -q -- '-echonl' && stty -a | grep -q ' icanon' && stty -a | grep -q ' echo '")).toBe(0);

  it("give the agent a terminal that is like the human's and none of his, in the place of all that are it", async () => {
    const agent = script(
      "for n in 0 1 2; do test -t $n && echo tty-$n $(readlink /proc/$$/fd/$n) $(stty size <&$n) >> seen; done; stty -a | grep -v speed > modes; node -p 'process.stdin.isTTY' >> seen; exit 7",
    );
    expect(await human.run("stty -a | grep -v speed > before; tty > mine")).toBe(0);
    expect(await human.run(`agent-run sh ${agent} | cat; ${FIRST}`)).toBe(7);
    const mine = text("mine").trim();
    const [stdin, stderr, isTty, ...rest] = text("seen").trim().split("\n");
    const name = stdin?.split(" ")[1];
    expect(name).toMatch(/^\/dev\/pts\/\d+$/);
    expect(name).not.toBe(mine);
    expect([stdin, stderr, isTty, ...rest]).toEqual([`tty-0 ${name} 33 91`, `tty-2 ${name} 33 91`, "true"]);
    expect(text("modes")).toBe(text("before"));
    rmSync(file("seen"));
    expect(await human.run(`agent-run exec -- sh ${agent}`)).toBe(7);
    expect(
      text("seen")
        .split("\n")
        .filter((line) => line.startsWith("tty-")),
    ).toHaveLength(3);
    expect(text("seen")).not.toContain(mine);
    expect(text("modes")).toBe(text("before"));
    await atRest();
  });

  it("leave what is typed to the shell while the agent reads nothing, in a pipeline and in exec", async () => {
    const agent = script("echo begun >&2; until [ -e go ]; do sleep 0.05; done");
    for (const line of [`agent-run sh ${agent} | cat`, `agent-run sh ${agent} > printed`, `agent-run exec -- sh ${agent}`]) {
      rmSync(file("go"), { force: true });
      start(line);
      await appears("begun");
      human.type("echo typed-$((40+2))\r");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      writeFileSync(file("go"), "");
      await appears("typed-42");
      await status();
    }
  });

  it("reach an agent that reads, with echo and line editing as bare, and in a pipeline as in exec", async () => {
    const agent = script('echo begun >&2; read -r line; echo "<$line>"; exit 6');
    for (const line of [`agent-run sh ${agent} | cat; ${FIRST}`, `agent-run exec -- sh ${agent}`]) {
      start(line);
      await appears("begun");
      human.type("wrong\x15a lime\x7f\x7fne");
      await until(() => /a lime[^<]*ne$/.test(received()), LIMIT_MS, "the echo");
      human.type("\r");
      await appears("<a line>");
      expect(await status()).toBe(6);
      expect(received().slice(received().indexOf("begun"))).toMatch(/a lime[^<]*ne\r\n<a line>/);
    }
    await atRest();
  });

  it("reach one that waits for them before it reads, and one that hides them", async () => {
    script(
      'console.error("begun"); process.stdin.once("data", (line) => { console.log("got", String(line)); process.exit(3); });',
      "agent.cjs",
    );
    start(`agent-run node agent.cjs | cat; ${FIRST}`);
    await appears("begun");
    human.type("polled\r");
    await appears("got polled");
    expect(await status()).toBe(3);
    expect(received().match(/polled/g)).toHaveLength(2);
    const agent = script("stty -echo; printf 'Secret: ' >&2; read -r word; stty echo; echo \"<$word>\"");
    start(`agent-run sh ${agent} | cat`);
    await appears("Secret: ");
    human.type("hidden\r");
    await appears("<hidden>");
    await status();
    expect(
      received()
        .slice(received().indexOf("Secret"))
        .match(/hidden/g),
    ).toHaveLength(1);
    await atRest();
  });

  it("reach one that reads although another session of its own has read what was put there to wake it", async () => {
    const agent = script(
      "exec 3<&0; (setsid sh -c 'cat > ended; : > stolen' <&3 &); echo begun >&2; until [ -e stolen ]; do sleep 0.05; done; read -r line; echo \"<$line>\"; exit 6",
    );
    start(`agent-run sh ${agent} | cat; ${FIRST}`);
    await appears("begun");
    human.type("a line\r");
    await appears("<a line>");
    expect(await status()).toBe(6);
    await atRest();
  });

  it("end a read with Ctrl-D, and interrupt one with Ctrl-C, in a pipeline and in exec", async () => {
    const reads = script("echo begun >&2; cat; echo over; exit 4");
    const traps = script("trap 'echo caught >&2; exit 9' INT; echo begun >&2; read -r line", "traps.sh");
    for (const [command, end] of [
      ["agent-run", ` | cat; ${FIRST}`],
      ["agent-run exec --", ""],
    ] as const) {
      start(`${command} sh ${reads}${end}`);
      await appears("begun");
      human.type("one\r");
      await until(() => (received().match(/one/g) ?? []).length >= 2, LIMIT_MS, "the line");
      human.type(CTRL.d);
      await appears("over");
      expect(await status()).toBe(4);
      start(`${command} sh ${traps}`);
      await appears("begun");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      human.type(CTRL.c);
      await appears("caught");
      expect(await status()).toBe(9);
      expect(received().match(/caught/g)).toHaveLength(1);
    }
    await atRest();
  });

  it("stop all of it with Ctrl-Z, before it reads and while it does, and go on with fg", async () => {
    // By bash: a dash that has just begun a `sleep` cannot be stopped (vfork).
    const reads = script('echo begun >&2; until [ -e go ]; do sleep 0.05; done; read -r line; echo "<$line>"; exit 5');
    for (const line of [`set -o pipefail; agent-run bash ${reads} | cat`, `agent-run exec -- bash ${reads}`]) {
      rmSync(file("go"), { force: true });
      start(line);
      await appears("begun");
      human.type(CTRL.z);
      await appears("Stopped");
      expect(await status()).toBe(148);
      writeFileSync(file("go"), "");
      start("fg");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      human.type(CTRL.z);
      await appears("Stopped");
      expect(await status()).toBe(148);
      await atRest();
      start("fg");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      human.type("after all\r");
      await appears("<after all>");
      expect(await status()).toBe(5);
    }
  });

  it("stop an agent in the background that reads, as bare, and let it read with fg", async () => {
    const reads = script('echo begun >&2; until [ -e go ]; do sleep 0.05; done; read -r line; echo "<$line>"; exit 5');
    start(`set -o pipefail; agent-run bash ${reads} | cat`);
    await appears("begun");
    human.type(CTRL.z);
    await appears("Stopped");
    expect(await human.run("bg")).toBe(0);
    writeFileSync(file("go"), "");
    await until(async () => (await human.run("jobs > jobs")) === 0 && text("jobs").includes("Stopped"), LIMIT_MS, "the job to stop");
    start("fg");
    await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
    human.type("at last\r");
    await appears("<at last>");
    expect(await status()).toBe(5);
  });

  it.skipIf(!hasLess)(
    `are not an agent's that reads, while another program of the pipeline has the terminal for itself${noLess}`,
    async () => {
      const agent = script("i=0; while [ $i -lt 200 ]; do echo row-$i; i=$((i+1)); done; head -c 3 > stolen");
      start(`agent-run sh ${agent} | less`);
      await appears("row-31");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      human.type(" ");
      await appears("row-60");
      human.type("q");
      await until(() => received().includes("\x1b[?1049l"), LIMIT_MS, "less to end");
      human.type("abc\r");
      await status();
      expect(text("stolen")).toBe("abc");
      const password = script(
        "stty -echo </dev/tty; printf 'Password: ' >/dev/tty; read -r word </dev/tty; echo \"[$word]\"; stty echo </dev/tty; cat",
        "asks.sh",
      );
      const steals = script("until [ -e asked ]; do sleep 0.05; done; head -c 3 > stolen");
      rmSync(file("stolen"));
      start(`agent-run sh ${steals} | sh ${password}`);
      await appears("Password: ");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      writeFileSync(file("asked"), "");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      human.type("secret\r");
      await appears("[secret]");
      human.type("xyz\r");
      await status();
      expect(text("stolen")).toBe("xyz");
      await atRest();
    },
  );

  it("tell the agent the window's new size, before it reads and after", async () => {
    const agent = script("trap 'stty size >&2' WINCH; echo begun >&2; until [ -e go ]; do sleep 0.05; done; read -r line; stty size >&2");
    start(`agent-run bash ${agent} | cat`);
    await appears("begun");
    human.resize(61, 17);
    await appears("17 61");
    writeFileSync(file("go"), "");
    await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
    human.resize(71, 19);
    human.type("\r");
    await appears("19 71");
    await status();
  });

  it("leave the terminal as it was when the launcher is killed while the agent reads", async () => {
    const agent = script("echo begun >&2; echo $PPID > seen; read -r line");
    for (const line of [`agent-run sh ${agent} | cat`, `agent-run exec -- sh ${agent}`]) {
      start(line);
      await appears("begun");
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE_MS));
      process.kill(human.foreground(), "SIGKILL");
      await status();
      await atRest();
    }
  });

  it("show an agent with TERM=dumb no sequence of ours, and a program that draws its own", async () => {
    await human[Symbol.asyncDispose]();
    await sit({ TERM: "dumb" });
    start(
      `agent-run sh ${script('printf "a\\tb\\n\\033[1mc\\033[m\\n"; read -r line; printf "%s\\n" "$line"; stty -opost -echo; printf "x\\ny\\r\\n"')}`,
    );
    await appears("\x1b[1mc");
    human.type("typed\r");
    await appears("y\r\n");
    await status();
    expect(received()).toMatch(/\r\na\tb\r\n\x1b\[1mc\x1b\[m\r\ntyped\r\ntyped\r\nx\ny\r\n[^\x1b]*$/);
  });
});
