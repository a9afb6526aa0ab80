// The program that macOS starts a sandbox with. Apart from seatbelt.ts, which is loaded on macOS alone; used there and by probe.ts.
export const SANDBOX_EXEC = "/usr/bin/sandbox-exec";
