// Random text for a launch. node:crypto would be 3 ms of it to load.
import { closeSync, openSync, readSync } from "node:fs";

/** As many bytes of the kernel's generator (random(4)), in hexadecimal digits. */
export function randomHex(bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  const source = openSync("/dev/urandom", "r");
  try {
    // A read of up to 256 bytes is never cut short.
    if (readSync(source, buffer) !== bytes) throw new Error("/dev/urandom gives too little");
  } finally {
    closeSync(source);
  }
  return buffer.toString("hex");
}
