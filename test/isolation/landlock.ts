// Whether the kernel tells a sandbox's abstract sockets from the machine's: the sixth version of Landlock (landlock(7), Linux 6.12). Used by tests of what is in reach.
import { execFileSync } from "node:child_process";

/** landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION; -1 where there is none. */
const VERSION = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))";

export const scopesSockets = process.platform === "linux" && Number(execFileSync("/usr/bin/python3", ["-c", VERSION])) >= 6;
