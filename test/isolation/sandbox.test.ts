// The real sandbox around real programs: what they find of a developer's secrets, what they can write, and that nothing outlives it.
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const SECRETS = [
  ".aws/credentials",
  ".aws/config",
  ".aws/sso/cache/token.json",
  ".aws/cli/cache/role.json",
  ".config/gcloud/credentials.db",
  ".azure/msal_token_cache.json",
  ".kube/config",
  ".docker/config.json",
  ".config/containers/auth.json",
  ".netrc",
  ".npmrc",
  ".pypirc",
  ".git-credentials",
  ".config/git/credentials",
  ".config/gh/hosts.yml",
  ".config/glab-cli/config.yml",
  ".cargo/credentials.toml",
  ".ssh/id_ed25519",
  ".gnupg/private-keys-v1.d/key",
  ".local/share/keyrings/login.keyring",
  ".mozilla/firefox/x.default/logins.json",
  ".config/google-chrome/Default/Cookies",
  ".bash_history",
  ".zsh_history",
  ".python_history",
  ".local/share/fish/fish_history",
  ".s3cfg",
  ".boto",
  ".config/rclone/rclone.conf",
  ".terraform.d/credentials.tfrc.json",
  ".vault-token",
  ".config/op/config",
  ".password-store/aws.gpg",
  ".pgpass",
  ".m2/settings.xml",
  ".codex/auth.json",
  ".claude/.credentials.json",
  ".claude/ide/1.lock",
  ".cache/huggingface/token",
  ".config/agent-run/config.toml",
  ".local/state/agent-run/audit/sess_00000000.ndjson",
];

/** Prints everything that it can read below the home and at the given paths. */
const READ_ALL = `find "$HOME" -type f -exec cat {} + 2>/dev/null; for f in $EXTRA; do cat "$f" 2>/dev/null; done; find /tmp /run /dev/shm "$XDG_RUNTIME_DIR" 2>/dev/null`;

describe.skipIf(!hasBubblewrap).each(users)(`the sandbox of $name${missing}`, (user) => {
  let world: World;
  beforeAll(() => {
    world = new World(user);
    for (const path of SECRETS) world.plant(path);
    world.plant(".bashrc", "# mine\n");
    world.plant(".gitconfig", "[user]\n\tname = Dev\n\temail = dev@example.com\n");
    world.plant("code/notes.txt", "notes\n");
    world.plant("code/project/readme.md", "hello\n");
    world.plant(".cargo/bin/tool", "tool\n");
    world.plant(".config/tool/settings", "settings\n");
    world.git("init", "-q", "-b", "main");
    world.git("add", ".");
    world.git("commit", "-q", "-m", "first");
    world.settle();
  });
  afterAll(() => world[Symbol.dispose]());

  const canariesIn = (text: string): string[] => [...world.canaries].filter(([, canary]) => text.includes(canary)).map(([path]) => path);

  it("shows none of the planted secrets, by whatever way they are named", () => {
    const extra = [...world.canaries.keys()].map((path) => join(world.home, path)).join(" ");
    const { stdout } = world.run(READ_ALL, { env: { ...world.env, EXTRA: extra } });
    expect(stdout).toContain("# mine");
    expect(canariesIn(stdout)).toEqual([]);
  });

  it("would show every one of them if it hid nothing, so that the test above can fail", () => {
    const text = execFileSync("sh", ["-c", `${READ_ALL}; true`], { encoding: "utf8", env: { ...world.env, EXTRA: "" }, maxBuffer: 1e8 });
    expect(canariesIn(text)).toEqual(SECRETS);
  });

  it("shows the rest of home to read, not to write", () => {
    const { stdout, stderr } = world.run(
      "cat ~/.bashrc ~/code/notes.txt ~/.cargo/bin/tool ~/.config/tool/settings; for f in ~/new ~/.bashrc ~/code/notes.txt ~/.config/x ~/.local/bin/x ~/.ssh/x ~/.aws/x; do echo x >>$f; done",
    );
    expect(stdout).toBe("# mine\nnotes\ntool\nsettings\n");
    expect(stderr.match(/cannot create/g)).toHaveLength(7);
    expect(readFileSync(join(world.home, ".bashrc"), "utf8")).toBe("# mine\n");
  });

  it("lets the project, caches and temp be written, and the project only really", () => {
    const { stdout, status } = world.run(
      "set -e; echo a > made.txt; mkdir -p ~/.cache/x ~/.npm/y; echo b > /tmp/$MARK; echo c > /dev/shm/$MARK; cat made.txt /tmp/$MARK /dev/shm/$MARK; rm -r ~/.cache/x",
      { env: { ...world.env, MARK: world.session } },
    );
    expect(stdout).toBe("a\nb\nc\n");
    expect(status).toBe(0);
    expect(existsSync(join(world.project, "made.txt"))).toBe(true);
    expect(existsSync(`/tmp/${world.session}`)).toBe(false);
    expect(existsSync(`/dev/shm/${world.session}`)).toBe(false);
  });

  it("is not made by a bwrap that an agent could have left in the project", () => {
    const folder = join(world.project, "node_modules", ".bin");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "bwrap"), `#!/bin/sh\ntouch '${world.root}/fooled' '${world.home}/fooled'\nexec /usr/bin/bwrap "$@"\n`, {
      mode: 0o755,
    });
    const { stdout, stderr } = world.run("echo inside", { env: { ...world.env, PATH: `${folder}:${world.env["PATH"]}` } });
    expect(stdout, stderr).toBe("inside\n");
    expect([world.root, world.home].some((place) => existsSync(join(place, "fooled")))).toBe(false);
  });

  it("keeps hiding a file that the human's own programs replace meanwhile", async () => {
    const child = world.start(["/bin/sh", "-c", "echo up; sleep 1; cat ~/.netrc ~/.config/git/credentials ~/.aws/credentials; echo done"]);
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (!text.startsWith("up")) return;
      for (const path of [".netrc", ".config/git/credentials"]) {
        const file = join(world.home, path);
        writeFileSync(`${file}.new`, `secret = ${world.canaries.get(path)}\n`);
        renameSync(`${file}.new`, file);
      }
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(text).toBe("up\ndone\n");
  });

  it("hides what a link in a store leads to, and a store that is itself a link", () => {
    using other = new World(user);
    other.plant("dotfiles/aws-keys");
    other.plant("dotfiles/ssh/id_rsa");
    other.link(".aws/credentials", join(other.home, "dotfiles/aws-keys"));
    other.link(".ssh", "dotfiles/ssh");
    other.settle();
    const { stdout } = other.run(READ_ALL, { env: { ...other.env, EXTRA: `${other.home}/.aws/credentials ${other.home}/.ssh/id_rsa` } });
    expect([...other.canaries.values()].filter((canary) => stdout.includes(canary))).toEqual([]);
    expect(stdout).not.toBe("");
  });

  it("shows nothing of a store by a link that an earlier agent made where settings and git's parts are covered", () => {
    using other = new World(user);
    other.plant(".aws/sso/cache/0123.json");
    other.plant(".config/gcloud/credentials.db");
    other.link(".claude/scripts", join(other.home, ".aws/sso/cache"));
    other.link(".claude/bin", "../.config/gcloud");
    other.git("init", "-q", "-b", "main");
    other.git("commit", "-q", "--allow-empty", "-m", "first");
    other.plant(join(other.project, ".git/modules/new/HEAD"), "x");
    const store = "../../../../../.config/gcloud";
    for (const [name, target] of Object.entries({ hooks: store, config: `${store}/credentials.db` }))
      symlinkSync(target, join(other.project, ".git/modules/new", name));
    symlinkSync(store.slice("../../..".length + 1), join(other.project, "way"));
    other.plant(join(other.project, ".git/worktrees/a/gitdir"), `${other.project}/way/credentials.db\n`);
    other.settle();
    const { stdout } = other.run(`cat ~/.aws/sso/cache/* ~/.config/gcloud/* ~/.claude/*/* way/*; echo end`, {
      agent: "claude",
    });
    expect([...other.canaries.values()].filter((canary) => stdout.includes(canary))).toEqual([]);
    expect(stdout).toContain("end");
  });

  it("hides stores that a variable moved elsewhere, also into the project", () => {
    using other = new World(user);
    const moved = other.plant("elsewhere/config");
    other.plant(join(other.project, "key.json"));
    other.settle();
    const env = { ...other.env, AWS_CONFIG_FILE: moved, GOOGLE_APPLICATION_CREDENTIALS: "key.json" };
    const { stdout } = other.run("cat ~/elsewhere/config key.json; ls", { env });
    expect(stdout).toBe("key.json\n");
  });

  it("gives back what is allowed by name, to read", () => {
    const { stdout } = world.run("cat ~/.ssh/id_ed25519 ~/.netrc ~/.aws/credentials; echo x >> ~/.ssh/id_ed25519", { allow: ["ssh"] });
    expect(canariesIn(stdout)).toEqual([".ssh/id_ed25519"]);
    expect(readFileSync(join(world.home, ".ssh/id_ed25519"), "utf8")).not.toContain("x\n");
  });

  it("refuses to give back AWS stores and unknown names", () => {
    const aws = world.run("true", { allow: ["aws"] });
    expect(aws.stderr).toContain("can not be given back");
    expect(world.run("true", { allow: ["shh"] }).stderr).toContain("did you mean 'ssh'?");
    expect(world.run("true", { write: ["~/.aws"] }).stderr).toContain("can not be given to an agent");
  });

  it("protects git's hooks and configuration, also against renaming what holds them", () => {
    const { stdout } = world.run(`
      try() { "$@" 2>/dev/null && echo "did: $*"; }
      try sh -c 'echo evil >> .git/config'
      try sh -c 'echo evil > .git/hooks/pre-commit'
      try git config core.fsmonitor evil
      try mv .git .git2
      try mv .git/hooks .git/hooks2
      try rm -rf .git/hooks .git/config
      try sh -c 'mkdir evil; echo "$PWD/evil" > .git/commondir'
      try ln .git/config linked
      try git status --short
      try git commit -q --allow-empty -m second
      try git checkout -q -b topic
      git log --oneline | wc -l`);
    expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("??"))).toEqual([
      "did: git status --short",
      "did: git commit -q --allow-empty -m second",
      "did: git checkout -q -b topic",
      "2",
    ]);
    expect(world.git("config", "--get", "core.bare").trim()).toBe("false");
    expect(existsSync(join(world.project, ".git/commondir"))).toBe(false);
  });

  it("makes and removes stand-ins for an agent's settings, which the agent cannot write", () => {
    const { stdout, stderr } = world.run(
      "cat ~/.claude/.credentials.json; echo '{\"evil\":1}' > ~/.claude/settings.json; touch ~/.claude/commands/x ~/.claude/new; mv ~/.claude ~/.c2; echo ok > ~/.claude.json",
      { agent: "claude" },
    );
    expect(canariesIn(stdout)).toEqual([".claude/.credentials.json"]);
    expect(stderr.match(/Read-only file system/g)?.length).toBeGreaterThanOrEqual(2);
    expect(existsSync(join(world.home, ".claude/settings.json"))).toBe(false);
    expect(existsSync(join(world.home, ".claude/commands"))).toBe(false);
    expect(existsSync(join(world.home, ".claude/new"))).toBe(true);
    expect(readFileSync(join(world.home, ".claude.json"), "utf8")).toBe("ok\n");
  });

  it("reaches no socket of the human: the control socket, one in home, one in the runtime folder", async () => {
    using other = new World(user);
    other.plant(
      "code/project/connect.mjs",
      `import { connect } from "node:net";
      for (const path of process.argv.slice(2)) await new Promise((resolve) => connect(path).on("connect", () => { console.log("reached", path); resolve(); }).on("error", resolve));
      console.log("end"); process.exit();`,
    );
    other.plant("runtime-marker", "x");
    other.plant(join(other.runtime, "agent-run", "marker"), "x");
    const paths = [
      join(other.runtime, "agent-run", "control.sock"),
      join(other.home, "agent.sock"),
      join(other.runtime, "bus"),
      join(other.home, ".cache", "ibus.sock"),
    ];
    other.plant(".cache/x", "x");
    const servers = await Promise.all(
      paths.map(
        (path) =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer().listen(path, () => resolve(server));
          }),
      ),
    );
    other.settle();
    const script = `node connect.mjs ${paths.join(" ")}`;
    const bare = execFileSync("sh", ["-c", script], { cwd: other.project, env: other.env, encoding: "utf8" });
    const inside = other.run(script);
    const agent = other.run(script, { env: { ...other.env, SSH_AUTH_SOCK: paths[1] ?? "" }, allow: ["ssh"] });
    for (const server of servers) server.close();
    expect(bare.match(/reached/g)).toHaveLength(4);
    expect(inside.stdout).toBe("end\n");
    expect(agent.stdout).toBe(`reached ${paths[1]}\nend\n`);
  });

  it("shows its own session's files to read, and no other session's", () => {
    world.plant(join(world.runtime, "agent-run", "sess_11111111", "aws-config"));
    world.settle();
    const { stdout } = world.run(
      `ls "$XDG_RUNTIME_DIR/agent-run"; cat "$XDG_RUNTIME_DIR"/agent-run/*/aws-config; echo x > "$XDG_RUNTIME_DIR/agent-run/${world.session}/x" || echo refused`,
    );
    expect(stdout).toBe(`${world.session}\nrefused\n`);
  });

  it("shows only its own processes, and no environment of others", () => {
    const { stdout } = world.run("cat /proc/[0-9]*/comm | sort -u; tr '\\0' '\\n' < /proc/1/environ | grep -c PATH");
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual(
      ["bwrap", "cat", "sh", "sort", "0"].filter((name) => name === "0" || stdout.includes(name)),
    );
    expect(stdout.split("\n").length).toBeLessThanOrEqual(6);
  });

  it("passes the environment exactly as given", () => {
    const env = { ...world.env, STRANGE: "two\nlines 'and' quotes", SHLVL: "7", f: "1" };
    const out = JSON.parse(world.run(`exec node -e 'console.log(JSON.stringify(process.env))'`, { env }).stdout) as Record<string, string>;
    const { PWD: _pwd, OLDPWD: _oldpwd, SHLVL: _shlvl, _: _last, ...rest } = out;
    const { SHLVL: _given, ...expected } = env;
    expect(rest).toEqual(expected);
  });

  it("hands on arguments and exit status", () => {
    expect(world.run("exit 37").status).toBe(37);
    expect(world.run("kill -TERM $$").status).toBe(143);
    expect(world.run('printf \'%s|\' "$0" "$@"').stdout).toBe("/bin/sh|");
  });

  it("takes every process with it when its outer process is killed, setsid ones too", async () => {
    const naps = String(randomInt(100_000, 1_000_000));
    const child = world.start(
      ["/bin/sh", "-c", `trap '' TERM INT HUP; setsid sh -c 'sleep ${naps}' & setsid sleep ${naps} & sleep ${naps}; sleep ${naps}`],
      { announce: true },
    );
    const pid = await new Promise<number>((resolve) => {
      child.stderr?.setEncoding("utf8").on("data", (text: string) => resolve(Number(/pid (\d+)/.exec(text)?.[1])));
    });
    const marks = (): string[] => sleepersBelow(naps);
    for (let tries = 0; marks().length < 3 && tries < 100; tries += 1) await wait(50);
    expect(marks().length).toBeGreaterThanOrEqual(3);
    process.kill(pid, "SIGKILL");
    for (let tries = 0; marks().length > 0 && tries < 100; tries += 1) await wait(20);
    expect(marks()).toEqual([]);
    await new Promise((resolve) => (child.exitCode === null ? child.on("exit", resolve) : resolve(undefined)));
  });

  it("takes every process with it when whoever started it is killed", async () => {
    const naps = String(randomInt(100_000, 1_000_000));
    const child = world.start(["/bin/sh", "-c", `setsid sleep ${naps} & sleep ${naps}`], { announce: true });
    for (let tries = 0; sleepersBelow(naps).length < 2 && tries < 200; tries += 1) await wait(50);
    expect(sleepersBelow(naps).length).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    for (let tries = 0; sleepersBelow(naps).length > 0 && tries < 100; tries += 1) await wait(20);
    expect(sleepersBelow(naps)).toEqual([]);
  });

  it("has no privileges, and gains none", () => {
    const { stdout } = world.run(
      "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; mount -t tmpfs x /mnt 2>/dev/null && echo mounted; umount ~ 2>/dev/null && echo unmounted",
    );
    expect(stdout).toBe("CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
  });

  it("gives a nested namespace no way to uncover what is hidden", () => {
    const { stdout } = world.run(
      `unshare -Urm sh -c 'umount -l "$HOME" /run /tmp; mount --bind / /mnt; mount -o remount,rw,bind "$HOME"; cat "$HOME/.netrc" "$HOME/.aws/credentials" /mnt"$HOME"/.netrc; echo x > "$HOME/.bashrc"' 2>/dev/null; echo end`,
    );
    expect(stdout).toBe("end\n");
    expect(readFileSync(join(world.home, ".bashrc"), "utf8")).toBe("# mine\n");
  });
});

function sleepersBelow(seconds: string): string[] {
  return execFileSync("ps", ["-eo", "pid=,stat=,args="], { encoding: "utf8" })
    .split("\n")
    .filter(
      (line) => line.includes(`sleep ${seconds}`) && / [SRD]/.test(line) && !line.includes("run-isolated") && !line.includes("/bin/sh"),
    );
}
