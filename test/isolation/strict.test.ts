// Level strict around real programs: what is there at all, what can be reached from its network, and what stays of what was written.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scopesSockets } from "./landlock.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

/** A program of the machine's: answers on a port of its loopback, which it prints, and on an abstract socket. In a process of its own: `world.run` waits. */
const ANSWERS = `const net=require("node:net");const on=(text)=>net.createServer((socket)=>socket.on("error",()=>{}).end(text));
on("abstract").listen("\\0"+process.argv[1],()=>{const tcp=on("the machine answers\\n").listen(0,"127.0.0.1",()=>console.log(tcp.address().port))});`;

/** Prints every file that it can read, but for what the system brings. */
const READ_ALL = `find / -xdev -path /proc -prune -o -path /usr -prune -o -path "$OWN" -prune -o -type f -size -64k -print0 2>/dev/null | xargs -0 cat 2>/dev/null; find "$HOME" -type f -exec cat {} + 2>/dev/null`;

describe.skipIf(!hasBubblewrap).each(users)(`level strict for $name${missing}`, (user) => {
  let world: World;
  let answering: ChildProcess;
  let port = 0;
  const strict = (script: string, more: Parameters<World["run"]>[1] = {}) => world.run(script, { level: "strict", ...more });

  beforeAll(async () => {
    world = new World(user);
    for (const path of [".aws/credentials", ".ssh/id_ed25519", "notes.txt", "code/other/.env", ".gitconfig", "Documents/tax.txt"])
      world.plant(path);
    world.plant(".config/git/credentials");
    world.plant(".config/git/ignore", "*.o\n");
    world.plant(".bashrc", "# mine\n");
    world.plant(".codex/auth.json");
    world.plant(".claude/settings.json", '{"mine":true}\n');
    world.plant(".claude/history.jsonl", "own state\n");
    world.plant(".cache/token");
    world.plant(".npm/_cacache/x");
    world.plant(".nvm/versions/node/v1/bin/tool", "#!/bin/sh\necho from the toolchain\n");
    world.plant("sdk/agent/lib/text", "beside it\n");
    world.plant("sdk/agent/bin/agent", '#!/bin/sh\ncat "$(dirname "$(readlink -f "$0")")/../lib/text"\n');
    execFileSync("chmod", ["+x", join(world.home, ".nvm/versions/node/v1/bin/tool"), join(world.home, "sdk/agent/bin/agent")]);
    mkdirSync(join(world.home, ".local/bin"), { recursive: true });
    symlinkSync("../../sdk/agent/bin/agent", join(world.home, ".local/bin/agent"));
    world.plant("code/project/readme.md", "hello\n");
    world.git("init", "-q", "-b", "main");
    world.git("add", ".");
    world.git("commit", "-q", "-m", "first");
    world.settle();
    answering = spawn(process.execPath, ["-e", ANSWERS, world.session], { stdio: ["ignore", "pipe", "inherit"] });
    port = await new Promise<number>((resolve) => answering.stdout?.once("data", (text: Buffer) => resolve(Number(text))));
  });
  afterAll(() => {
    answering.kill();
    world[Symbol.dispose]();
  });

  const canariesIn = (text: string): string[] => [...world.canaries].filter(([, canary]) => text.includes(canary)).map(([path]) => path);

  it("shows nothing of home but the agent's own state and toolchains", () => {
    const own = join(import.meta.dirname, "../..");
    const { stdout, stderr } = strict(`${READ_ALL}; echo entries: $(ls -A "$HOME" | sort | tr '\\n' ' ')`, {
      agent: "claude",
      env: { ...world.env, OWN: own },
    });
    expect(canariesIn(stdout + stderr)).toEqual([]);
    expect(stdout).toContain("own state");
    expect(stdout).toContain("entries: .claude .claude.json .local .nvm code sdk");
  });

  it("has the project to write, and throws away what is written elsewhere in home", () => {
    const { status, stdout } = strict(
      'echo new > written && echo x > "$HOME/.bashrc" && mkdir -p "$HOME/.config/systemd/user" && echo kept for now && cat "$HOME/.bashrc"; echo x >> "$HOME/.claude/settings.json" || echo protected; echo x > /usr/x || echo read-only; echo x > /etc/x || echo closed; touch /x || echo closed root',
      { agent: "claude" },
    );
    expect(status).toBe(0);
    expect(stdout).toContain("kept for now\nx\nprotected\nread-only\nclosed\nclosed root\n");
    expect(readFileSync(join(world.project, "written"), "utf8")).toBe("new\n");
    expect(readFileSync(join(world.home, ".bashrc"), "utf8")).toBe("# mine\n");
    expect(existsSync(join(world.home, ".config/systemd"))).toBe(false);
    expect(readFileSync(join(world.home, ".claude/settings.json"), "utf8")).toBe('{"mine":true}\n');
  });

  it("runs toolchains, programs behind links, git, and the system's own programs", () => {
    const PATH = `${join(world.home, ".nvm/versions/node/v1/bin")}:${join(world.home, ".local/bin")}:${world.env["PATH"]}`;
    const { stdout, stderr } = strict(
      'tool; agent; git -c safe.directory="*" log --format=%s; git -c safe.directory="*" -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m second && git -c safe.directory="*" log -1 --format=%s; id -u; date +%Z >/dev/null && node -p 1+1',
      { env: { ...world.env, PATH } },
    );
    expect(stdout, stderr).toBe(`from the toolchain\nbeside it\nfirst\nsecond\n${user.uid}\n2\n`);
  });

  it("gives back by name, and shows git's settings when asked", () => {
    const script = 'cat "$HOME/.gitconfig" "$HOME/.config/git/ignore" "$HOME/.config/git/credentials" "$HOME/.ssh/id_ed25519"';
    expect(canariesIn(strict(script).stdout)).toEqual([]);
    const asked = strict(script, { allow: ["git-config", "ssh"] });
    expect(canariesIn(asked.stdout).toSorted()).toEqual([".gitconfig", ".ssh/id_ed25519"]);
    expect(asked.stdout).toContain("*.o");
  });

  const CONNECT = (host: string, at: number): string =>
    `node -e 'require("net").connect({host:"${host}",port:${at}}).on("data",(d)=>process.stdout.write(d)).on("error",(e)=>console.log(e.code))'`;

  it("reaches the ports that are served, and nothing else of the machine's loopback", () => {
    const { stdout, stderr } = strict(CONNECT("127.0.0.1", port), { ports: [port] });
    expect(stdout, stderr).toBe("the machine answers\n");
    expect(strict(CONNECT("127.0.0.1", port)).stdout).toBe("ECONNREFUSED\n");
    const other = strict(`${CONNECT("127.0.0.1", port)}; ${CONNECT("127.0.0.1", port === 4000 ? 4001 : 4000)}`, { ports: [port] });
    expect(other.stdout).toBe("the machine answers\nECONNREFUSED\n");
  });

  it("has no way to the credential services of clouds and containers, nor anywhere else", () => {
    const hosts = ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "192.0.2.1", "10.0.0.1"];
    const { stdout } = strict(
      `${hosts.map((host) => CONNECT(host, 80)).join(";")}; ls /sys 2>&1; cat /proc/net/dev | tail -n +3 | cut -d: -f1`,
    );
    expect(stdout.split("\n").filter((line) => /^E[A-Z]+$/.test(line))).toHaveLength(hosts.length);
    expect(stdout).not.toContain("answers");
    expect(stdout.trim().split("\n").at(-1)?.trim()).toBe("lo");
  });

  it("opens no socket to the host of a virtual machine, which is in no network namespace", () => {
    const script = `python3 -c 'import socket;print(socket.socket(socket.AF_INET).family.value)
try: socket.socket(40, socket.SOCK_STREAM); print("open")
except OSError as error: print(error.errno)'`;
    expect(strict(script.replace("python3", "/usr/bin/python3")).stdout).toBe("2\n97\n");
  });

  it("cannot reach abstract sockets of the machine", () => {
    const script = `node -e 'require("net").connect("\\0${world.session}").on("data",(d)=>console.log(String(d))).on("error",(e)=>console.log(e.code))'`;
    expect(strict(script).stdout).toBe("ECONNREFUSED\n");
    expect(world.run(script, { allow: ["desktop"] }).stdout).toBe("abstract\n");
  });

  it("cannot reach them at standard either, where the kernel can tell them apart, and has its own", () => {
    const asks = `require("net").connect("\\0${world.session}").on("data",(d)=>console.log(String(d))).on("error",(e)=>console.log(e.code))`;
    const serves = `const own=require("net").createServer((s)=>s.end("its own")).listen("\\0inside",()=>require("net").connect("\\0inside").on("data",(d)=>{console.log(String(d));own.close()}))`;
    const { stdout, stderr } = world.run(`node -e '${asks}'; node -e '${serves}'`);
    expect(stdout, stderr).toBe(`${scopesSockets ? "EPERM" : "abstract"}\nits own\n`);
  });

  it("has a forwarder for the hosts that were named, which variables lead to", () => {
    const script = `node -e 'const {hostname,port}=new URL(process.env.HTTPS_PROXY);for(const host of ["named.invalid","other.invalid"])require("net").connect(Number(port),hostname,function(){this.write("CONNECT "+host+":443 HTTP/1.1\\r\\n\\r\\n")}).on("data",(d)=>console.log(host,String(d).split(" ")[1]))' | sort; echo $NO_PROXY`;
    const { stdout, stderr } = strict(script, { network: ["named.invalid"], ports: [port] });
    // That name leads nowhere, but it was looked for.
    expect(stdout, stderr).toBe("named.invalid 502\nother.invalid 403\n127.0.0.1,localhost\n");
    expect(strict('echo "[$HTTPS_PROXY]"', { ports: [port] }).stdout).toBe("[]\n");
  });

  it("lets no sandbox start inside, unless that was asked for", () => {
    const script =
      "bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc --dev /dev echo nested 2>&1 || unshare -Ur echo namespace 2>&1";
    const refused = strict(script);
    expect(refused.stdout).not.toMatch(/^(nested|namespace)$/m);
    expect(refused.status).not.toBe(0);
    // The kernel gives a root without privileges none at any level.
    if (user.uid !== 0) {
      expect(strict(script, { nested: true }).stdout).toBe("nested\n");
      expect(world.run(script).stdout).toBe("nested\n");
    }
  });

  it("leaves the agent no trace of how its ports were opened", () => {
    const { stdout } = strict("env | grep -c NODE_CHANNEL; echo $(ls /proc/self/fd); ps -o comm= -A 2>/dev/null || cat /proc/[0-9]*/comm", {
      ports: [port],
    });
    expect(stdout.split("\n")[0]).toBe("0");
    expect(stdout).not.toMatch(/^node$/m);
    const bare = strict("echo $(ls /proc/self/fd)").stdout.trim();
    expect(stdout.split("\n")[1]).toBe(bare);
  });

  it("passes on the exit status, and ends with 125 when a port cannot be opened", () => {
    expect(strict("exit 7", { ports: [port] }).status).toBe(7);
    const failed = strict("echo started", { ports: [port, port] });
    expect(failed.status).toBe(125);
    expect(failed.stdout).toBe("");
    expect(failed.stderr).toContain("cannot listen inside the sandbox");
  });

  it("refuses a project inside what is hidden, as standard does", () => {
    writeFileSync(join(world.home, ".ssh/x"), "");
    const { status, stderr } = strict("true", { project: join(world.home, ".ssh") });
    expect(status).not.toBe(0);
    expect(stderr).toContain("lies in what is hidden");
  });
});
