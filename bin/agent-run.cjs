#!/bin/sh
':' //; case ${1-} in status) f=$(readlink -f "$0") && f=${f%/bin/*}/shell/status.sh && [ -r "$f" ] && . "$f" ;; esac; n=${0%/*}/../node_modules/node/bin/node; [ ! -h "$0" ] && [ -x "$n" ] || n=node; exec "$n" "$0" "$@"
// The installed command. A shell reads the line above alone: it answers what prompts ask for (shell/status.sh) and hands everything else to Node, in the time that
// `env node` would take; in a clone, called there by its path, to the Node that the clone brings. Node reads it as a text and a comment: it refuses a Node that is too old in words, then loads the bundle with what V8 compiled of it before.
// Plain old JavaScript, so that an old Node gets as far as the sentence; CommonJS, because Node's loader of ES modules takes longer to start.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    "agent-run: error: agent-run needs Node 24 or newer, this is Node " +
      process.versions.node +
      "\n" +
      "agent-run: hint: install it with 'npm install --global --prefix ~/.local node@24', 'nvm install 24', or from https://nodejs.org\n",
  );
  process.exit(125);
}
if (process.platform === "win32") {
  process.stderr.write(
    "agent-run: error: agent-run does not run on Windows itself: it needs WSL2\n" +
      "agent-run: hint: wsl --install, then install and run agent-run in there: https://learn.microsoft.com/windows/wsl/install\n",
  );
  process.exit(125);
}
// In our own state folder (core/paths.ts), which no agent can write: what is cached there runs as the human next time. Never below the folder we stand in,
// so an unset HOME or a relative path means no cache; nor in a folder of another user's, as with `sudo` that keeps HOME: what lies there would run as root.
var own = process.env.AGENT_RUN_HOME;
var state = own ? `${own}/state` : `${process.env.XDG_STATE_HOME || `${process.env.HOME}/.local/state`}/agent-run`;
if (state[0] === "/" && isOurs(`${state}/compile-cache`, own || process.env.XDG_STATE_HOME || process.env.HOME))
  loadCompiled(`${state}/compile-cache`);
else require("../dist/main.cjs");

function isOurs(folder, base) {
  var fs = require("node:fs");
  var found;
  try {
    found = fs.lstatSync(folder, { throwIfNoEntry: false }) || fs.statSync(base, { throwIfNoEntry: false });
  } catch (_error) {
    return false;
  }
  return found === undefined || found.uid === process.getuid();
}

// Node's cache holds what V8 compiles of a file at once, and that is little: each launch would compile the rest again. Ours is made when a run has ended,
// of all that it needed: once for runs in a terminal and once for others, each with and without what makes a sandbox, which is a quarter of it. V8 knows
// its own version and flags in it, but of the source only the length: the first line of the bundle, which names its build, is part of the file's name.
function loadCompiled(folder) {
  var fs = require("node:fs");
  var path = require("node:path");
  var vm = require("node:vm");
  var file = path.join(__dirname, "../dist/main.cjs");
  var source = fs.readFileSync(file, "latin1");
  var level = process.argv[process.argv.indexOf("--isolation") + 1];
  var kind = `launch-${level === "none" ? "bare-" : ""}${require("node:tty").isatty(0) ? "terminal" : "pipes"}-`;
  var name = `${kind}${source.slice(3, source.indexOf("\n"))}-${process.version}-${process.arch}`;
  var script = new vm.Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
    filename: file,
    cachedData: read(),
  });
  var main = { exports: {}, importer: importer };
  script.runInThisContext()(main.exports, require, main, file, path.dirname(file));
  if (script.cachedDataRejected !== false) process.on("exit", write);

  // Code that was compiled like this has no way of its own to load an ES module. Those go through Node's cache; what is wrong with one is said by its promise.
  function importer(name) {
    var mask = process.umask(0o077);
    require("node:module").enableCompileCache(folder);
    process.umask(mask);
    try {
      return require("../dist/esm.cjs")(name);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  function read() {
    try {
      return fs.readFileSync(`${folder}/${name}`);
    } catch (_error) {
      return undefined;
    }
  }
  // On disk before it has its name: of what it reads V8 checks the head alone. Where it cannot be written, the next launch compiles again.
  function write() {
    var fresh = `${folder}/${kind}${process.pid}.new`;
    if (!main.exports.outcome.ran) return;
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      fs.writeFileSync(fresh, script.createCachedData(), { mode: 0o600, flag: "wx", flush: true });
      fs.readdirSync(folder).filter(isOld).forEach(remove);
      fs.renameSync(fresh, `${folder}/${name}`);
    } catch (_error) {
      fs.rmSync(fresh, { force: true });
    }
  }
  function isOld(each) {
    return each.startsWith(kind) && !each.endsWith(".new");
  }
  function remove(each) {
    fs.rmSync(`${folder}/${each}`, { force: true });
  }
}
