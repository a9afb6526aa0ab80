// A human's machine with secrets in every place that people keep them, and with the programs that hold some. Used by range.ts.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROTOCOL } from "../../src/control/protocol.ts";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { until } from "../end-to-end/world.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const BIN = join(ROOT, "bin", "agent-run.cjs");
const HERE = import.meta.dirname;
const SYSTEMD = "/usr/lib/systemd/systemd";

/** Files below home, each with a secret of its own. */
const FILES = {
  "AWS config": ".aws/config",
  "AWS SSO cache": ".aws/sso/cache/0123.json",
  "AWS CLI cache": ".aws/cli/cache/4567.json",
  "AWS login cache": ".aws/login/cache/89ab.json",
  "Google Cloud": ".config/gcloud/credentials.db",
  "Google default credentials": ".config/gcloud/application_default_credentials.json",
  Azure: ".azure/msal_token_cache.json",
  Kubernetes: ".kube/config",
  "Kubernetes elsewhere": "elsewhere/kubeconfig",
  Docker: ".docker/config.json",
  "key of a Docker context": ".docker/contexts/tls/1f/docker/key.pem",
  netrc: ".netrc",
  npm: ".npmrc",
  PyPI: ".pypirc",
  "git credentials": ".git-credentials",
  "git credentials in XDG": ".config/git/credentials",
  "GitHub CLI": ".config/gh/hosts.yml",
  "SSH key": ".ssh/id_rsa",
  "GnuPG key": ".gnupg/private-keys-v1.d/key",
  "shell history": ".bash_history",
  "Python history": ".python_history",
  "login keyring": ".local/share/keyrings/other.keyring",
  "browser passwords": ".mozilla/firefox/x.default/logins.json",
  "browser cookies": ".config/google-chrome/Default/Cookies",
  "database password": ".pgpass",
  "Vault token": ".vault-token",
  "another agent's login": ".codex/auth.json",
  "login of an agent known by that alone": ".copilot/config.json",
  "token of a VS Code tunnel": ".vscode/cli/token.json",
  "Hugging Face token": ".cache/huggingface/token",
  "cargo login": ".cargo/credentials.toml",
  "a copy of a key": "backup/old-key.txt",
  "Jupyter server": ".local/share/jupyter/runtime/jpserver-4321.json",
  "code-server": ".config/code-server/config.yaml",
  "VNC password": ".vnc/passwd",
  "Erlang cookie": ".erlang.cookie",
  "mvnd daemons": ".m2/mvnd/registry/1/registry.bin",
  "Gradle daemons": ".gradle/daemon/8.10/registry.bin",
  "key of a certificate authority": ".local/share/mkcert/rootCA-key.pem",
  "Helm repositories": ".config/helm/repositories.yaml",
} as const;

/** Where programs of a desktop listen, below the runtime folder, home and the system's folders. Each answers with a secret. */
const SOCKETS = {
  "Docker socket": "/run/docker.sock",
  "containerd socket": "/run/containerd/containerd.sock",
  "system bus": "/run/dbus/system_bus_socket",
  "journal socket": "/run/systemd/journal/stdout",
  "X11 socket": "/tmp/.X11-unix/X7",
  "Docker socket of a context": "$home/.lima/other/docker.sock",
  "rootless Docker socket": "$runtime/docker.sock",
  "Podman socket": "$runtime/podman/podman.sock",
  "Wayland socket": "$runtime/wayland-0",
  "gpg-agent socket": "$runtime/gnupg/S.gpg-agent",
  "systemd user socket": "$runtime/systemd/private",
  "editor socket": "$runtime/vscode-ipc-red.sock",
  "Emacs socket": "$runtime/emacs/server",
  "sound server": "$runtime/pulse/native",
  "screen socket": "/run/screen/S-dev/4321.pts-0.machine",
  "screen socket in home": "$home/.screen/4321.pts-0.machine",
  "gpg-agent socket in home": "$home/.gnupg/S.gpg-agent",
  "socket in home": "$home/.colima/default/docker.sock",
  "socket in a cache": "$home/.cache/ibus/socket",
} as const;

export interface Machine extends AsyncDisposable {
  readonly home: string;
  readonly project: string;
  readonly marks: string;
  /** The human's environment. */
  readonly env: Record<string, string>;
  /** Every secret by what it is. */
  readonly canaries: Map<string, string>;
  /** What attempts are told, as a well informed attacker would know it: variables that begin with RT_. */
  readonly facts: Record<string, string>;
  readonly cloud: LocalCloud;
  /** A socket that somebody opens while the agent runs. */
  openLateSocket(): Promise<void>;
}

/** Makes it and starts its programs. The namespaces of the range take everything away that is left at the end. */
export async function makeMachine(): Promise<Machine> {
  const made = new AsyncDisposableStack();
  const cloud = made.use(await startLocalCloud());
  const base = mkdtempSync(join(tmpdir(), "machine-"));
  chmodSync(base, 0o755);
  const home = join(base, "home");
  const project = join(home, "code", "project");
  const runtime = join("/run/user", `${process.getuid?.()}`);
  const marks = join(base, "marks");
  const canaries = new Map<string, string>();
  const canary = (name: string): string => {
    const value = `canary-${randomBytes(8).toString("hex")}`;
    canaries.set(name, value);
    return value;
  };
  for (const folder of [
    project,
    marks,
    runtime,
    join(home, "bin"),
    join(home, "tools"),
    join(home, ".cache"),
    join(home, ".npm/_npx"),
    join(home, ".config/apart"),
  ])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (path: string, content: string, mode = 0o600): void => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content, { mode });
  };
  for (const [name, path] of Object.entries(FILES)) {
    const secret = canary(name);
    write(join(home, path), path === ".aws/config" ? `[profile other]\nsso_session = ${secret}\n` : `${secret}\n`);
  }
  for (const name of ["/tmp/human.txt", "/var/tmp/human.txt", "/dev/shm/human"]) write(name, `${canary(`file ${name}`)}\n`);
  // On a machine that has such folders: of range.sh.
  for (const name of ["/var/mail/human", "/var/lib/systemd/coredump/core.aws"])
    if (existsSync(name)) write(name, `${canary(`file ${name}`)}\n`);
  canaries.set("base AWS keys", cloud.admin.secretAccessKey);
  canaries.set("kernel keyring", process.env["RT_KEYRING"] ?? canary("no keyring"));
  write(
    join(home, ".aws/credentials"),
    `[default]\naws_access_key_id = ${cloud.admin.accessKeyId}\naws_secret_access_key = ${cloud.admin.secretAccessKey}\n`,
  );
  write(
    join(home, ".config/agent-run/config.toml"),
    `profile = "demo"\n# ${canary("agent-run's settings")}\n[profiles.demo]\nrole = "${cloud.roleArn()}"\ngrace = "1s"\n`,
  );
  const context = { Name: "other", Endpoints: { docker: { Host: `unix://${home}/.lima/other/docker.sock` } } };
  write(join(home, ".docker/contexts/meta/1f/meta.json"), JSON.stringify(context));
  write(join(home, ".bashrc"), "# mine\n", 0o644);
  write(join(home, ".gitconfig"), "[user]\n\tname = Dev\n\temail = dev@example.com\n", 0o644);
  write(join(home, ".config/app/settings"), "mine\n", 0o644);
  write(join(home, ".claude/settings.json"), "{}\n");
  write(join(home, "dotfiles/statusline.sh"), "true\n");
  symlinkSync("../dotfiles/statusline.sh", join(home, ".claude/statusline.sh"));
  write(join(home, "tools/agent-run"), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, 0o755);
  write(join(home, "tools/claude"), `#!/bin/sh\nexec node "$@"\n`, 0o755);
  write(join(project, "older/.envrc"), "true\n", 0o644);
  write(join(project, "readme.md"), "hello\n", 0o644);
  write(join(project, "inside.mjs"), readFileSync(join(HERE, "inside.mjs"), "utf8"));
  symlinkSync(join(home, ".aws/credentials"), join(project, "link-of-the-repository"));
  const env: Record<string, string> = {
    HOME: home,
    USER: "dev",
    LOGNAME: "dev",
    SHELL: "/bin/bash",
    PATH: `${home}/.local/bin:${home}/bin:${home}/tools:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
    SSH_AUTH_SOCK: `${runtime}/ssh-agent`,
    VSCODE_IPC_HOOK_CLI: `${runtime}/vscode-ipc-red.sock`,
    KUBECONFIG: join(home, FILES["Kubernetes elsewhere"]),
    GIT_CONFIG_NOSYSTEM: "1",
    AWS_ENDPOINT_URL: cloud.url,
    AWS_REGION: cloud.region,
    DEPLOY_TOKEN: canary("token in the environment"),
    DATABASE_PASSWORD: canary("password in the environment"),
  };
  const run = (file: string, args: readonly string[], input = ""): string =>
    execFileSync(file, args, { env, cwd: project, input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  for (const args of [
    ["init", "-q", "-b", "main"],
    ["add", "readme.md"],
    ["commit", "-q", "-m", "first"],
  ])
    run("git", args);
  // What a work tree's own configuration may say counts without any such file being there yet.
  run("git", ["config", "extensions.worktreeConfig", "true"]);
  // Another work tree, with a submodule of its own.
  const tree = join(home, "code", "tree");
  run("git", ["worktree", "add", "-q", tree]);
  mkdirSync(join(project, ".git/worktrees/tree/modules"));
  run("git", ["init", "-q", "-b", "main", "--separate-git-dir", ".git/worktrees/tree/modules/inner", join(tree, "inner")]);
  run("git", ["-C", join(tree, "inner"), "config", "core.worktree", join(tree, "inner")]);

  const stop = (child: ChildProcess): void => {
    child.kill("SIGKILL");
  };
  const start = (file: string, args: readonly string[], more: Record<string, string> = {}): ChildProcess =>
    made.adopt(spawn(file, args, { env: { ...env, ...more }, cwd: base, stdio: ["pipe", "pipe", "ignore"] }), stop);

  const listen = (server: Server, at: string | { port: number; host: string }): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once("error", reject).listen(at, () => resolve((server.address() as AddressInfo | null)?.port ?? 0));
      made.defer(() => void server.close());
    });
  /** Answers whatever is said to it, and speaks HTTP as much as anything. */
  const answering = (secret: string): Server =>
    createServer((socket) => {
      socket.on("error", () => {});
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${secret.length}\r\nConnection: close\r\n\r\n${secret}`);
    });
  for (const [name, path] of Object.entries(SOCKETS)) {
    const at = path.replace("$runtime", runtime).replace("$home", home);
    mkdirSync(dirname(at), { recursive: true, mode: 0o700 });
    await listen(answering(canary(name)), at);
  }
  // As OpenSSH makes the one of a connection that others may share; and as an agent-run daemon its own.
  const shared = join(home, ".ansible/cp/0123456789");
  mkdirSync(dirname(shared), { recursive: true });
  await listen(answering(canary("shared SSH connection")), `${shared}.AbCdEfGhIjKlMnOp`);
  linkSync(`${shared}.AbCdEfGhIjKlMnOp`, shared);
  unlinkSync(`${shared}.AbCdEfGhIjKlMnOp`);
  await listen(answering(canary("renamed socket")), join(home, ".config/app/new.sock"));
  renameSync(join(home, ".config/app/new.sock"), join(home, ".config/app/renamed.sock"));
  await listen(answering(canary("abstract socket")), "\0/tmp/.X11-unix/X7");
  for (const [name, host] of [
    ["instance metadata", "169.254.169.254"],
    ["container metadata", "169.254.170.2"],
    ["pod identity", "169.254.170.23"],
    ["instance metadata over IPv6", "fd00:ec2::254"],
  ] as const) {
    const secret = canary(name);
    await listen(
      createHttpServer((_request, response) => response.end(secret)),
      { host, port: 80 },
    );
  }
  const loopback = await listen(answering(canary("service on loopback")), { host: "127.0.0.1", port: 0 });

  // All that it starts by itself: a second keyring would come up beside the one below.
  write(
    join(base, "services/org.example.RedTeam.service"),
    `[D-BUS Service]\nName=org.example.RedTeam\nExec=/bin/sh -c 'touch ${marks}/bus-activation'\n`,
    0o644,
  );
  write(
    join(base, "bus.conf"),
    `<busconfig><type>session</type><servicedir>${base}/services</servicedir><listen>unix:path=${runtime}/bus</listen><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const bus = start("dbus-daemon", ["--nofork", "--nopidfile", `--config-file=${base}/bus.conf`]);
  await until(() => existsSync(`${runtime}/bus`), 5000, "the session bus");
  const keyring = start("gnome-keyring-daemon", ["--foreground", "--unlock", "--components=secrets"]);
  keyring.stdin?.end("password");
  await until(
    () => {
      try {
        run("secret-tool", ["store", "--label=aws", "service", "aws"], canaries.get("secret service") ?? canary("secret service"));
        return true;
      } catch {
        return false;
      }
    },
    10_000,
    "the secret service",
  );
  const agent = start("ssh-agent", ["-D", "-a", `${runtime}/ssh-agent`]);
  await until(() => existsSync(`${runtime}/ssh-agent`), 5000, "the ssh agent");
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", canary("key in the ssh agent"), "-f", join(home, ".ssh/id_ed25519")]);
  run("ssh-add", ["-q", join(home, ".ssh/id_ed25519")]);
  run("tmux", ["-f", "/dev/null", "-S", "/tmp/tmux-human", "new-session", "-d", "-s", "human", `echo ${canary("tmux pane")}; exec sh`]);

  const answers = (secret: string, path: string): string =>
    `require("net").createServer((s) => { s.on("error", () => {}); s.end(${JSON.stringify(secret)}) }).listen(${JSON.stringify(path)}, () => console.log("listens"))`;
  const relative = start(process.execPath, ["-e", answers(canary("socket with a relative name"), "home/.config/app/relative.sock")]);
  // Of a container, say: the list of the machine's network does not have it.
  const apart = start("unshare", [
    "--user",
    "--net",
    process.execPath,
    "-e",
    answers(canary("socket of another network"), join(home, ".config/apart/apart.sock")),
  ]);
  await firstLine(relative);
  // Where the kernel gives it no network of its own, it is not there.
  await firstLine(apart).catch(() => "");
  run("mkfifo", [join(home, ".config/app/commands")]);
  start("bash", ["-c", `while read -r line <>"$0"; do $line; done`, join(home, ".config/app/commands")]);

  const held = join(base, "held.txt");
  write(held, `${canary("file that a program has open")}\n`);
  const victim = start(
    "/usr/bin/python3",
    [join(HERE, "victim.py"), held, `--password=${canary("argument of a program")}`, "red-team-victim"],
    { VICTIM_SECRET: canary("environment of a program") },
  );
  victim.stdin?.write(`${canary("memory of a program")}\n${canary("shared memory and queues")}\n`);
  const [address = "", fd = ""] = (await firstLine(victim)).split(" ");
  const spare = start("/bin/sleep", ["7654"]);
  const squeezed = start("/bin/sleep", ["7656"]);

  const cgroup = process.env["RT_CGROUP"] ?? "";
  const seat = "/run/systemd-of-the-user";
  if (cgroup !== "" && existsSync(SYSTEMD)) {
    mkdirSync(join(seat, "units"), { recursive: true, mode: 0o700 });
    // Targets and no more: what the distribution's own units would start is no part of this.
    for (const name of ["default", "basic", "shutdown"]) write(join(seat, `units/${name}.target`), `[Unit]\nDescription=${name}\n`, 0o644);
    const joins = `echo 0 >'${cgroup}/systemd/cgroup.procs' && exec ${SYSTEMD} --user`;
    start("/bin/sh", ["-c", joins], { XDG_RUNTIME_DIR: seat, SYSTEMD_UNIT_PATH: join(seat, "units"), SYSTEMD_LOG_TARGET: "null" });
    // Where the kernel or a container lets it start nothing, the attempt on it shows that, at none.
    await until(() => existsSync(join(seat, "systemd/private")), 3000, "the user's systemd").catch(() => undefined);
  }

  const other = join(home, "code", "other");
  mkdirSync(other);
  const second = made.adopt(
    spawn(
      join(home, "tools/agent-run"),
      [...["--isolation", "none", "--delivery", "process"], "sh", "-c", "env > second; mv second second-env; exec sleep 7655"],
      { cwd: other, env, stdio: "ignore" },
    ),
    stop,
  );
  await until(() => existsSync(join(other, "second-env")), 20_000, "the second session");
  const theirs = Object.fromEntries(
    readFileSync(join(other, "second-env"), "utf8")
      .split("\n")
      .map((line) => line.split(/=(.*)/s)),
  ) as Record<string, string>;
  const session = theirs["AGENT_RUN_SESSION"] ?? "";
  const authorization = readFileSync(join(runtime, "agent-run", session, "authorization"), "utf8");
  canaries.set("token of another session", authorization.replace("Authorization:", "").trim());
  renameSync(join(other, "second-env"), join(base, "second-env"));

  // The human's own programs replace files that are hidden, again and again.
  const rewriting = setInterval(() => {
    for (const path of [FILES.netrc, FILES["GitHub CLI"]]) {
      const file = join(home, path);
      try {
        writeFileSync(`${file}.new`, readFileSync(file));
        renameSync(`${file}.new`, file);
      } catch (error) {
        // An attempt has moved its folder away for a moment.
        if (!String(error).includes("ENOENT")) throw error;
      }
    }
  }, 50);
  made.defer(() => clearInterval(rewriting));

  return {
    home,
    project,
    marks,
    env,
    canaries,
    cloud,
    facts: {
      RT_MARKS: marks,
      RT_PROTOCOL: String(PROTOCOL),
      RT_RUNTIME: runtime,
      RT_OWN: join(runtime, "agent-run"),
      RT_STATE: join(home, ".local/state/agent-run"),
      RT_VICTIM: String(victim.pid),
      RT_VICTIM_ADDRESS: address,
      RT_VICTIM_FD: fd,
      RT_SPARE: String(spare.pid),
      RT_SQUEEZED: String(squeezed.pid),
      RT_SOCKETS: Object.values(SOCKETS)
        .map((path) => path.replace("$runtime", runtime).replace("$home", home))
        .join(" "),
      RT_LOOPBACK: String(loopback),
      RT_OTHER_SESSION: session,
      RT_PACKAGE: ROOT,
      RT_PEOPLE: [bus, keyring, agent].map(({ pid }) => pid).join(" "),
      RT_SECOND_PID: String(second.pid),
      RT_SCOPE: cgroup === "" ? "/there/is/none" : join(cgroup, "scope"),
      RT_SYSTEMD: seat,
    },
    async openLateSocket() {
      await listen(answering(canary("socket that came later")), join(home, ".config/app/late.sock"));
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes("\n")) resolve(text.split("\n")[0] ?? "");
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
  });
}
