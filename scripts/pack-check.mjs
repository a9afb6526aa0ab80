// npm run pack-check: what publint says of the package as it would be published. One of its rules knows no other first line of a program than `#!/usr/bin/env`; ours is
// /bin/sh, and it is checked here instead that such a file is executable and runs.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function isProgram(path) {
  const file = join(
    root,
    path.reduce((value, key) => value[key], manifest),
  );
  if (!readFileSync(file, "latin1").startsWith("#!/bin/sh\n") || (statSync(file).mode & 0o111) === 0) return false;
  const PATH = [dirname(process.execPath), process.env["PATH"]].join(":");
  return execFileSync(file, ["--version"], { encoding: "utf8", env: { ...process.env, PATH } }).startsWith(`agent-run ${manifest.version}`);
}

const { messages } = await publint({ pkgDir: root, strict: true });
const left = messages.filter(({ code, path }) => !(code === "BIN_FILE_NOT_EXECUTABLE" && isProgram(path)));
for (const message of left) console.log(`${message.type}: ${formatMessage(message, manifest)}`);
if (left.some(({ type }) => type === "error")) process.exitCode = 1;
else console.log("the package is as it should be");
