// A human's session bus with a real gnome-keyring on it, in a folder of its own: unlocked, locked, absent, or one that never answers. Used by the tests of
// stored keys and of sign-in.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allProcesses } from "../../src/core/process-tree.ts";
import { has } from "../end-to-end/world.ts";

/** What the tests need, for `skipIf`. */
export const keyringNeeds = "dbus-run-session, gnome-keyring-daemon and secret-tool: apt-get install dbus gnome-keyring libsecret-tools";
export const hasKeyring = process.platform === "linux" && ["dbus-run-session", "gnome-keyring-daemon", "secret-tool"].every(has);

export interface Bus extends AsyncDisposable {
  /** DBUS_SESSION_BUS_ADDRESS and what goes with it. */
  readonly env: Record<string, string>;
  /** Whoever owns the name stops answering. */
  freeze(): void;
}

export interface KeyringPlace extends AsyncDisposable {
  readonly folder: string;
  unlocked(): Promise<Bus>;
  /** After `unlocked`, which makes the keyring: the same one, and nobody who could ask for its password. */
  locked(): Promise<Bus>;
  absent(): Promise<Bus>;
  /** A bus that starts a program for the secret service, which never says a word. */
  silent(): Promise<Bus>;
}

export function keyringPlace(): KeyringPlace {
  const folder = mkdtempSync(join(tmpdir(), "ar-bus-"));
  const open: Bus[] = [];
  const runtime = join(folder, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const env = { HOME: folder, XDG_DATA_HOME: join(folder, "data"), XDG_RUNTIME_DIR: runtime };
  const started = async (script: string, options: readonly string[] = []): Promise<Bus> => {
    const bus = await startBus(script, options, env);
    open.push(bus);
    return bus;
  };
  const ownServices = (text: string | undefined): string[] => {
    const services = mkdtempSync(join(folder, "services-"));
    if (text !== undefined) writeFileSync(join(services, "org.freedesktop.secrets.service"), text);
    const config = `${services}.conf`;
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=${folder}</listen><servicedir>${services}</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
    );
    return [`--config-file=${config}`];
  };
  return {
    folder,
    unlocked: () => started("printf 'a password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"),
    locked: () => started("gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1"),
    absent: () => started("true", ownServices(undefined)),
    silent: () => started("true", ownServices("[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sleep 600\n")),
    async [Symbol.asyncDispose]() {
      for (const bus of open) await bus[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function startBus(script: string, options: readonly string[], env: Record<string, string>): Promise<Bus> {
  // It lives until its stdin ends.
  const child = spawn(
    "dbus-run-session",
    [...options, "--", "sh", "-c", `${script}; echo "bus $DBUS_SESSION_BUS_ADDRESS"; exec cat >/dev/null`],
    {
      env: { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8", ...env },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  const address = await addressOf(child);
  return {
    env: { ...env, DBUS_SESSION_BUS_ADDRESS: address },
    freeze() {
      for (const pid of ownersOf(address)) process.kill(pid, "SIGSTOP");
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const owners = ownersOf(address);
      // Not "close": what the bus has started may hold its output open.
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin?.end();
      await ended;
      for (const pid of owners) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It left with its bus.
        }
      }
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = /bus (.+)\n/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the bus ended with ${code}: ${said}`)));
  });
}

/** The keyring daemons of this bus. */
function ownersOf(address: string): number[] {
  return allProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => {
      try {
        const name = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0] ?? "";
        return /gnome-keyring-d|\/bin\/sleep$/.test(name) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(address);
      } catch {
        return false;
      }
    });
}
