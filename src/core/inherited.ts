// Descriptors that were open when this program was started, beyond the three standard streams. Called by the launcher and the daemon.
import { closeSync, fstatSync, readdirSync, readFileSync, type Stats } from "node:fs";

/** open(2): close on exec, as /proc/pid/fdinfo shows it in octal (proc(5)). All that Node opens itself has it. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes what would be handed on to every program that is started from here. libuv marks inherited descriptors itself, but gives up at the first
 * gap above 16. Linux only; elsewhere nothing is done.
 * @param keep what stays open, by its fstat(2)
 */
export function closeInherited(keep: (stat: Stats) => boolean): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "latin1"))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0 && !keep(fstatSync(descriptor))) closeSync(descriptor);
    } catch {
      // The descriptor of the listing itself: closed by now.
    }
  }
}
