#!/usr/bin/env node
// The installed command: refuses a Node that is too old in words, then loads the bundle through Node's compile cache.
// Plain old JavaScript, so that an old Node gets as far as the sentence; CommonJS, because Node's loader of ES modules takes longer to start.
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
// In our own state folder (core/paths.ts), which no agent can write: what is cached there runs as the human next time. Never below the folder we stand in,
// so an unset HOME or a relative path means no cache.
var own = process.env.AGENT_RUN_HOME;
var state = own ? `${own}/state` : `${process.env.XDG_STATE_HOME || `${process.env.HOME}/.local/state`}/agent-run`;
var mask = process.umask(0o077);
if (state[0] === "/") require("node:module").enableCompileCache(`${state}/compile-cache`);
process.umask(mask);
require("../dist/main.cjs");
