// The kernel's keyrings, which no namespace divides: what a sandbox that was started with a human's session keyring can list, read and use of it.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

/** Joins a session keyring of its own with a key named `red-team` in it, and becomes the rest of its arguments. */
const KEYRING = join(import.meta.dirname, "../red-team/keyring.py");
const python = spawnSync("/usr/bin/python3", ["-c", ""], { stdio: "ignore" }).status === 0;
const needs = missing || (python ? "" : " (skipped: needs /usr/bin/python3, apt-get install python3)");

/** Every way of keyctl(2), add_key(2) and request_key(2) to a key that an attacker knows the name of; prints what it read, or how each ended. */
const USE = `
import ctypes, os, platform
add, request, control = (248, 249, 250) if platform.machine() == "x86_64" else (217, 218, 219)
libc = ctypes.CDLL(None, use_errno=True)
ends = set()
def call(*given):
    ctypes.set_errno(0)
    result = libc.syscall(*given)
    if result < 0: ends.add(os.strerror(ctypes.get_errno()))
    return result
text = ctypes.create_string_buffer(200)
listed = [int(line.split()[0], 16) for line in open("/proc/keys")]
named = [call(request, b"user", b"red-team", None, 0)]
found = [call(control, 10, ring, b"user", b"red-team", 0) for ring in (-1, -2, -3, -4, -5)]
for key in listed + named + found:
    for operation in (6, 11):
        if call(control, operation, key, text, 200) > 0: print(text.value.decode(errors="replace"))
call(add, b"user", b"red-team", b"changed", 7, -3)
call(control, 0, -3, 1)
call(control, 1, None)
print("ends:", ", ".join(sorted(ends)))
`;

describe.skipIf(!hasBubblewrap || !python).each(users)(`the kernel's keyrings for $name${needs}`, (user) => {
  const secret = `canary-${randomBytes(8).toString("hex")}`;
  const holding = (argv: readonly string[]): string => {
    const all = [...user.prefix, "/usr/bin/python3", KEYRING, ...argv];
    const { stdout, stderr } = spawnSync(all[0] ?? "", all.slice(1), {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "", RT_KEYRING: secret },
      timeout: 25_000,
    });
    return stdout + stderr;
  };
  const inside = (more: Partial<IsolatedRun>): string => {
    using world = new World(user);
    world.plant("code/project/use.py", USE);
    world.settle();
    const script = "grep -c . /proc/keys /proc/key-users; grep -o red-team /proc/keys; /usr/bin/python3 use.py";
    return holding(world.argv(["/bin/sh", "-c", script], more).slice(user.prefix.length));
  };

  it("give a program outside what is in them", () => {
    expect(holding(["/usr/bin/python3", "-c", USE])).toContain(secret);
  });

  it("show a sandbox at standard the names of keys, and give it none", () => {
    const shown = inside({});
    expect(shown).toContain("\nred-team\n");
    expect(shown).toContain("\nends: Operation not permitted\n");
    expect(shown).not.toContain(secret);
  });

  it("show nothing at strict, nor where isolation.hide says so", () => {
    expect(inside({ level: "strict" })).toBe("/proc/keys:0\n/proc/key-users:0\nends: Operation not permitted\n");
    expect(inside({ hide: ["/proc/keys", "/proc/key-users"] })).toBe("/proc/keys:0\n/proc/key-users:0\nends: Operation not permitted\n");
  });
});
