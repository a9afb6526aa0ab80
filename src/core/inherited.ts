// Descriptors that every program that is started from here would get, beyond its standard streams: those that were open when this one was started, and
// the master of a PTY, which node-pty opens. Called by the launcher and the daemon, and where programs are started that outlive an agent.

import { closeSync, fstatSync, openSync, readdirSync, readSync, type Stats } from "node:fs";
import { mostDescriptors } from "./descriptors.ts";

/** open(2): close on exec, as /proc/pid/fdinfo shows it in octal (proc(5)). All that Node opens itself has it. */
const O_CLOEXEC = 0o2000000;

/** What is put in the place of others is first put above them all (libuv, uv_spawn). */
const ROOM = 16;

/**
 * Closes what would be handed on to every program that is started from here. libuv marks inherited descriptors itself, but gives up at the first
 * gap above 16. Linux only; elsewhere nothing is done.
 * @param keep what stays open, by its fstat(2)
 */
export function closeInherited(keep: (stat: Stats) => boolean): void {
  for (const descriptor of handedOn()) if (!keep(fstatSync(descriptor))) closeSync(descriptor);
}

/**
 * Starts a program that gets nothing else of ours than these streams: what would be handed on is /dev/null there.
 * @param start spawns it with the `stdio` that it is given, at once
 */
export function withoutInherited<Stream, Started>(
  streams: readonly Stream[],
  start: (stdio: (Stream | "ignore" | number)[]) => Started,
): Started {
  const stdio: (Stream | "ignore" | number)[] = [...streams];
  const leaking = handedOn().filter((descriptor) => descriptor >= streams.length && !isBeyondReach(descriptor));
  if (leaking.length === 0) return start(stdio);
  // To libuv `ignore` above the standard streams means that what is there stays.
  while (stdio.length <= Math.max(...leaking)) stdio.push("ignore");
  const nothing = openSync("/dev/null", "r");
  try {
    for (const descriptor of leaking) stdio[descriptor] = nothing;
    return start(stdio);
  } finally {
    closeSync(nothing);
  }
}

/**
 * Where the limit was lowered after it was opened (`ulimit -n`), nothing can be put in its place, in no program that is started from here: then it is closed
 * here, and nobody has it.
 */
function isBeyondReach(descriptor: number): boolean {
  if (descriptor + ROOM < mostDescriptors()) return false;
  closeSync(descriptor);
  return true;
}

function handedOn(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => {
      if (descriptor <= 2) return false;
      const flags = /^flags:\s*([0-7]+)$/m.exec(headOf(`/proc/self/fdinfo/${descriptor}`))?.[1];
      return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
    });
}

/** The flags are its second line. */
const head = Buffer.alloc(256);

/** One read into the same memory: there are some twenty, and `readFileSync` takes twice as long. Empty for the listing's own descriptor: closed by now. */
function headOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    return head.toString("latin1", 0, readSync(descriptor, head, 0, head.length, 0));
  } catch {
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
