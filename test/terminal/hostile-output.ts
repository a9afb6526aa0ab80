// Puts a flood of one kind through the compositor, with a copy of the screen, and prints the most memory that it took, in MB. Run by emulator-bounds.test.ts.
import { Compositor } from "../../src/terminal/compositor.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { openOutput } from "../../src/terminal/terminal-output.ts";

const SIZE = { cols: 200, rows: 60 };
const CHUNK = 65_536;
const FLOOD = 16_000_000;
/** Where each sequence has a row drawn again. */
const REDRAWN = 1_000_000;

const coloured = Array.from({ length: SIZE.rows * SIZE.cols }, (_, i) => `\x1b[38;2;${i % 255};1;2;48;2;3;${i % 199};9mX`).join("");
const many = (one: (i: number) => string): ((from: number) => string) => {
  return (from) => Array.from({ length: 200 }, (_, i) => one(from + i)).join("");
};
const KINDS: Record<string, readonly [first: string, more: (from: number) => string]> = {
  string: ["\x1b]0;", () => "a".repeat(CHUNK)],
  "device string": ["\x1bP+q", () => "a".repeat(CHUNK)],
  "links on one row": ["", many((i) => `\r\x1b]8;;http://x/${i}\x1b\\x\x1b]8;;\x1b\\`)],
  "links of any length": ["", many((i) => `\x1b]8;id=${i};http://x/${"y".repeat(3 * (i % 5000))}\x1b\\x\x1b]8;;\x1b\\\r\n`)],
  marks: ["", many((i) => `\x1b[${(i % SIZE.rows) + 1};${(i % SIZE.cols) + 1}He${"\u0301".repeat(200)}`)],
  screens: [coloured, many(() => "\x1b[?1049h\x1b[?1049l")],
  "text below a region": [coloured, many(() => "\x1b[1;2r\x1b[99;1H\n\x1b[?1047h\x1b[1;2r\x1b[99;1H\n\x1b[?1047l")],
};

const output = openOutput({ write: (_bytes, done) => setImmediate(done) }, -1);
const compositor = new Compositor({ size: SIZE, reserve: true, emit: (bytes) => output.write(bytes), marker: () => false });
compositor.bar = "=".repeat(SIZE.cols);
compositor.begin();
compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
const [first, more] = KINDS[process.argv[2] ?? ""] ?? ["", () => process.exit(2)];
let written = 0;
const write = async (text: string): Promise<void> => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    output.together(() => compositor.write(bytes.subarray(at, at + CHUNK)));
    await output.drained();
    written += CHUNK;
  }
};
await write(first);
const flood = process.argv[2] === "text below a region" ? REDRAWN : FLOOD;
for (let i = 0; written < flood; i += 200) await write(more(i));
process.stdout.write(String(Math.round(process.resourceUsage().maxRSS / 1024)));
process.exit();
