// Which machine this is, and since when: homes are shared (NFS), and a process number of another machine, or of the time before a reboot, says nothing here. Used by
// the daemon for its records, and by who reads them.
import { readFileSync } from "node:fs";
import { ownHost } from "./host.ts";

export interface Machine {
  /** What tells it from others: of /etc/machine-id, which is not to be shown as it is (machine-id(5)); else the host's name. */
  readonly id: string;
  readonly host: string;
  /** Another one after each boot; empty where the kernel does not tell. */
  readonly boot: string;
}

let known: Machine | undefined;

/** Read once; it stays what it is while a process lives. */
export function thisMachine(): Machine {
  known ??= read();
  return known;
}

function read(): Machine {
  const host = ownHost();
  const number = textOf("/etc/machine-id");
  const id = number === "" ? `host-${host}` : digest(`agent-run ${number}`);
  return { id, host, boot: textOf("/proc/sys/kernel/random/boot_id") };
}

/** FNV-1a of 64 bits, which a number of 128 cannot be found from. Not of node:crypto, which every launch would take 4 ms to load for it. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
