// A terminal around the sandbox: Ctrl-C, job control, the controlling terminal and the window size work inside, and the human's terminal is not there.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolvePaths } from "../../src/core/paths.ts";
import { type Isolation, prepareIsolation } from "../../src/isolation/isolate.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const [self] = users;

describe.skipIf(!hasBubblewrap)(`a terminal in the sandbox${missing}`, () => {
  let world: World;
  let isolation: Isolation;
  beforeAll(async () => {
    if (!self) throw new Error("no user");
    world = new World(self);
    const paths = resolvePaths(world.env, self.uid);
    const folder = join(paths.runtime, world.session);
    for (const path of [folder, paths.state]) mkdirSync(path, { recursive: true, mode: 0o700 });
    isolation = await prepareIsolation({
      level: "standard",
      uid: self.uid,
      project: world.project,
      cwd: world.project,
      agent: "sh",
      paths,
      packageFolder: join(import.meta.dirname, "../.."),
      sessionFolder: folder,
      env: world.env,
      programs: [process.execPath],
      allow: [],
      write: [],
      hide: [],
      folder,
    });
  });
  afterAll(() => world[Symbol.dispose]());

  /** Runs a script under a job-control shell inside, as the session shim does, and types `keys` once the script has printed `ready`. */
  function onTerminal(script: string, keys = ""): Promise<{ text: string; code: number }> {
    const shim = 'set -m; "$@"; echo "status $?"';
    const wrapped = isolation.wrap({
      file: "/bin/sh",
      args: ["-c", shim, "shim", "/bin/sh", "-c", script],
      cwd: world.project,
      env: { ...world.env, TERM: "xterm" },
    });
    const pty = spawn(wrapped.file, [...wrapped.args], { cwd: wrapped.cwd, env: { ...wrapped.env }, cols: 91, rows: 33 });
    let text = "";
    let typed = false;
    pty.onData((part) => {
      text += part;
      if (typed || !text.includes("ready")) return;
      typed = true;
      // A shell that is just starting a program loses a signal, bare too.
      setTimeout(() => pty.write(keys), 200);
    });
    return new Promise((resolve) => {
      pty.onExit(({ exitCode }) => resolve({ text, code: exitCode }));
    });
  }

  it("lets the agent handle Ctrl-C and live on", async () => {
    const agent =
      "process.on('SIGINT', () => { console.log('caught'); setTimeout(() => process.exit(5), 200); }); setInterval(() => {}, 1000); console.log('ready')";
    const { text } = await onTerminal(`exec node -e "${agent}"`, "\x03");
    expect(text).toContain("caught");
    expect(text).toContain("status 5");
  });

  it("ends a program that does not handle Ctrl-C, as bare", async () => {
    const { text, code } = await onTerminal("echo ready; sleep 20; echo survived", "\x03");
    expect(text).not.toContain("survived");
    expect(code).toBe(130);
  });

  it("is the controlling terminal, with its size, and the only one", async () => {
    const { text } = await onTerminal(
      "test -t 0 && echo is-tty; tty; echo through > /dev/tty; stty size; ls /dev/pts; ls /dev | tr '\\n' ' '",
    );
    expect(text).toContain("is-tty");
    expect(text).toContain("through");
    expect(text).toContain("/dev/console\r\n");
    expect(text).toContain("33 91");
    expect(text).toMatch(/\r\nptmx\r\n/);
    expect(text).not.toMatch(/tty\d|ttyS|kmsg|mem /);
  });

  it("takes no typed characters from a program (TIOCSTI)", async () => {
    const python =
      "import fcntl,errno\ntry:\n  fcntl.ioctl(0,0x5412,b'y'); print('typed')\nexcept OSError as e: print('refused', errno.errorcode[e.errno])";
    const { text } = await onTerminal(`command -v python3 >/dev/null || { echo refused EPERM; exit; }; python3 -c "${python}"`);
    expect(text).toContain("refused EPERM");
  });
});
