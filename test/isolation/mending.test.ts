// What a machine that cannot isolate is told, cause by cause; and the same for real, with what can be switched off in a namespace.
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaving, type MachineSettings, mending, NOT_UP, wslVersion } from "../../src/isolation/mending.ts";
import { metadataService } from "../../src/isolation/metadata.ts";
import { KEYRING_REFUSED } from "../../src/isolation/own-programs.ts";
import { hasBubblewrap, missing } from "./world.ts";

const FINE: MachineSettings = {
  mostUserNamespaces: "15000",
  mostNetworkNamespaces: "15000",
  fewest: { name: "user.max_user_namespaces", most: 15_000 },
  userNamespacesAllowed: "1",
  appArmorRestricts: "0",
  kernel: "6.8.0-48-generic",
  inContainer: false,
  install: "sudo apt-get install bubblewrap",
};
const told = (
  machine: Partial<MachineSettings>,
  said = "bwrap: setting up uid map: Permission denied",
  level: "standard" | "strict" = "standard",
) => mending("/opt/bin/bwrap", level, said, { ...FINE, ...machine });

describe("what mends a machine that cannot isolate", () => {
  it.each([
    [{ mostUserNamespaces: "0" }, "sudo sysctl -w user.max_user_namespaces=15000"],
    [{ userNamespacesAllowed: "0" }, "sudo sysctl -w kernel.unprivileged_userns_clone=1"],
    [{ kernel: "4.4.0-19041-Microsoft" }, "in Windows, with your distribution's name: wsl --set-version Ubuntu 2"],
  ])("for %j is a command", (machine, hint) => {
    expect(told(machine).hint).toBe(hint);
    expect(told(machine).why).toContain("(bwrap said: bwrap: setting up uid map: Permission denied)");
  });

  it("is a profile for just this bwrap where AppArmor restricts namespaces", () => {
    const { hint } = told({ appArmorRestricts: "1" });
    expect(hint).toContain("profile bwrap /opt/bin/bwrap flags=(unconfined)");
    const printed = spawnSync("sh", ["-c", hint.split(" | ")[0] ?? ""], { encoding: "utf8" }).stdout;
    expect(printed).toBe("abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap /opt/bin/bwrap flags=(unconfined) {\n  userns,\n}\n");
  });

  it("speaks of network namespaces only to the level that needs them", () => {
    expect(told({ mostNetworkNamespaces: "0" }, "x", "strict").hint).toBe("sudo sysctl -w user.max_net_namespaces=15000");
    expect(told({ mostNetworkNamespaces: "0" }, "x").hint).toContain("see what fails");
  });

  it.each([
    "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
    "bwrap: Creating new namespace failed: No space left on device",
  ])("names the limit where no more namespaces are given: %s", (said) => {
    const few = { fewest: { name: "user.max_mnt_namespaces", most: 3 } };
    const { why, hint } = told(few, said);
    expect(why).toContain("no more namespaces are given, user.max_mnt_namespaces is 3 (bwrap said: ");
    expect(hint).toBe("sudo sysctl -w user.max_mnt_namespaces=15000");
    const inside = told({ ...few, inContainer: true }, said);
    expect(inside.why).toContain("user.max_mnt_namespaces is 3; in a container, the same on the machine around it");
    expect(inside.hint).toBe(hint);
    expect(told({}, said).hint).toBe("see who holds them, with lsns; or raise the limit: sudo sysctl -w user.max_user_namespaces=30000");
  });

  it("takes a full disk for no limit on namespaces", () =>
    expect(told({}, "bwrap: Can't create file at /x: No space left on device").hint).toContain("see what fails"));

  it("blames neither container nor kernel where bwrap was only too slow", () => {
    const { why, hint } = told({ inContainer: true }, NOT_UP);
    expect(why).toContain("it took too long (bwrap said: nothing, and was not done within 5 s)");
    expect(hint).toMatch(/^try again .*: \/opt\/bin\/bwrap --unshare-user --unshare-pid --ro-bind \/ \/ --proc \/proc true$/);
  });

  it("knows an old bwrap and a container, and else says how to see more", () => {
    expect(told({}, "bwrap: Unknown option --unshare-cgroup-try").hint).toBe("sudo apt-get install bubblewrap (0.5 or newer)");
    expect(told({ inContainer: true }).hint).toContain("docker run --security-opt");
    const few = "bwrap: Creating new namespace failed: Resource temporarily unavailable";
    expect(told({ inContainer: true }, few)).toMatchObject({
      why: expect.stringContaining("given no process"),
      hint: expect.stringContaining("ulimit -u"),
    });
    expect(told({}).hint).toContain("/opt/bin/bwrap --unshare-user");
    expect(told({}, "x", "strict").hint).toContain("--unshare-net");
  });

  it.each([
    ["4.4.0-19041-Microsoft", 1],
    ["5.15.90.1-microsoft-standard-WSL2", 2],
    ["6.6.36.6-microsoft-standard-WSL2+", 2],
    ["4.19.84-microsoft-standard", 2],
    ["6.8.0-48-generic", undefined],
  ] as const)("reads the kernel's release %s as WSL %s", (kernel, version) => expect(wslVersion(kernel)).toBe(version));
});

describe("a session keyring that cannot be left", () => {
  const ended = (errno: string) => `${KEYRING_REFUSED}${errno}`;

  it.each(["038", "001", "013"])("matters not where there are no keys (errno %s)", (errno) => {
    expect(leaving(ended(errno), "no keyrings", false)).toEqual({ none: true });
    expect(leaving(ended(errno), "none", true)).toEqual({ none: true });
  });

  it.each(["038", "001", "013"])("ends the run where there are some, or where that cannot be seen (errno %s)", (errno) => {
    for (const listed of ["some", "covered"] as const) {
      expect(leaving(ended(errno), listed, false)).toEqual({
        none: false,
        why: `the session keyring that agent-run was started with can not be left: the kernel gives no fresh session keyring: keyctl ended with errno ${errno}`,
        hint: 'keep the keyring by saying so: isolation.allow = ["session-keyring"]',
      });
      expect(leaving(ended(errno), listed, true)).toMatchObject({
        none: false,
        hint: expect.stringContaining("docker run --security-opt"),
      });
    }
  });

  it("ends the run for any other reason, whatever is listed", () => {
    expect(leaving(ended("122"), "none", false)).toMatchObject({ none: false, hint: "sudo sysctl -w kernel.keys.maxkeys=2000" });
    expect(leaving(ended("012"), "none", false)).toMatchObject({ none: false });
    expect(leaving("something else", "no keyrings", false)).toMatchObject({ none: false });
  });
});

describe("the metadata service", () => {
  it("is found where something answers, and nowhere else", async () => {
    const server = createServer((_, response) => response.writeHead(401).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await metadataService(address)).toBe(address);
    await new Promise((resolve) => server.close(resolve));
    expect(await metadataService(address)).toBeUndefined();
  });

  it("is given up soon where nobody answers", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const before = performance.now();
    expect(await metadataService(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)).toBeUndefined();
    expect(performance.now() - before).toBeGreaterThan(300);
    silent.closeAllConnections();
    silent.close();
  });
});

/** In a user namespace of its own the same settings count, and whoever made it may change them (user_namespaces(7)). */
const without = (setting: string, level: "standard" | "strict", most = 0): string => {
  const probe = `import("${import.meta.dirname}/../../src/isolation/probe.ts").then(({probeIsolation})=>probeIsolation("${level}",{platform:"linux",path:"/usr/bin:/bin",keyring:undefined})).then((result)=>console.log(result.ok?"ok":result.hint))`;
  const script = `echo ${most} > /proc/sys/user/${setting} && exec "$0" -e '${probe}'`;
  const { stdout, stderr } = spawnSync("unshare", ["-Ur", "sh", "-c", script, process.execPath], { encoding: "utf8" });
  return stdout.trim() || stderr;
};
const canUnshare =
  spawnSync("unshare", ["-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_net_namespaces"], { stdio: "ignore" }).status === 0;
const whyNot = canUnshare ? missing : " (skipped: needs unshare of util-linux and user namespaces)";

describe.skipIf(!hasBubblewrap || !canUnshare)(`a machine whose namespaces are switched off${whyNot}`, () => {
  it("is told so by a sandbox that was tried", () => {
    expect(without("max_user_namespaces", "standard")).toBe("sudo sysctl -w user.max_user_namespaces=15000");
  });

  it("is told which limit it is where few namespaces are left", () => {
    expect(without("max_user_namespaces", "strict", 1)).toBe("sudo sysctl -w user.max_user_namespaces=15000");
    expect(without("max_mnt_namespaces", "standard")).toBe("sudo sysctl -w user.max_mnt_namespaces=15000");
    expect(without("max_pid_namespaces", "standard")).toBe("sudo sysctl -w user.max_pid_namespaces=15000");
  });

  it("still gives standard where only the network's are", () => {
    expect(without("max_net_namespaces", "standard")).toBe("ok");
    expect(without("max_net_namespaces", "strict")).toBe("sudo sysctl -w user.max_net_namespaces=15000");
  });

  it.each([
    ["standard", 1],
    ["strict", 2],
  ] as const)("gives %s in bubblewrap's own way where there are %i user namespaces, one too few for ours", (level, most) => {
    const isolation = join(import.meta.dirname, "../../src/isolation");
    const probe = `const [{ probeIsolation }, own] = await Promise.all([import("${isolation}/probe.ts"), import("${isolation}/own-programs.ts")]);
      const [prelude, init] = [own.preludeFile, own.sandboxInitFile].map((of) => of("${join(isolation, "../..")}", process.arch));
      const { ok, mounts, why } = await probeIsolation("${level}", { platform: "linux", path: "/usr/bin:/bin", prelude, init, keyring: false });
      console.log(JSON.stringify({ ok, mounts, why }));`;
    const script = `echo ${most} > /proc/sys/user/max_user_namespaces && exec "$0" --input-type=module -e "$1"`;
    const { stdout, stderr } = spawnSync("unshare", ["-Ur", "sh", "-c", script, process.execPath, probe], { encoding: "utf8" });
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({ ok: true, mounts: false });
  });
});
