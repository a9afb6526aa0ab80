// A home folder of ordinary size: every top-level entry is one mount in a sandbox. Used by launch.mjs and isolation.mjs.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function plantHome(home) {
  for (let index = 0; index < 30; index += 1) mkdirSync(join(home, `.tool${index}`, "x"), { recursive: true });
  for (let index = 0; index < 15; index += 1) writeFileSync(join(home, `.file${index}`), "x\n");
  for (const store of [".aws", ".ssh", ".config/gh", ".kube", ".docker"]) mkdirSync(join(home, store), { recursive: true });
  for (const file of [".netrc", ".bash_history", ".npmrc"]) writeFileSync(join(home, file), "x\n");
}
