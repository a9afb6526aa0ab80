// Everyday tools do inside what they do bare: git, npm, node, python, vim, tmux, a debugger, a nested sandbox.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBubblewrap, missing, users, World } from "./world.ts";

/** Fetched by `npm run oracle:agents`, with the agents. */
const PNPM = join(import.meta.dirname, "..", "..", ".cache", "oracle-agents", "node_modules", ".bin", "pnpm");

const TOOLS: readonly { name: string; needs: string; script: string; says: string }[] = [
  {
    name: "git clone, commit and log",
    needs: "git",
    script:
      "git clone -q . /tmp/c && cd /tmp/c && git -c user.name=a -c user.email=b commit -q --allow-empty -m two && git log --format=%s",
    says: "two\nfirst\n",
  },
  {
    name: "git init in a sub-folder",
    needs: "git",
    script: "git init -q sub && git -C sub rev-parse --is-inside-work-tree",
    says: "true\n",
  },
  { name: "an npm script and an npm pack", needs: "npm", script: "npm run -s hello && npm pack -s", says: "hello from npm\nt-1.0.0.tgz\n" },
  {
    name: "node with a worker and a Unix socket",
    needs: "node",
    script: `node -e 'const w=require("worker_threads");if(w.isMainThread){require("net").createServer().listen("/tmp/n.sock",()=>{new w.Worker("1",{eval:true}).on("exit",()=>{console.log("ok");process.exit()})})}'`,
    says: "ok\n",
  },
  {
    name: "python with multiprocessing",
    needs: "/usr/bin/python3",
    script: `/usr/bin/python3 -c 'import multiprocessing as m; print(m.Pool(2).map(abs,[-1,-2])); m.Lock()'`,
    says: "[1, 2]\n",
  },
  { name: "vim", needs: "vim", script: "vim -es -u NONE -c 's/hello/bye/' -c 'wq' readme.md; cat readme.md", says: "bye\n" },
  {
    name: "tmux, started inside",
    needs: "tmux",
    script:
      "export SHELL=/bin/sh; tmux -f /dev/null new-session -d -s x 'echo in-tmux > /tmp/o; sleep 5'; while ! test -s /tmp/o; do sleep 0.1; done; cat /tmp/o; tmux kill-server",
    says: "in-tmux\n",
  },
  {
    name: "a nested bubblewrap",
    needs: "bwrap",
    script: "bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc --dev /dev echo nested",
    says: "nested\n",
  },
  {
    name: "a debugger on its own child",
    needs: "strace",
    script: "strace -f -o /tmp/trace true && grep -c exit_group /tmp/trace",
    says: "1\n",
  },
  {
    name: "gdb on its own child",
    needs: "gdb",
    script: "gdb -q -batch -ex starti -ex 'info inferiors' -ex kill --args /bin/true 2>/dev/null | grep -c '^[*] 1 *process'",
    says: "1\n",
  },
  {
    name: "less, which pages a file",
    needs: "less",
    script: "echo paged > /tmp/page; less -E /tmp/page",
    says: "paged\n",
  },
  {
    name: "a node REPL and a python REPL",
    needs: "/usr/bin/python3",
    script: "echo 'console.log(\"re\".concat(\"pl\"))' | node -i | grep -c repl; echo 'print(6*7)' | /usr/bin/python3 -i 2>/dev/null",
    says: "1\n42\n",
  },
  {
    name: "git status and git diff after a change",
    needs: "git",
    script:
      "echo changed > note; git add -N note; git status --short note; git diff --stat note | tail -1; git rm -q -f --cached note; rm note",
    says: " A note\n 1 file changed, 1 insertion(+)\n",
  },
  {
    name: "a Python venv with a module in it",
    needs: "/usr/bin/python3",
    script:
      "/usr/bin/python3 -m venv --without-pip /tmp/v && mkdir /tmp/p && echo 'print(7)' > /tmp/p/hi.py && cp /tmp/p/hi.py /tmp/v/lib/python3*/site-packages/ && /tmp/v/bin/python -m hi",
    says: "7\n",
  },
  {
    name: "an npm install of a package from a folder, with its program",
    needs: "npm",
    script: `mkdir -p /tmp/dep /tmp/app && cd /tmp/dep && echo '{"name":"dep","version":"1.0.0","bin":{"dep":"dep.js"}}' > package.json && printf '#!/usr/bin/env node\nconsole.log("built")\n' > dep.js && chmod +x dep.js &&
      cd /tmp/app && echo '{"name":"app","version":"1.0.0"}' > package.json && npm install -s --offline --no-audit --no-fund ../dep >/dev/null && npx --offline dep`,
    says: "built\n",
  },
  {
    name: "a pip install of a package from a folder",
    needs: "/usr/bin/python3",
    script: `mkdir -p /tmp/pip/hi && cd /tmp/pip && echo 'print(8)' > hi/__main__.py && touch hi/__init__.py && printf 'from setuptools import setup\nsetup(name="hi", version="1", packages=["hi"])\n' > setup.py &&
      /usr/bin/python3 -m venv /tmp/pv && /tmp/pv/bin/pip install -q --no-index --no-build-isolation --disable-pip-version-check . 2>/dev/null && cd / && /tmp/pv/bin/python -m hi`,
    says: "8\n",
  },
  {
    name: "a pnpm install of a package from a folder",
    needs: PNPM,
    script: `mkdir -p /tmp/pd /tmp/pa && cd /tmp/pd && echo '{"name":"pd","version":"1.0.0","bin":{"pd":"pd.js"}}' > package.json && printf '#!/usr/bin/env node\nconsole.log("built by pnpm")\n' > pd.js && chmod +x pd.js &&
      cd /tmp/pa && echo '{"name":"pa","version":"1.0.0","dependencies":{"pd":"file:../pd"}}' > package.json && ${PNPM} install --offline --silent && ${PNPM} exec pd`,
    says: "built by pnpm\n",
  },
  {
    name: "a cargo build",
    needs: "/usr/bin/cargo",
    script: `cd /tmp && /usr/bin/cargo init -q --name built --vcs none rust 2>/dev/null && cd rust && PATH=/usr/bin:/bin cargo run -q --offline`,
    says: "Hello, world!\n",
  },
  {
    name: "a go build",
    needs: "/usr/bin/go",
    script: `mkdir /tmp/go && cd /tmp/go && printf 'module built\n\ngo 1.19\n' > go.mod && printf 'package main\n\nfunc main() { println("built by go") }\n' > main.go && GOFLAGS=-mod=mod GOTOOLCHAIN=local /usr/bin/go build -o built . && ./built 2>&1`,
    says: "built by go\n",
  },
  {
    name: "chromium, headless, with its own sandbox",
    needs: "chromium",
    script: `chromium --headless --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --user-data-dir=/tmp/chromium --dump-dom 'data:text/html,<p>shown by chromium</p>' 2>/dev/null`,
    says: "<html><head></head><body><p>shown by chromium</p></body></html>\n",
  },
  { name: "user names and temp files", needs: "mktemp", script: 'test -n "$(id -un)" && cat $(mktemp) && echo ok', says: "ok\n" },
];

/** The kernel lets a root without privileges map no users into a namespace (user_namespaces(7), CAP_SETFCAP); chromium runs as no root in its own sandbox. */
const NOT_AS_ROOT = ["bwrap", "chromium"];

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;

describe.skipIf(!hasBubblewrap).each(users)(`tools in the sandbox of $name${missing}`, (user) => {
  let world: World;
  beforeAll(() => {
    world = new World(user);
    world.plant("code/project/readme.md", "hello\n");
    world.plant("code/project/package.json", '{"name":"t","version":"1.0.0","scripts":{"hello":"echo hello from npm"}}');
    world.git("init", "-q", "-b", "main");
    world.git("add", ".");
    world.git("commit", "-q", "-m", "first");
    world.settle();
  });
  afterAll(() => world[Symbol.dispose]());

  for (const tool of TOOLS.filter(({ needs }) => user.uid !== 0 || !NOT_AS_ROOT.includes(needs))) {
    it.skipIf(!has(tool.needs))(`${tool.name} works${has(tool.needs) ? "" : ` (skipped: needs ${tool.needs})`}`, () => {
      const { stdout, stderr } = world.run(tool.script);
      expect(stdout, stderr).toBe(tool.says);
    });
  }
});
