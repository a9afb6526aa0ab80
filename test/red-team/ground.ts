// Gives the red team a machine of its own and runs range.ts on it as an ordinary user. Called by red-team.test.ts and by `npm run red-team`.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { IsolationLevel } from "../../src/control/protocol.ts";
import type { LevelResult } from "./range.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const LIMIT_MS = 300_000;

/** Root makes the namespaces and becomes nobody in them; an ordinary user makes them in a user namespace of its own and lets go of what that gave. */
const UNSHARE = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", ...userNamespace()];
const BECOME = isRoot
  ? `--reuid=${NOBODY} --regid=${NOBODY} --clear-groups --inh-caps=-all`
  : "--ambient-caps=-all --inh-caps=-all --bounding-set=-all";

function userNamespace(): string[] {
  return isRoot ? [] : ["--user", "--map-current-user", "--keep-caps"];
}

/** Programs that the suite is made of, by what to install. */
const PROGRAMS: Readonly<Record<string, string>> = {
  bwrap: "bubblewrap",
  ip: "iproute2",
  setpriv: "util-linux",
  "/usr/bin/python3": "python3",
  pgrep: "procps",
  crontab: "cron",
  at: "at",
  tmux: "tmux",
  git: "git",
  "ssh-agent": "openssh-client",
  "dbus-daemon": "dbus",
  "gnome-keyring-daemon": "gnome-keyring",
  "secret-tool": "libsecret-tools",
};

/** What is missing on this machine, as a person must be told; undefined when the red team can work here. */
export function whatIsMissing(): string | undefined {
  const lacking = Object.entries(PROGRAMS).flatMap(([program, name]) => (works(["sh", "-c", `command -v ${program}`]) ? [] : [name]));
  if (!works(["/usr/bin/python3", "-c", "import boto3"])) lacking.push("python3-boto3");
  if (lacking.length > 0) return `apt-get install ${lacking.join(" ")}`;
  return works([...UNSHARE, "--", "ip", "link", "set", "lo", "up"]) ? undefined : "a kernel that gives namespaces: see agent-run doctor";
}

function works([file = "", ...args]: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: "ignore", env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } }).status === 0;
}

/**
 * Runs the attempts at a level, on a machine made for that.
 * @param only ids of attempts; all when empty
 * @param say gets what the range writes about its progress
 */
export async function runRedTeam(level: IsolationLevel, only: readonly string[], say: (text: string) => void): Promise<LevelResult> {
  const inside = "/media/agent-run";
  const node = process.execPath.startsWith(`${ROOT}/`) ? join(inside, process.execPath.slice(ROOT.length)) : process.execPath;
  const child = spawn("unshare", [...UNSHARE.slice(1), "--", "/bin/sh", join(ROOT, "test/red-team/range.sh"), level, ...only], {
    env: {
      PATH: process.env["PATH"] ?? "",
      LANG: "C.UTF-8",
      TMPDIR: "/media",
      RT_ROOT: ROOT,
      RT_NODE: node,
      RT_USER: BECOME,
      RT_UID: isRoot ? String(NOBODY) : "",
      RT_KEYRING: `canary-${randomBytes(8).toString("hex")}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  let problems = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    problems += part;
    say(part);
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(limit);
  if (status !== 0) throw new Error(`the range ended with ${status}: ${problems.slice(-2000)}`);
  return JSON.parse(text) as LevelResult;
}
