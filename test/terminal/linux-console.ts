// The Linux console as the human's terminal: virtual terminals of the kernel, written to as a terminal is, and read cell by cell from their memory (vcs(4)).
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import type { Size } from "../../src/terminal/pty.ts";

export interface LinuxConsole {
  /** Its device. */
  readonly tty: string;
  /** Without output processing, as a terminal that a launcher has. */
  write(bytes: Uint8Array | string): void;
  /** What it has answered to queries since this was asked last. Not where somebody else reads it. */
  answers(): string;
  /** As if these keys were pressed: the bytes that the console makes of them. */
  type(keys: string): void;
  resize(size: Size): void;
  /** Text of a row, 0-based, without blanks at its end. */
  row(y: number): string;
  rows(): string[];
  /** What the first `rows` rows show, and where the cursor is: two of these are equal where nobody can tell the consoles apart. */
  snapshot(rows: number): Record<string, unknown>;
  close(): void;
}

const READ_WRITE = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
/** ioctl_console(2), ioctl_tty(2). */
const VT_OPENQRY = 0x5600;
const VT_DISALLOCATE = 0x5608;
const TIOCSTI = 0x5412;

/** Node has no ioctl; perl is there on every Debian. */
function perl(script: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("perl", ["-MFcntl", "-e", script, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`perl: ${stderr}`);
  return stdout;
}

/**
 * Whether there are virtual terminals here, we may use them, and they do as those of Linux 6.18, which has an alternate screen and wide characters: that takes
 * such a kernel, and root. A container mostly has none.
 */
export function hasLinuxConsole(): boolean {
  try {
    const one = openLinuxConsole({ cols: 20, rows: 8 });
    try {
      one.write("a\x1b[?1049h🙂b");
      return one.row(0) === " 🙂\u200bb";
    } finally {
      one.close();
    }
  } catch {
    return false;
  }
}

/** A virtual terminal that nobody uses, of this size, as it is after a reset. */
export function openLinuxConsole(size: Size): LinuxConsole {
  const query =
    "$n = pack 'i', 0; open T, '<', '/dev/tty0' or die; ioctl T, shift, $n or die; $n = unpack 'i', $n; die if $n < 2; print $n";
  const number = perl(query, [`${VT_OPENQRY}`]);
  const tty = `/dev/tty${number}`;
  const fd = openSync(tty, READ_WRITE);
  const stty = (...args: string[]): void => {
    const { status, stderr } = spawnSync("stty", ["-F", tty, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`stty: ${stderr}`);
  };
  const cells = (): { rows: number; cols: number; x: number; y: number; bytes: Buffer } => {
    const bytes = readFileSync(`/dev/vcsa${number}`);
    const [rows = 0, cols = 0, x = 0, y = 0] = bytes;
    return { rows, cols, x, y, bytes: bytes.subarray(4) };
  };
  const text = (y: number, cols: number): string => {
    let all: Buffer;
    try {
      all = readFileSync(`/dev/vcsu${number}`);
    } catch {
      // ENODATA: it does not take UTF-8 now.
      return "";
    }
    return Array.from({ length: cols }, (_, x) => String.fromCodePoint(all.readUInt32LE(4 * (y * cols + x)))).join("");
  };
  const row = (y: number): string => text(y, cells().cols).trimEnd();
  stty("raw", "-echo", "rows", `${size.rows}`, "cols", `${size.cols}`);
  writeSync(fd, "\x1bc");
  // From now on the kernel keeps the characters, not only what its font has for them.
  row(0);
  return {
    tty,
    write: (bytes) => {
      const all = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      for (let at = 0; at < all.length; ) at += writeSync(fd, all, at);
    },
    answers() {
      const bytes = Buffer.alloc(4096);
      try {
        return bytes.toString("latin1", 0, readSync(fd, bytes));
      } catch {
        return "";
      }
    },
    type: (keys) =>
      void perl("open T, '+<', shift or die; $n = shift; ioctl T, $n, $_ or die $! for split //, shift", [tty, `${TIOCSTI}`, keys]),
    resize: ({ cols, rows }) => stty("rows", `${rows}`, "cols", `${cols}`),
    row,
    rows: () => Array.from({ length: cells().rows }, (_, y) => row(y)),
    snapshot(rows) {
      const { cols, x, y, bytes } = cells();
      // Of a blank only the background is seen.
      const cell = (at: number): string => {
        const [glyph = 0, attribute = 0] = bytes.subarray(at, at + 2);
        return `${String.fromCharCode(glyph)}${(glyph === 0x20 ? attribute & 0x70 : attribute).toString(16).padStart(2, "0")}`;
      };
      return {
        rows: Array.from({ length: rows }, (_, at) =>
          Array.from({ length: cols }, (_, column) => cell(2 * (at * cols + column))).join(" "),
        ),
        cursor: `${y};${x}`,
      };
    },
    close() {
      closeSync(fd);
      perl("open T, '<', '/dev/tty0' or die; ioctl T, shift, int shift", [`${VT_DISALLOCATE}`, number]);
    },
  };
}
