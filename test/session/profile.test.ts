// Profiles and settings: what is laid over what, and how bad input is told with its file, line and column.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Paths } from "../../src/core/paths.ts";
import { loadProfile, profileNames } from "../../src/session/profile.ts";
import { failure } from "../failure.ts";

const PACKAGE = join(import.meta.dirname, "..", "..");
let home: string;
let paths: Paths;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agent-run-profile-"));
  paths = { config: join(home, "config"), state: join(home, "state"), runtime: join(home, "run") };
  mkdirSync(join(paths.config, "profiles"), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const config = (text: string): void => writeFileSync(join(paths.config, "config.toml"), text);

describe("profile", () => {
  it("is readonly, bounded by its session policy, when nothing is said", () => {
    const profile = loadProfile(paths, PACKAGE, {});
    expect(profile).toMatchObject({
      name: "readonly",
      delivery: "endpoint",
      onExpiry: "refresh",
      ttlMs: 3_600_000,
      killKey: "ctrl-k",
      isolation: { level: "standard" },
    });
    expect(profile.sessionPolicy.text.length).toBeLessThanOrEqual(2048);
  });

  it("is overridden by config.toml, and that by the command line", () => {
    config(
      'kill_key = "ctrl-\\\\"\n[profiles.readonly]\nrole = "agent-readonly"\nttl = "20m"\ndelivery = "process"\nisolation.allow = ["ssh"]\n',
    );
    expect(loadProfile(paths, PACKAGE, { ttl: 60_000 })).toMatchObject({
      role: "agent-readonly",
      ttlMs: 60_000,
      delivery: "process",
      killKey: "ctrl-\\",
      isolation: { allow: ["ssh"] },
    });
  });

  it("accepts for one run what the command line names, as the catalogue writes it", () => {
    expect(loadProfile(paths, PACKAGE, { accept: ["EC2:stopInstances"] }).acceptsNow).toEqual(["ec2:StopInstances"]);
    expect(loadProfile(paths, PACKAGE, {}).acceptsNow).toEqual([]);
    for (const accept of ["ec2:*", "*", "s3:GetObject"]) {
      expect(failure(() => loadProfile(paths, PACKAGE, { accept: [accept] })).code).toBe("usage");
    }
  });

  it("of the user's own folder goes before a shipped one of the same name", () => {
    const own = join(paths.config, "profiles", "readonly");
    mkdirSync(own);
    writeFileSync(join(own, "profile.toml"), 'description = "mine"\n');
    writeFileSync(
      join(own, "session-policy.json"),
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}',
    );
    expect(loadProfile(paths, PACKAGE, {}).folder).toBe(own);
    expect(profileNames(paths, PACKAGE)).toContain("demo");
  });

  it("that does not exist is an error that suggests the nearest name", () => {
    expect(failure(() => loadProfile(paths, PACKAGE, { profile: "readolny" }))).toMatchObject({
      code: "profile",
      hint: "did you mean 'readonly'?",
    });
  });

  it("cannot be named by a path", () => {
    expect(failure(() => loadProfile(paths, PACKAGE, { profile: "../../etc" })).code).toBe("profile");
  });

  it("without a session policy is refused: every session is bounded", () => {
    mkdirSync(join(paths.config, "profiles", "open"));
    expect(failure(() => loadProfile(paths, PACKAGE, { profile: "open" })).message).toMatch(
      /cannot read the session policy .*open\/session-policy\.json/,
    );
  });

  it("whose session policy is longer than STS takes is refused before any call", () => {
    const own = join(paths.config, "profiles", "long");
    mkdirSync(own);
    const actions = Array.from({ length: 200 }, (_, index) => `s3:GetObject${index}`);
    writeFileSync(
      join(own, "session-policy.json"),
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] }),
    );
    expect(failure(() => loadProfile(paths, PACKAGE, { profile: "long" }))).toMatchObject({ code: "policy" });
  });
});

describe("settings", () => {
  it.each([
    ["not TOML", 'profile = "a"\nttl = = 3\n', /config\.toml:2:\d+: not valid TOML/],
    ["an unknown key", '\nprofil = "a"\n', /config\.toml:2:1: unknown setting 'profil'/],
    [
      "an unknown key of a profile",
      '[profiles.readonly]\nrole = "x"\n  delivry = "env"\n',
      /config\.toml:3:3: unknown setting 'profiles\.readonly\.delivry'/,
    ],
    [
      "a wrong value",
      '[profiles.readonly]\ndelivery = "pigeon"\n',
      /config\.toml:2:1: profiles\.readonly\.delivery: must be "endpoint" or /,
    ],
    ["a number for a text", "[profiles.readonly]\nttl = 5\n", /config\.toml:2:1: profiles\.readonly\.ttl: must be a text in quotes$/],
    [
      "a text for a list",
      `[profiles.readonly]\naccounts = "1"\n`,
      /config\.toml:2:1: profiles\.readonly\.accounts: must be a list in \[ \]$/,
    ],
    ["a text for a table", '[profiles]\nreadonly = "x"\n', /config\.toml:2:1: profiles\.readonly: must be a table$/],
    ["a wrong duration", '[profiles.x]\nttl = "soon"\n', /config\.toml:2:1: profiles\.x\.ttl: 'soon' is not a duration \(write it as 45s/],
    ["an account that is a number", "[profiles.x]\naccounts = [123456789012]\n", /config\.toml:2:1: profiles\.x\.accounts/],
    ["a wrong type in a dotted key", 'profiles.x.isolation.level = "loose"\n', /config\.toml:1:1: profiles\.x\.isolation\.level/],
  ])("with %s is told with file, line and column", (_what, text, message) => {
    config(text);
    const error = failure(() => loadProfile(paths, PACKAGE, {}));
    expect(error.code).toBe("config");
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });

  it("suggests the nearest key for a misspelt one", () => {
    config('[profiles.readonly]\ndelivry = "env"\n');
    expect(failure(() => loadProfile(paths, PACKAGE, {})).hint).toBe("did you mean 'delivery'?");
  });
});
