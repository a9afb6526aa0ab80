#!/usr/bin/env node
// The installed command: refuses a Node that is too old in words, then loads the bundle through Node's compile cache.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    "agent-run: error: agent-run needs Node 24 or newer, this is Node " +
      process.versions.node +
      "\n" +
      "agent-run: hint: install it with 'npm install --global node@24', 'nvm install 24', or from https://nodejs.org\n",
  );
  process.exit(125);
}
await import("../dist/main.js");
