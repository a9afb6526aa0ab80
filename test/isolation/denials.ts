// What a user may run into: for each row of that table in docs/isolation.md how it is met in a sandbox, and what the row's remedy opens. Run by denials.test.ts.
import type { Proof } from "../docs/proof.ts";
import type { IsolatedRun } from "./run-isolated.ts";

/** Settings of a run. `onPath` is a folder below home. */
export interface Given extends Pick<IsolatedRun, "level" | "agent" | "allow" | "write" | "network" | "nested"> {
  readonly onPath?: string;
}

/** `words` stand in the row's last column. Without more, the settings that they name are tried, and must open `opens` and nothing else. */
type Remedy = { readonly words: string } & (
  | { readonly opens: readonly string[]; readonly given?: Given }
  /** Another level: what it opens is no single thing. */
  | { readonly opens: "a level" }
  /** The same script, without a sandbox. */
  | { readonly outside: true }
  /** What works inside in its place. */
  | { readonly instead: string }
  | { readonly proofs: readonly Proof[] }
);

export interface Denial {
  /** How the row begins. */
  readonly row: string;
  /** A message that the row quotes. */
  readonly sees?: string;
  /** Ends with 0 where it is not denied. `$HOST` answers on the loopback, at `$PORT`: fixtures/asks-who-it-is.mjs. */
  readonly script: string;
  readonly given?: Given;
  /** Who meets it, where that is not everybody. */
  readonly who?: "root" | "an ordinary user";
  readonly remedies: readonly Remedy[];
}

const PIP = "/usr/bin/python3 $(echo /usr/share/python-wheels/pip-*.whl)/pip";
const WHEEL = `/usr/bin/python3 -c 'import zipfile
with zipfile.ZipFile("/tmp/dep-1-py3-none-any.whl", "w") as z:
    for name, text in (("dep.py", ""), ("dep-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: dep\\nVersion: 1\\n"), ("dep-1.dist-info/RECORD", ""),
        ("dep-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")): z.writestr(name, text)'`;
const NPM = "npm_config_update_notifier=false npm_config_registry=$HOST/public/ npm";
const CONFIG = "could not write config file … Device or resource busy";
const GIT_CONFIG = "`git push -u`, `git config`";
const OUTSIDE = { words: "do it outside", outside: true } as const;
const PROGRAMS = "`npm install -g`, `pip install --user`";
const READ_ONLY = "Read-only file system";
/** Without a terminal it ends once it has shown itself. */
const MC = 'TERM=xterm setsid mc >/tmp/shown 2>&1; grep "Cannot create" /tmp/shown; grep -q "Assuming EOF" /tmp/shown';
const SANDBOX = "bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc --dev /dev true";
const NETWORK = "at `strict`: *Network is unreachable*";
const NAMED: Given = { level: "strict", network: ["named.invalid"] };
const ask = (host: string): string =>
  `bash -c 'exec 3<>/dev/tcp/127.0.0.1/3128; printf "CONNECT ${host}:443 HTTP/1.1\\r\\n\\r\\n" >&3; cat <&3'`;

export const DENIALS: readonly Denial[] = [
  {
    row: "`git push`: *could not read Username*",
    sees: "could not read Username",
    script: "GIT_TERMINAL_PROMPT=0 git push -q $HOST/project.git first:refs/heads/main",
    remedies: [
      { words: "push yourself", outside: true },
      { words: '`allow = ["git-credentials"]`', opens: ["reads .git-credentials"] },
    ],
  },
  {
    row: "`git push`: *could not read Username*",
    script: "ssh-keygen -y -f ~/.ssh/id_ed25519",
    remedies: [{ words: '`allow = ["ssh"]`', opens: ["reads .ssh/id_ed25519"] }],
  },
  { row: GIT_CONFIG, sees: CONFIG, script: "git config pull.rebase true", remedies: [OUTSIDE] },
  { row: GIT_CONFIG, sees: CONFIG, script: "git remote add other ../other", remedies: [OUTSIDE] },
  {
    row: GIT_CONFIG,
    sees: CONFIG,
    script: "git init -q --bare bare-$$ && git push -q -u ./bare-$$ main && git config branch.main.remote",
    remedies: [OUTSIDE],
  },
  {
    row: GIT_CONFIG,
    sees: CONFIG,
    script: "git sparse-checkout set --no-cone /readme.md",
    remedies: [
      OUTSIDE,
      {
        words: "commits, branches and fetches work",
        instead: "git commit -q --allow-empty -m more && git branch topic && git fetch -q . main",
      },
    ],
  },
  { row: GIT_CONFIG, sees: CONFIG, script: "git branch old-$$ && git branch -m old-$$ new-$$", remedies: [OUTSIDE] },
  {
    row: "`git worktree add ../x`:",
    sees: "could not create leading directories … Read-only file system",
    script: "git worktree add -q --detach ../that/folder/$$",
    remedies: [
      {
        words: "`git worktree add .worktrees/x`, in it",
        instead: "git worktree add -q --detach .worktrees/$$ && git worktree remove .worktrees/$$",
      },
    ],
  },
  {
    row: "`git worktree add ../x`:",
    script: "git worktree add -q --detach ~/that/folder/$$",
    remedies: [{ words: '`write = ["~/that/folder"]`', opens: ["writes that/folder"] }],
  },
  {
    row: "`git commit -S`, `gpg`:",
    script: "cat ~/.gnupg/private-keys-v1.d/key && ( : > ~/.gnupg/lock )",
    remedies: [
      { words: "sign outside", outside: true },
      { words: '`allow = ["gpg"]`, and `write = ["~/.gnupg"]`', opens: ["reads .gnupg/private-keys-v1.d/key"] },
    ],
  },
  {
    row: "husky or pre-commit cannot install hooks",
    script: "git config core.hooksPath .husky/_",
    remedies: [{ words: "install them outside", outside: true }],
  },
  {
    row: "husky or pre-commit cannot install hooks",
    script: "printf '#!/bin/sh\\n' > .git/hooks/pre-commit",
    remedies: [{ words: "install them outside", outside: true }],
  },
  {
    row: "`npm`: *E401*",
    sees: "E401",
    script: `${NPM} view dep version --registry $HOST/closed/`,
    remedies: [{ words: '`allow = ["npm"]`', opens: ["reads .npmrc"] }],
  },
  {
    row: "`npm`: *E401*",
    sees: "E404",
    script: `${NPM} view @mine/dep version`,
    remedies: [
      { words: '`allow = ["npm"]`', opens: ["reads .npmrc"] },
      {
        words: "a project `.npmrc` without a token",
        instead: `mkdir /tmp/app && cd /tmp/app && echo '{"name":"app"}' > package.json && echo "@mine:registry=$HOST/open/" > .npmrc && ${NPM} view @mine/dep version`,
      },
    ],
  },
  {
    row: "pip or Maven do not find a private index",
    script: `${PIP} config get global.index-url`,
    remedies: [{ words: '`allow = ["pip"]`', opens: ["reads .config/pip/pip.conf"] }],
  },
  {
    row: "pip or Maven do not find a private index",
    script: "cat ~/.m2/settings.xml",
    remedies: [{ words: '`allow = ["maven"]`', opens: ["reads .m2/settings.xml"] }],
  },
  {
    row: PROGRAMS,
    sees: READ_ONLY,
    script: `npm_config_prefix=$HOME/.local ${NPM} install -g --offline --no-audit --no-fund ./dep`,
    remedies: [
      { words: "install outside", outside: true },
      {
        words: "into the project (`npx`, a venv)",
        instead: `mkdir local && cd local && echo '{"name":"local"}' > package.json && ${NPM} install -s --offline --no-audit --no-fund ../dep && /usr/bin/python3 -m venv --without-pip venv`,
      },
    ],
  },
  {
    row: PROGRAMS,
    sees: READ_ONLY,
    script: `${WHEEL}; ${PIP} install -q --user --no-index --no-deps --break-system-packages --disable-pip-version-check /tmp/dep-1-py3-none-any.whl`,
    remedies: [],
  },
  { row: PROGRAMS, sees: READ_ONLY, script: "PATH=/usr/bin:$PATH cargo install -q --offline --path ./crate", remedies: [] },
  { row: PROGRAMS, sees: READ_ONLY, script: "mkdir -p ~/.rustup/toolchains/new", remedies: [{ words: "install outside", outside: true }] },
  {
    row: "`docker`: *cannot connect",
    script: 'curl -sS --max-time 20 --unix-socket "$XDG_RUNTIME_DIR/docker.sock" http://docker/_ping',
    remedies: [{ words: '`allow = ["docker"]`', opens: ["reads .docker/config.json", "reaches docker.sock"] }],
  },
  { row: "`kubectl`:", script: "cat ~/.kube/config", remedies: [{ words: '`allow = ["kube"]`', opens: ["reads .kube/config"] }] },
  {
    row: "`gcloud`, `az`:",
    script: "cat ~/.config/gcloud/credentials.db",
    remedies: [{ words: '`allow = ["gcloud"]`', opens: ["reads .config/gcloud/credentials.db"] }],
  },
  {
    row: "`gcloud`, `az`:",
    sees: READ_ONLY,
    given: { allow: ["gcloud"] },
    script: "touch ~/.config/gcloud/lock",
    remedies: [
      { words: '`allow = ["gcloud"]`, and `write = ["~/.config/gcloud"]` when it must refresh', opens: ["writes .config/gcloud"] },
    ],
  },
  {
    row: "`aws --profile X`:",
    sees: "The config profile (X) could not be found",
    script: "/usr/bin/aws --profile X configure list",
    remedies: [
      {
        words: "choose the profile with `agent-run --aws-profile X`",
        proofs: [["end-to-end/clients.test.ts", "lets nobody use, see or ask for what the human has"]],
      },
    ],
  },
  {
    row: "`sudo`:",
    sees: "no new privileges",
    who: "an ordinary user",
    script: "sudo -n true",
    remedies: [],
  },
  {
    row: "*Read-only file system* somewhere in home",
    sees: READ_ONLY,
    script: "touch ~/that/folder/new",
    remedies: [{ words: '`write = ["~/that/folder"]`', opens: ["writes that/folder"] }],
  },
  {
    row: "`mc`:",
    sees: "Cannot create … directory",
    script: MC,
    remedies: [{ words: "`MC_PROFILE_ROOT=/tmp/mc mc`", instead: `export MC_PROFILE_ROOT=/tmp/mc; ${MC}` }],
  },
  {
    row: "`screen`:",
    sees: "Cannot make directory '/run/screen'",
    script: "screen -dmS q true",
    remedies: [
      {
        words: "`mkdir -m 700 /tmp/s; SCREENDIR=/tmp/s screen`",
        instead: "mkdir -m 700 /tmp/s; SCREENDIR=/tmp/s screen -dmS q true",
      },
    ],
  },
  {
    row: "`crontab`, `at`, `systemctl --user`:",
    sees: "Permission denied",
    who: "an ordinary user",
    script: "echo | crontab -",
    remedies: [],
  },
  { row: "`crontab`, `at`, `systemctl --user`:", sees: "Failed to connect to bus", script: "systemctl --user list-units", remedies: [] },
  {
    row: "`chromium` without `--user-data-dir`:",
    sees: "Failed to create … user data directory",
    who: "an ordinary user",
    script: "chromium --headless --disable-gpu --no-first-run --disable-background-networking --dump-dom 'data:text/html,<p>x</p>'",
    remedies: [
      {
        words: "`chromium --user-data-dir=/tmp/chromium`",
        proofs: [["isolation/tools.test.ts", "tools in the sandbox of"]],
      },
    ],
  },
  {
    row: "the agent can not save its settings",
    given: { agent: "claude" },
    script: "echo '{}' > ~/.claude/settings.json",
    remedies: [{ words: "change them outside", outside: true }],
  },
  {
    row: "the agent can not save its settings",
    given: { agent: "claude", write: ["~/.claude"] },
    script: "mkdir -p ~/.claude/commands; touch ~/.claude/commands/new || touch ~/.claude/skills/new",
    remedies: [{ words: "`write` does not open what is protected", instead: "touch ~/.claude/state && rm ~/.claude/state" }],
  },
  {
    row: "a second agent is not logged in",
    given: { agent: "claude" },
    script: "cat ~/.codex/auth.json",
    remedies: [{ words: '`allow = ["codex"]`', opens: ["reads .codex/auth.json"] }],
  },
  {
    row: "`/ide` does not connect",
    given: { agent: "claude" },
    script: "cat ~/.claude/ide/1.lock",
    remedies: [{ words: '`allow = ["ide"]`', opens: ["reads .claude/ide/1.lock"] }],
  },
  {
    row: "a program can not open the display",
    script: 'curl -sS --max-time 20 --unix-socket "$XDG_RUNTIME_DIR/wayland-0" http://display/',
    remedies: [
      { words: '`allow = ["desktop"]` for sockets', opens: ["reaches bus", "reaches wayland-0"] },
      {
        words: "devices: run it outside",
        instead:
          "for name in $(ls /dev); do case $name in null|zero|full|random|urandom|tty|pts|ptmx|console|shm|fd|core|std*) ;; *) exit 1 ;; esac; done",
      },
    ],
  },
  {
    row: "files that you put in `/tmp` are not there",
    script: "cat ~/../for-the-agent",
    remedies: [{ words: "put them into the project", instead: "cat readme.md" }],
  },
  {
    row: "arrow-up in a shell shows nothing",
    script: "bash -c 'history -r ~/.bash_history; history | grep typed'",
    remedies: [{ words: '`allow = ["histories"]`', opens: ["reads .bash_history"] }],
  },
  {
    row: NETWORK,
    sees: "Network is unreachable",
    given: { level: "strict" },
    script: "bash -c 'exec 3<>/dev/tcp/192.0.2.1/80'",
    remedies: [],
  },
  {
    row: NETWORK,
    sees: "Could not resolve host",
    given: { level: "strict" },
    script: "curl -sS --max-time 20 http://api.example.com/",
    remedies: [
      {
        words: '`network = ["api.example.com"]`',
        proofs: [
          ["isolation/strict.test.ts", "has a forwarder for the hosts that were named"],
          ["isolation/forwarder.test.ts", "carries bytes both ways to an address of the host that was named"],
        ],
      },
    ],
  },
  {
    row: NETWORK,
    sees: "Connection refused",
    given: { level: "strict" },
    script: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/$PORT'",
    remedies: [{ words: "`--isolation standard`", opens: "a level" }],
  },
  {
    row: "at `strict`: *403 Refused*",
    sees: "403 Refused",
    given: NAMED,
    script: "curl -sSv --max-time 20 https://other.invalid/",
    remedies: [],
  },
  {
    row: "at `strict`: *403 Refused*",
    sees: "CONNECT tunnel failed",
    given: NAMED,
    script: "curl -sS --max-time 20 https://other.invalid/",
    remedies: [],
  },
  {
    row: "at `strict`: *403 Refused*",
    sees: "is not in isolation.network",
    given: NAMED,
    // That name leads nowhere, but once it is named it is looked for.
    script: `said=$(${ask("other.invalid")}); echo "$said"; case $said in *" 502 "*) ;; *) exit 1 ;; esac`,
    remedies: [{ words: "add it to `isolation.network`", opens: [], given: { network: ["named.invalid", "other.invalid"] } }],
  },
  {
    row: "at `strict`: *Author identity unknown*",
    sees: "Author identity unknown",
    given: { level: "strict" },
    script: "git -c user.useConfigOnly=true commit -q --allow-empty -m named",
    remedies: [{ words: '`allow = ["git-config"]`', opens: ["reads .gitconfig"] }],
  },
  {
    row: "at `strict`: a program or library is not found",
    given: { level: "strict" },
    script: "~/tools/bin/hello",
    remedies: [
      { words: "put its folder on PATH", opens: ["reads tools/bin/hello"], given: { onPath: "tools/bin" } },
      { words: "`write` it", opens: ["reads tools/bin/hello", "writes tools/bin"], given: { write: ["~/tools"] } },
    ],
  },
  {
    row: "at `strict`: *No space left on device*",
    sees: "Creating new namespace failed",
    who: "an ordinary user",
    given: { level: "strict" },
    script: SANDBOX,
    remedies: [{ words: "`--allow-nested`", opens: [] }],
  },
  {
    row: "at `strict`: *No space left on device*",
    sees: "No space left on device",
    who: "an ordinary user",
    given: { level: "strict" },
    script: "unshare -U true",
    remedies: [{ words: "`--allow-nested`", opens: [] }],
  },
  {
    row: "a sandbox inside (browser, bubblewrap) does not start when you are root",
    who: "root",
    script: SANDBOX,
    remedies: [
      {
        words: "run agent-run as an ordinary user",
        proofs: [["isolation/strict.test.ts", "lets no sandbox start inside, unless that was asked for"]],
      },
    ],
  },
];

/** Rows that other tests meet. */
export const ELSEWHERE: Readonly<Record<string, readonly Proof[]>> = {
  "`tty` prints `/dev/console`": [["isolation/terminal.test.ts", "is the controlling terminal, with its size, and the only one"]],
  "`gradle` starts a daemon in each run": [
    ["isolation/plan.test.ts", "has an empty place of its own where Gradle's daemons say how they are reached, and shares Gradle's cache"],
  ],
  "*Operation not permitted* for a socket whose name begins with `@`": [
    ["isolation/strict.test.ts", "cannot reach them at standard either, where the kernel can tell them apart, and has its own"],
  ],
  "`perf`, `bpftrace` and io_uring do not work": [
    ["isolation/seccomp.test.ts", "keeps the kernel's keyrings away from real programs"],
    ["isolation/seccomp.test.ts", "refuses $name on every machine that has it"],
  ],
  "*Required key not available*": [
    ["isolation/session-keyring.test.ts", "is left behind by the program, without any filter of system calls"],
    ["isolation/session-keyring.test.ts", "of a run at %s is a fresh one, unless the human's was asked for"],
  ],
  "the launch says that `~/.claude` (or another agent's folder) holds more programs": [
    ["isolation/poisoned-launch.test.ts", "programs in its own folder: %s starts, and yours are covered"],
  ],
  "an editor inside does not paste from the clipboard": [["terminal/compositor.test.ts", "does not let it ask for %s, wherever it is cut"]],
  "`chmod u+s`, `install -m 4755`": [
    ["isolation/seccomp.test.ts", "lets nothing become a setuid program, and no new file a setgid one; folders may hand on their group"],
  ],
  "on pipes, a pager or a menu waits for keys": [
    ["end-to-end/pipes-terminal.test.ts", "give the agent no key: what is typed meanwhile is the shell's, and so are the terminal's modes"],
    [
      "end-to-end/pipes-terminal.test.ts",
      "leave what is typed to the shell where the agent is in the background, which has nothing to read then",
    ],
    ["end-to-end/keys-without-bar.test.ts", "reach an agent that reads, with echo and line editing as bare, and in a pipeline as in exec"],
  ],
  "on pipes, an agent waits for an answer": [
    [
      "end-to-end/keys-without-bar.test.ts",
      "are not an agent's that reads, while another program of the pipeline has the terminal for itself",
    ],
  ],
  "on pipes, a full-screen program": [
    ["end-to-end/keys-without-bar.test.ts", "end a read with Ctrl-D, and interrupt one with Ctrl-C, in a pipeline and in exec"],
  ],
  "aider ends: *Read-only file system": [
    ["isolation/sandbox.test.ts", "protects git's hooks and configuration, also against renaming what holds them"],
  ],
  "Codex: *Read-only file system": [
    ["isolation/agents.test.ts", "%s writes its own state, reads its settings, and no other agent sees either"],
    ["isolation/state.test.ts", "has Codex's daemon, its socket and its copy be the run's own, where the human has none"],
  ],
  "the end says that a file in `~/.claude` or the like was moved away": [
    ["isolation/put-back.test.ts", "are not all: what would count later and was made where nothing was is moved away"],
  ],
  "the launch says that `OPENCODE_DB`": [
    [
      "isolation/agents.test.ts",
      "opencode writes the database that OPENCODE_DB names where nothing else lies beside it, and is told of where it can not",
    ],
  ],
  "background agents of Claude Code are not there inside": [
    ["isolation/state.test.ts", "at %s keeps nothing that Claude Code's other sessions run or obey unasked, and shows none of theirs"],
  ],
  "sessions of Claude Code outside and inside at once": [
    ["isolation/denials.test.ts", "outside replaces ~/.claude.json, which the run does not see"],
  ],
};

/** Messages of programs that are not installed for the tests: a case without a message touches what the program touches. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  "Permission denied (publickey)": "an SSH server's answer; the key that the client would offer is read by ssh-keygen",
  "cannot connect to the Docker daemon": "docker's own; the engine's socket is asked with curl",
  "gpg failed to sign the data": "gpg's own, as git hands it on; its folder is read and written",
  "can't create directory … Read-only file system": "gpg's own",
  "connection to the server localhost:8080 was refused": "kubectl's own; its settings are read",
};

/** By the beginning of each row under "When the machine refuses". */
export const REFUSALS: Readonly<Record<string, readonly Proof[]>> = {
  "no bubblewrap": [["isolation/probe.test.ts", "says how to install bubblewrap when there is none"]],
  "Ubuntu 23.10 and newer": [["isolation/mending.test.ts", "is a profile for just this bwrap where AppArmor restricts namespaces"]],
  "`user.max_user_namespaces` is 0": [["isolation/mending.test.ts", "is told so by a sandbox that was tried"]],
  "one of `user.max_*_namespaces` is small": [["isolation/mending.test.ts", "names the limit where no more namespaces are given"]],
  "`kernel.unprivileged_userns_clone` is 0": [["isolation/mending.test.ts", "for %j is a command"]],
  "`user.max_net_namespaces` is 0": [["isolation/mending.test.ts", "still gives standard where only the network's are"]],
  "WSL 1": [["isolation/mending.test.ts", "for %j is a command"]],
  "*the session keyring": [
    ["isolation/mending.test.ts", "ends the run where there are some, or where that cannot be seen"],
    ["isolation/session-keyring.test.ts", "that can not be left is kept by nobody who did not ask for it"],
  ],
  "the same, with errno 122": [
    ["isolation/mending.test.ts", "ends the run for any other reason, whatever is listed"],
    [
      "isolation/probe.test.ts",
      "refuses where the program before bwrap cannot be run, and where it finds no way out of the session keyring",
    ],
  ],
  "inside a container": [["isolation/mending.test.ts", "knows an old bwrap and a container"]],
};

/** What is in the home of a run, and whether it can be read, written or reached there is compared. */
export const FILES: readonly string[] = [
  ...[
    ".aws/credentials",
    ".ssh/id_ed25519",
    ".gnupg/private-keys-v1.d/key",
    ".git-credentials",
    ".netrc",
    ".npmrc",
    ".config/pip/pip.conf",
  ],
  ...[".m2/settings.xml", ".docker/config.json", ".kube/config", ".config/gcloud/credentials.db", ".azure/msal_token_cache.json"],
  ...[".codex/auth.json", ".claude/ide/1.lock", ".bash_history", ".gitconfig", "tools/bin/hello", ".vault-token"],
];
export const FOLDERS: readonly string[] = [".", ".ssh", ".config/gcloud", "that/folder", ".local/bin", ".claude", ".rustup", "tools/bin"];
export const SOCKETS: readonly string[] = ["bus", "docker.sock", "wayland-0"];
