// Whether a standard stream is a terminal, without making a stream of it. Called by launch.ts and demo.ts.

/** @param descriptor 0, 1 or 2 */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
