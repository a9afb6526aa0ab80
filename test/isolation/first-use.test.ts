// The first use of package managers whose store the human does not have yet: it works, and nothing of it is left in home.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasBubblewrap, missing, users, World } from "./world.ts";

/** Fetched by `npm run oracle:agents`, with the agents. */
const FETCHED = join(import.meta.dirname, "..", "..", ".cache", "oracle-agents", "node_modules", ".bin");

/** A package with a program, packed: what a registry would give. */
const NPM_PACKAGE = `mkdir -p /tmp/dep && cd /tmp/dep && echo '{"name":"dep","version":"1.0.0","bin":{"dep":"dep.js"}}' > package.json &&
  printf '#!/usr/bin/env node\\nconsole.log("used")\\n' > dep.js && chmod +x dep.js && npm pack -s >/dev/null && cd "$OLDPWD"`;
/** A module proxy in a folder, as "Module cache layout" of the Go reference has it. */
const GO_PROXY = `mkdir -p /tmp/proxy/example.com/dep/@v && cd /tmp/proxy/example.com/dep/@v && echo v1.0.0 > list && echo '{"Version":"v1.0.0"}' > v1.0.0.info &&
  printf 'module example.com/dep\\n' > v1.0.0.mod && /usr/bin/python3 -c 'import zipfile
with zipfile.ZipFile("v1.0.0.zip", "w") as z:
    z.writestr("example.com/dep@v1.0.0/go.mod", "module example.com/dep\\n"); z.writestr("example.com/dep@v1.0.0/dep.go", "package dep\\n\\nconst Used = \\"used\\"\\n")' && cd "$OLDPWD"`;
const GIT = "git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main";

interface Tool {
  readonly name: string;
  readonly needs: string;
  /** Its store, below home. */
  readonly store: string;
  /** Ends with \`used\`, from a package that went through the store, and then says how many entries the store has. */
  readonly script: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: "pnpm",
    needs: join(FETCHED, "pnpm"),
    store: ".local/share/pnpm/store",
    script: `${NPM_PACKAGE}; echo '{"name":"app","version":"1.0.0","dependencies":{"dep":"file:/tmp/dep/dep-1.0.0.tgz"}}' > package.json; pnpm install --offline --silent && pnpm exec dep`,
  },
  {
    name: "npm",
    needs: "npm",
    store: ".npm",
    script: `${NPM_PACKAGE}; echo '{"name":"app","version":"1.0.0"}' > package.json; npm install -s --offline --no-audit --no-fund /tmp/dep/dep-1.0.0.tgz >/dev/null && npx --offline dep`,
  },
  {
    name: "cargo",
    needs: "/usr/bin/cargo",
    store: ".cargo/git",
    script: `export PATH=/usr/bin:$PATH; cargo init -q --lib --name dep --vcs none /tmp/dep 2>/dev/null && echo 'pub const USED: &str = "used";' > /tmp/dep/src/lib.rs && ${GIT} init -q /tmp/dep && ${GIT} -C /tmp/dep add . && ${GIT} -C /tmp/dep commit -q -m dep;
      cargo init -q --name app --vcs none . 2>/dev/null; echo 'dep = { git = "file:///tmp/dep" }' >> Cargo.toml; echo 'fn main() { println!("{}", dep::USED) }' > src/main.rs; cargo run -q`,
  },
  {
    name: "go",
    needs: "/usr/bin/go",
    store: "go/pkg",
    script: `${GO_PROXY}; export GOPROXY=file:///tmp/proxy GOSUMDB=off GOFLAGS=-mod=mod GOTOOLCHAIN=local PATH=/usr/bin:$PATH; printf 'module app\\n\\ngo 1.19\\n\\nrequire example.com/dep v1.0.0\\n' > go.mod;
      printf 'package main\\n\\nimport "example.com/dep"\\n\\nfunc main() { print(dep.Used, "\\\\n") }\\n' > main.go; go run . 2>&1 | grep -v downloading`,
  },
];

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;

/** A home as it is on the first day, and one where the folders around the stores are there, but not the stores. */
const HOMES = {
  "a new home": [".bashrc"],
  "a home with other things in it": [".bashrc", ".local/share/other/x", ".cargo/bin/tool", "go/bin/tool"],
} as const;

describe.skipIf(!hasBubblewrap).each(users)(`the first use, by $name${missing}`, (user) => {
  for (const [home, files] of Object.entries(HOMES))
    for (const { name, needs, store, script } of TOOLS)
      it.skipIf(!has(needs))(`of ${name} works in ${home}${has(needs) ? "" : ` (skipped: needs ${needs})`}`, () => {
        using world = new World(user);
        for (const file of files) world.plant(file, "x\n");
        world.settle();
        const before = everything(world.home);
        const PATH = `${FETCHED}:${world.env["PATH"]}`;
        const { stdout, stderr } = world.run(`${script}; test -n "$(ls -A ~/${store})" && echo stored`, {
          env: { ...world.env, PATH, XDG_STATE_HOME: join(world.root, "state") },
        });
        expect(stdout, stderr).toBe("used\nstored\n");
        expect(everything(world.home)).toEqual(before);
      });

  it("leaves a store that the human has as it is, and what they fill meanwhile", () => {
    using world = new World(user);
    world.plant(".cargo/git/db/mine", "mine\n");
    world.plant(".local/share/other/x", "x\n");
    world.settle();
    const { stdout, stderr } = world.run(
      `cat ~/.cargo/git/db/mine; echo agent > ~/.cargo/git/db/new; echo x > ~/.cargo/config.toml; echo x > ~/.cargo/bin/evil; echo x > ~/go/bin/evil; ls ~/go`,
    );
    expect(stdout).toBe("mine\n");
    expect(stderr.match(/cannot create/g)?.length).toBe(3);
    expect(existsSync(join(world.home, ".cargo/git/db/new"))).toBe(true);
    expect(existsSync(join(world.home, ".cargo/bin"))).toBe(false);
  });
});

/** All paths below, but for the project. */
function everything(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below)).flatMap((name) => {
    const path = join(below, name);
    if (path === "code") return [];
    return statSync(join(folder, path)).isDirectory() ? [`${path}/`, ...everything(folder, path)] : [path];
  });
}
