// The least that any wrapper in Node does: an agent's PTY copied to the terminal, and keys to the PTY, and nothing looked at. Started by run.mjs as `node copy`.
import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { spawn } from "@lydell/node-pty";

const [file, ...args] = process.argv.slice(2);
const modes = spawnSync("stty", ["-g"], { stdio: ["inherit", "pipe", "inherit"], encoding: "utf8" }).stdout.trim();
spawnSync("stty", ["raw", "-echo"], { stdio: ["inherit", "ignore", "inherit"] });
const [cols, rows] = process.stdout.getWindowSize();
const pty = spawn(file, args, { cols, rows, name: "xterm-256color", env: process.env, encoding: null });
process.stdout._handle.setBlocking(false);

/** As src/terminal/direct-reader.ts: one buffer of the size that the kernel gives at a time, and blocks of up to 64 KB. */
function copy(source, write) {
  const buffer = Buffer.allocUnsafeSlow(4095);
  let block;
  let length = 0;
  const give = () => {
    if (length > 0) write(block.subarray(0, length));
    block = undefined;
    length = 0;
  };
  const callback = (count, bytes) => {
    block ??= Buffer.allocUnsafeSlow(65_536);
    block.set(bytes.subarray(0, count), length);
    length += count;
    if (count < 4095 || length > 65_536 - 4095) give();
    else setImmediate(give);
    return true;
  };
  const socket = new Socket({ handle: source._handle, readable: true, writable: false, manualStart: true, onread: { buffer, callback } });
  source._handle = null;
  socket.on("error", () => undefined);
  socket.on("close", () => {
    give();
    process.stdout.write("", () => {
      spawnSync("stty", [modes], { stdio: ["inherit", "ignore", "inherit"] });
      process.exit();
    });
  });
  socket.read(0);
  return socket;
}
let waiting = 0;
const output = copy(pty._socket, (all) => {
  let bytes = all;
  waiting += bytes.length;
  if (waiting === bytes.length) {
    try {
      const taken = writeSync(1, bytes);
      waiting -= taken;
      if (taken === bytes.length) return;
      bytes = bytes.subarray(taken);
    } catch {
      // The terminal is busy: the stream waits for it.
    }
  }
  if (waiting > 131_072) output.pause();
  process.stdout.write(bytes, () => {
    waiting -= bytes.length;
    if (waiting < 32_768) output.resume();
  });
});
copy(process.stdin, (bytes) => writeSync(pty.fd, bytes));
