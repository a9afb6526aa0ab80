// The text of the profile for macOS, read as the kernel would: what it says of planted stores, protected files and addresses. Runs anywhere.
import { describe, expect, it } from "vitest";
import { type IsolationInput, type IsolationPlan, planIsolation } from "../../src/isolation/plan.ts";
import type { Facts, Found } from "../../src/isolation/plan-facts.ts";
import { seatbeltCommand, seatbeltProfile } from "../../src/isolation/seatbelt.ts";
import { type Asked, decide, readForms } from "./sbpl.ts";

const HOME = "/Users/dev";
const INPUT: IsolationInput = {
  level: "standard",
  platform: "darwin",
  home: HOME,
  homes: [HOME],
  uid: 501,
  project: `${HOME}/code/app`,
  cwd: `${HOME}/code/app`,
  agent: "claude",
  paths: {
    config: `${HOME}/.config/agent-run`,
    state: `${HOME}/.local/state/agent-run`,
    runtime: "/private/var/folders/xy/T/agent-run-501",
  },
  packageFolder: "/opt/homebrew/lib/node_modules/agent-run",
  sessionFolder: "/private/var/folders/xy/T/agent-run-501/sess_00000001",
  env: { HOME, PATH: "/opt/homebrew/bin:/usr/bin", TMPDIR: "/var/folders/xy/T/" },
  programs: ["/opt/homebrew/bin/claude"],
  allow: [],
  write: [],
  hide: [],
};
const folder = (path: string, real = path): [string, Found] => [path, { kind: "folder", real }];
const file = (path: string): [string, Found] => [path, { kind: "file", real: path }];
const FACTS: Facts = {
  homes: [HOME],
  project: INPUT.project,
  cwd: INPUT.cwd,
  found: new Map([
    folder("/tmp", "/private/tmp"),
    folder("/var/tmp", "/private/var/tmp"),
    folder("/var/folders/xy/T/", "/private/var/folders/xy/T"),
    folder(INPUT.paths.runtime),
    folder(INPUT.sessionFolder ?? ""),
    folder(INPUT.packageFolder),
    ...[".aws", ".ssh", ".config/agent-run", ".claude", ".codex", ".cache", "Library/Keychains", ".config/gcloud"].map((name) =>
      folder(`${HOME}/${name}`),
    ),
    ...[".netrc", ".claude.json", ".claude/settings.json", 'odd "name" \\ here'].map((name) => file(`${HOME}/${name}`)),
  ]),
  links: [],
  listings: new Map([
    [HOME, [".aws", ".ssh", ".claude", "code", "Library"].map((name) => ({ name, kind: "folder" as const }))],
    ["/", ["usr", "bin", "opt", "private", "Users"].map((name) => ({ name, kind: "folder" as const }))],
  ]),
  sockets: [],
  git: [
    {
      path: `${INPUT.project}/.git`,
      kind: "own",
      config: true,
      hooks: false,
      worktreeConfig: false,
      readsWorktreeConfig: false,
      commonPointer: false,
    },
  ],
  resolver: undefined,
  windowsDrives: [],
};
const TEMP = `${INPUT.sessionFolder}/temp`;

function profile(more: Partial<IsolationInput> = {}, options: { keychain?: boolean; ports?: number[] } = {}) {
  const plan = planIsolation({ ...INPUT, ...more }, FACTS);
  const text = seatbeltProfile(plan, { temp: TEMP, keychain: false, ports: [4711], ...options });
  const forms = readForms(text);
  return {
    text,
    may: (operation: string, path: string) => decide(forms, { operation, path }) === "allow",
    does: (asked: Asked) => decide(forms, asked) === "allow",
  };
}

it("keeps the human's links in the agent's folder from being replaced, and what is not there from being made", () => {
  const listings = new Map([
    ...FACTS.listings,
    [`${HOME}/.claude`, [{ name: "statusline.sh", kind: "link" as const, target: "../dotfiles/statusline.sh" }]],
  ]);
  const plan = planIsolation(INPUT, { ...FACTS, listings });
  const forms = readForms(seatbeltProfile(plan, { temp: TEMP, keychain: false, ports: [] }));
  const may = (operation: string, path: string): boolean => decide(forms, { operation, path: `${HOME}/.claude/${path}` }) === "allow";
  expect(may("file-write-unlink", "statusline.sh")).toBe(false);
  expect(may("file-write-create", "scripts/x.sh")).toBe(false);
  expect(may("file-write-create", "history.jsonl")).toBe(true);
});

describe("the profile for macOS at standard", () => {
  const { text, may, does } = profile({ hide: ['~/odd "name" \\ here'] });

  it("begins with a refusal of everything, and is nothing but balanced rules", () => {
    expect(text.startsWith("(version 1)\n(deny default)\n")).toBe(true);
    expect(() => readForms(`${text})`)).toThrow();
    expect(does({ operation: "appleevent-send" })).toBe(false);
    expect(does({ operation: "lsopen" })).toBe(false);
    expect(does({ operation: "file-link-anything-new" })).toBe(false);
  });

  it.each([
    ".aws/credentials",
    ".aws/sso/cache/x.json",
    ".ssh/id_ed25519",
    ".netrc",
    ".config/gcloud/credentials.db",
    ".codex/auth.json",
    ".config/agent-run/config.toml",
    "Library/Keychains/login.keychain-db",
    'odd "name" \\ here',
  ])("neither shows nor lets anyone write ~/%s", (name) => {
    expect(may("file-read-data", `${HOME}/${name}`)).toBe(false);
    expect(may("file-write-data", `${HOME}/${name}`)).toBe(false);
    expect(may("file-write-create", `${HOME}/${name}`)).toBe(false);
  });

  it("shows home and system to read, and lets the project, own state and caches be written", () => {
    expect(may("file-read-data", `${HOME}/notes.txt`)).toBe(true);
    expect(may("file-write-create", `${HOME}/notes.txt`)).toBe(false);
    expect(may("file-write-create", `${HOME}/Library/LaunchAgents/evil.plist`)).toBe(false);
    expect(may("file-write-create", `${HOME}/.zshrc`)).toBe(false);
    expect(may("file-write-data", "/usr/local/bin/x")).toBe(false);
    for (const path of [
      `${INPUT.project}/src/x`,
      `${HOME}/.claude/history.jsonl`,
      `${HOME}/.claude.json`,
      `${HOME}/.cache/x`,
      `${TEMP}/x`,
    ]) {
      expect(may("file-write-create", path), path).toBe(true);
      expect(may("file-read-data", path), path).toBe(true);
    }
  });

  it("has a temp folder of its own in place of the shared ones", () => {
    for (const path of ["/private/tmp/x", "/private/var/tmp/x", "/private/var/folders/xy/T/x"]) {
      expect(may("file-read-data", path), path).toBe(false);
      expect(may("file-write-create", path), path).toBe(false);
    }
    expect(may("file-read-data", `${INPUT.sessionFolder}/aws-config`)).toBe(true);
    expect(may("file-write-data", `${INPUT.sessionFolder}/aws-config`)).toBe(false);
    expect(may("file-read-data", `${INPUT.paths.runtime}/control.sock`)).toBe(false);
  });

  it("protects what would run later, there or not, and no folder around it can be moved", () => {
    for (const path of [
      `${INPUT.project}/.git/config`,
      `${INPUT.project}/.git/hooks/pre-commit`,
      `${INPUT.project}/.git/commondir`,
      `${HOME}/.claude/settings.json`,
      `${HOME}/.claude/commands/new.md`,
    ]) {
      expect(may("file-write-create", path), path).toBe(false);
      expect(may("file-write-data", path), path).toBe(false);
      expect(may("file-write-unlink", path), path).toBe(false);
    }
    for (const path of [`${INPUT.project}/.git`, INPUT.project, `${HOME}/.claude`])
      expect(may("file-write-unlink", path), path).toBe(false);
    expect(may("file-write-unlink", `${INPUT.project}/src/x`)).toBe(true);
    expect(may("file-write-create", `${INPUT.project}/.git/index.lock`)).toBe(true);
  });

  it("reaches the internet, but no keychain and no socket with a path outside of what it writes", () => {
    expect(does({ operation: "network-outbound", remote: "api.example.com:443" })).toBe(true);
    for (const path of [`${INPUT.paths.runtime}/control.sock`, "/private/var/run/docker.sock", `${HOME}/.ssh/agent.sock`, `${HOME}/x.sock`])
      expect(does({ operation: "network-outbound", path }), path).toBe(false);
    expect(does({ operation: "network-outbound", path: `${INPUT.project}/dev.sock` })).toBe(true);
    expect(does({ operation: "mach-lookup", name: "com.apple.SecurityServer" })).toBe(false);
    expect(does({ operation: "mach-lookup", name: "com.apple.coreservices.launchservicesd" })).toBe(false);
    expect(does({ operation: "mach-lookup", name: "com.apple.pasteboard.1" })).toBe(false);
    expect(does({ operation: "mach-lookup", name: "com.apple.system.opendirectoryd.libinfo" })).toBe(true);
    const back = profile({ allow: ["vaults"] }, { keychain: true });
    expect(back.does({ operation: "mach-lookup", name: "com.apple.SecurityServer" })).toBe(true);
    expect(back.may("file-read-data", `${HOME}/Library/Keychains/login.keychain-db`)).toBe(true);
  });

  it("sends signals to its own processes only", () => {
    const rules = readForms(text).filter((form) => Array.isArray(form) && form.includes("signal"));
    expect(rules).toEqual([["allow", "process-info*", "signal", "mach-priv-task-port", ["target", "same-sandbox"]]]);
  });
});

describe("the profile for macOS at strict", () => {
  const { may, does } = profile({ level: "strict" });

  it("shows the project, the system and own state, and nothing else", () => {
    for (const path of [
      `${HOME}/notes.txt`,
      `${HOME}/.zshrc`,
      "/Users/other/x",
      "/Volumes/disk/x",
      "/private/etc/sudoers",
      `${HOME}/.aws/config`,
    ])
      expect(may("file-read-data", path), path).toBe(false);
    for (const path of [
      `${INPUT.project}/x`,
      `${HOME}/.claude/x`,
      "/usr/lib/x",
      "/System/Library/x",
      "/opt/homebrew/bin/node",
      "/private/etc/hosts",
    ])
      expect(may("file-read-data", path), path).toBe(true);
    expect(may("file-write-create", `${INPUT.project}/x`)).toBe(true);
    expect(may("file-write-create", `${HOME}/x`)).toBe(false);
  });

  it("reaches the session's port of the loopback, and no other address", () => {
    expect(does({ operation: "network-outbound", remote: "localhost:4711" })).toBe(true);
    expect(does({ operation: "network-outbound", remote: "localhost:4712" })).toBe(false);
    expect(does({ operation: "network-outbound", remote: "169.254.169.254:80" })).toBe(false);
    expect(does({ operation: "network-outbound", remote: "example.com:443" })).toBe(false);
    expect(does({ operation: "network-outbound", path: "/private/var/run/mDNSResponder" })).toBe(false);
    expect(profile({ level: "strict" }, { ports: [] }).does({ operation: "network-outbound", remote: "localhost:4711" })).toBe(false);
  });
});

describe("a command for macOS", () => {
  it("is started by sandbox-exec with the profile in a file, and a temp folder of its own", () => {
    const plan: IsolationPlan = planIsolation(INPUT, FACTS);
    const command = {
      file: "/opt/homebrew/bin/claude",
      args: ["-p", "hi"],
      cwd: INPUT.project,
      env: { HOME, TMPDIR: "/var/folders/xy/T/" },
    };
    const wrapped = seatbeltCommand(plan, command, { files: "/r/isolation-1", temp: TEMP, keychain: false, ports: [] });
    expect(wrapped.command).toEqual({
      file: "/usr/bin/sandbox-exec",
      args: ["-f", "/r/isolation-1.sb", "/opt/homebrew/bin/claude", "-p", "hi"],
      cwd: INPUT.project,
      env: { HOME, TMPDIR: TEMP },
    });
    expect(wrapped.files).toMatchObject([{ path: "/r/isolation-1.sb", mode: 0o600 }]);
  });
});
