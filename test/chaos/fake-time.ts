// A clock that can be moved while programs run, in these programs alone: libfaketime, which stands between them and the C library. The machine's own clock
// is everybody's, and a time namespace (unshare -T) moves the monotonic clocks only. Used by place.ts and wake.test.ts.
import { existsSync, writeFileSync } from "node:fs";

const LIBRARIES = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"];
const library = LIBRARIES.find((file) => existsSync(file));

export const hasFakeTime = library !== undefined;

/** Variables for a program whose wall clock is the machine's plus what `moveClock` writes into `file`. */
export function fakeTime(file: string): Record<string, string> {
  return { LD_PRELOAD: library ?? "", FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

export function moveClock(file: string, seconds: number): void {
  writeFileSync(file, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
}
