// An X server of the tests' own, for terminals that need one. Used by xterm-outside.test.ts and vte-outside.test.ts.
import { spawn, spawnSync } from "node:child_process";

/** Whether a command succeeds: a program that is there, a module that can be loaded. */
export const succeeds = (command: string): boolean => spawnSync("sh", ["-c", command], { stdio: "ignore" }).status === 0;

export interface Display {
  readonly name: string;
  close(): void;
}

/** Starts Xvfb. It chooses a number that is free, and says it. */
export async function openDisplay(): Promise<Display> {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1200x800x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const name = await new Promise<string>((resolve) =>
    server.stdio[3]?.once("data", (number: Buffer) => resolve(`:${number.toString().trim()}`)),
  );
  return { name, close: () => server.kill("SIGKILL") };
}
