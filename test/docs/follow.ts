// Follows a page of the docs as a newcomer would: its ```sh blocks, literally, one after another in one shell of a fresh user. Called by getting-started.test.ts.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pack, ROOT, registryEnvironment } from "../packages/toolbox.ts";

/** The real one, as it starts where it lies; `npm run oracle:agents` fetches it. */
export const CLAUDE = join(
  ROOT,
  ".cache",
  "oracle-agents",
  "node_modules",
  "@anthropic-ai",
  `claude-code-${process.platform}-${process.arch}`,
  "claude",
);

export interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page, each with the line that it begins at. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ index, 1: language = "", 2: text = "" }) => ({
    line: page.slice(0, index).split("\n").length,
    language,
    text,
  }));
}

export interface Followed {
  readonly status: number | null;
  /** stdout and stderr of each block that was begun, as one would see them; the last one failed when the status is not 0. */
  readonly outputs: readonly string[];
}

/** A user of this machine who has done nothing yet: root makes one, anybody else gets a fresh home. Node, an agent, AWS files and the package are there. */
export class Newcomer implements Disposable {
  readonly home: string;
  readonly #name: string | undefined;
  readonly #env: Record<string, string>;

  /** With no files it is a user who has nothing, not even the package. */
  constructor(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
    const isRoot = process.getuid?.() === 0;
    // Readable for a user who may not read the clone.
    this.home = mkdtempSync(join(tmpdir(), "newcomer-"));
    if (isRoot) {
      this.#name = `newcomer${process.pid % 100_000}`;
      execFileSync("useradd", ["--home-dir", this.home, "--no-create-home", "--shell", "/bin/bash", this.#name], { env: withSbin() });
    }
    const bin = join(this.home, "bin");
    mkdirSync(bin);
    if (Object.keys(files).length > 0) this.#equip(bin);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.home, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(this.home, path), content, { mode: 0o600 });
    }
    this.#env = {
      HOME: this.home,
      PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
      LANG: "C.UTF-8",
      ...(this.#name === undefined ? {} : { USER: this.#name, LOGNAME: this.#name }),
      ...registryEnvironment(),
      ...env,
    };
    if (this.#name !== undefined) this.#own(this.home, Number(execFileSync("id", ["-u", this.#name], { encoding: "utf8" })));
  }

  /** The package's tarball, Node, the AWS CLI and an agent. */
  #equip(bin: string): void {
    pack(this.home);
    cpSync(process.execPath, join(bin, "node"));
    if (existsSync(CLAUDE)) execFileSync("sh", ["-c", 'cp -l "$1" "$2" 2>/dev/null || cp "$1" "$2"', "sh", CLAUDE, join(bin, "claude")]);
    // Debian's AWS CLI is older than AWS_ENDPOINT_URL.
    writeFileSync(join(bin, "aws"), '#!/bin/sh\nexec /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n', { mode: 0o755 });
  }

  #own(folder: string, uid: number): void {
    chownSync(folder, uid, uid);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      // The agent may be a link to the clone's file, which stays root's.
      if (entry.isDirectory()) this.#own(path, uid);
      else if (entry.name !== "claude") chownSync(path, uid, uid);
    }
  }

  /** Runs the blocks in one bash that ends at the first command that fails. */
  async follow(blocks: readonly Block[]): Promise<Followed> {
    const folder = mkdtempSync(join(tmpdir(), "blocks-"));
    try {
      execFileSync("chmod", ["755", folder]);
      const lines = blocks.map(({ text }, index) => {
        writeFileSync(join(folder, `${index}.sh`), text);
        return `printf '%s\\n' '@@ block ${index}'\n. '${join(folder, `${index}.sh`)}'`;
      });
      writeFileSync(join(folder, "all.sh"), `exec 2>&1\ncd ~\nset -e\n${lines.join("\n")}\n`);
      const bash = ["bash", "--noprofile", "--norc", join(folder, "all.sh")];
      const [program = "", ...args] =
        this.#name === undefined ? bash : ["setpriv", `--reuid=${this.#name}`, `--regid=${this.#name}`, "--init-groups", ...bash];
      const child = spawn(program, args, { env: this.#env, stdio: ["ignore", "pipe", "inherit"], timeout: 150_000 });
      let shown = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (shown += text));
      const [status] = (await once(child, "close")) as [number | null];
      return { status, outputs: shown.split(/^@@ block \d+\n/m).slice(1) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Command lines of what this user runs still; empty for somebody who is no user of its own. */
  processes(): string[] {
    if (this.#name === undefined) return [];
    const { stdout } = spawnSync("ps", ["-u", this.#name, "-o", "args="], { encoding: "utf8" });
    return stdout.split("\n").filter(Boolean);
  }

  /** Names in a folder of the home, sorted. */
  files(folder: string): string[] {
    return readdirSync(join(this.home, folder)).sort();
  }

  [Symbol.dispose](): void {
    if (this.#name !== undefined) {
      spawnSync("pkill", ["-KILL", "-u", this.#name]);
      spawnSync("userdel", [this.#name], { env: withSbin() });
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}

const withSbin = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });
