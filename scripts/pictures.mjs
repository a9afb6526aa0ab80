// `npm run pictures`: draws docs/pictures/ anew. Runs the real `agent-run demo` in terminals of four sizes, presses the keys that a human would, and
// writes what the terminal shows as SVG. Ids and times are replaced by fixed ones of the same width, so that two runs give the same files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";

const root = join(import.meta.dirname, "..");
const pictures = join(root, "docs", "pictures");
const SIZES = [
  [120, 30],
  [80, 24],
  [40, 10],
  [20, 5],
];
const KILL_KEY = "\x0b";
/** A key to press after the one before, and a word that the screen then shows. */
const SCENES = [
  ["kill", KILL_KEY, "End"],
  ["help", "?", "Keys"],
  ["details", "d", "Session"],
];
const NOT_YET = /wait \.\.\.|do not count/;
const FIXED = [
  [/(?<=sess_)[0-9a-f]{8}/g, "a8f3b21c"],
  [/\b[0-2]\d:[0-5]\d:[0-5]\d\b/g, "14:05:00"],
  [/\b1[45]m\b/g, "14m"],
  [/\b\d s,/g, "3 s,"],
  [/\b\d\.\d s\b/g, "3.0 s"],
];
/** From here on a screen has room for a table, and for the lines of a start without breaking an id. */
const WIDE = 80;
const WIDEST = 120;
const PATIENCE_MS = 20_000;

/** agent-run in a terminal of its own. */
function open(home, cols, rows, args, more = {}) {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, logLevel: "off" });
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    PS1: "$ ",
    AGENT_RUN_HOME: join(home, "own"),
    // Nobody listens there: a cloud machine's own service is in no picture.
    AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:9",
    ...more,
  };
  const command = [join(root, "bin", "agent-run.cjs"), ...args];
  const pty = spawn(process.execPath, command, { cols, rows, cwd: join(home, "shop"), env });
  const ended = new Promise((resolve) => pty.onExit(resolve));
  pty.onData((text) => terminal.write(text));
  terminal.onData((reply) => pty.write(reply));
  const shown = () => rowsOf(terminal).map((text) => text.trimEnd());
  return {
    pty,
    ended,
    async until(what, holds) {
      const end = performance.now() + PATIENCE_MS;
      while (!holds(shown())) {
        if (performance.now() > end) throw new Error(`${cols}x${rows}: no ${what} on the screen:\n${shown().join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async keep(name) {
      // Ink draws the bar a moment after the launch.
      await new Promise((resolve) => setTimeout(resolve, 300));
      writeFileSync(
        join(pictures, `${name}-${cols}x${rows}.svg`),
        svg(terminal, `agent-run in a terminal of ${cols} columns and ${rows} rows: ${name}`),
      );
    },
    close() {
      pty.kill("SIGKILL");
      terminal.dispose();
    },
  };
}

/** All scenes of one size, from one run. */
async function draw(home, cols, rows) {
  const demo = open(home, cols, rows, ["demo", "--isolation", "standard", "sh"]);
  const { pty, until, keep } = demo;
  const prompt = (lines) => /^[$#]$/.test(lines.slice(0, -1).findLast((line) => line !== "") ?? "");
  try {
    await until("prompt", prompt);
    if (cols >= WIDEST) await keep("start");
    pty.write("clear; demo-aws s3 ls s3://acme-data\r");
    await until("answer", (lines) => lines.length > 2 && lines.join("").includes("reports") && prompt(lines));
    await keep("bar");
    if (cols >= WIDE) await drawWatch(home, cols, rows);
    for (const [name, key, word] of SCENES) {
      pty.write(key);
      await until(name, (lines) => lines.join("\n").includes(word) && !NOT_YET.test(lines.join()));
      await keep(name);
    }
    pty.write("\x1b");
    await until("prompt", prompt);
    pty.write("exit\r");
    await demo.ended;
  } finally {
    demo.close();
  }
}

/** The bar with a caveat, where it is narrow for it: on a machine whose metadata service answers. */
async function drawCaveat(home, cols, rows) {
  const service = createServer((_, response) => response.writeHead(401).end());
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${service.address().port}`;
  const demo = open(home, cols, rows, ["demo", "--isolation", "standard", "sh"], { AWS_EC2_METADATA_SERVICE_ENDPOINT: address });
  try {
    await demo.until("caveat", (lines) => lines.at(-1)?.includes("metadata in reach"));
    demo.pty.write("clear\r");
    await demo.until("prompt", (lines) => lines[0] === "$" || lines[0] === "#");
    await demo.keep("caveat");
    demo.pty.write("exit\r");
    await demo.ended;
  } finally {
    demo.close();
    service.close();
  }
}

/** What another terminal shows meanwhile. */
async function drawWatch(home, cols, rows) {
  const watch = open(home, cols, rows, ["ps", "--watch"]);
  try {
    await watch.until("session", (lines) => lines.some((line) => line.includes("agent-demo")));
    await watch.keep("watch");
    watch.pty.write("q");
    await watch.ended;
  } finally {
    watch.close();
  }
}

function rowsOf(terminal) {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, y) => active.getLine(active.baseY + y).translateToString(false));
}

const CELL = { width: 8.4, height: 18, baseline: 13.5 };
const PADDING = 8;
const COLOURS = ["#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf"];
const BRIGHT = ["#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#ffffff"];
const FOREGROUND = "#d3d7cf";
const BACKGROUND = "#1c1f24";

/** What the terminal shows: one `text` element a row, a `tspan` for each run of cells that look alike. */
function svg(terminal, title) {
  const { cols, rows } = terminal;
  const width = cols * CELL.width + 2 * PADDING;
  const height = rows * CELL.height + 2 * PADDING;
  const drawn = rowsOf(terminal).flatMap((text, y) => row(terminal, fixed(text), y));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="14">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function row(terminal, words, y) {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.baseY + y);
  const runs = [];
  for (let x = 0; x < terminal.cols; x++) {
    const look = lookOf(line.getCell(x));
    const last = runs.at(-1);
    if (last !== undefined && sameLook(last.look, look)) last.text += words[x] ?? " ";
    else runs.push({ x, look, text: words[x] ?? " " });
  }
  const top = PADDING + y * CELL.height;
  const left = (x) => round(PADDING + x * CELL.width);
  const behind = runs
    .filter(({ look }) => look.background !== BACKGROUND)
    .map(
      ({ x, look, text }) =>
        `<rect x="${left(x)}" y="${top}" width="${round(text.length * CELL.width)}" height="${CELL.height}" fill="${look.background}" shape-rendering="crispEdges"/>`,
    );
  const written = runs
    .filter(({ text: run }) => run.trim() !== "")
    .map(({ x, look, text }) => {
      const run = text.trimEnd();
      const style = `${look.bold ? ' font-weight="bold"' : ""}${look.underline ? ' text-decoration="underline"' : ""}`;
      const length = ` textLength="${round(run.length * CELL.width)}" lengthAdjust="spacingAndGlyphs"`;
      return `<tspan x="${left(x)}" fill="${look.foreground}"${style}${length}>${escaped(run)}</tspan>`;
    });
  return [
    ...behind,
    ...(written.length > 0 ? [`<text xml:space="preserve" y="${round(top + CELL.baseline)}">${written.join("")}</text>`] : []),
  ];
}

function lookOf(cell) {
  const colour = (isDefault, isPalette, value, otherwise) =>
    isDefault || !isPalette || value > 15 ? otherwise : value < 8 ? COLOURS[value] : BRIGHT[value - 8];
  const foreground = colour(cell.isFgDefault(), cell.isFgPalette(), cell.getFgColor(), FOREGROUND);
  const background = colour(cell.isBgDefault(), cell.isBgPalette(), cell.getBgColor(), BACKGROUND);
  const [front, back] = cell.isInverse() ? [background, foreground] : [foreground, background];
  return { foreground: front, background: back, bold: cell.isBold() !== 0, underline: cell.isUnderline() !== 0 };
}

const sameLook = (a, b) =>
  a.foreground === b.foreground && a.background === b.background && a.bold === b.bold && a.underline === b.underline;
const fixed = (text) =>
  FIXED.reduce((done, [pattern, replacement]) => done.replace(pattern, replacement), text).replace(/(?<= )[0-9a-f]{8}(?= {2})/, "a8f3b21c");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const round = (number) => String(Math.round(number * 10) / 10);

const home = mkdtempSync(join(tmpdir(), "pictures-"));
try {
  mkdirSync(pictures, { recursive: true });
  mkdirSync(join(home, "shop"));
  mkdirSync(join(home, "own", "config"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, "own", "config", "config.toml"), 'developer = "dev"\n');
  for (const [cols, rows] of SIZES) await draw(home, cols, rows);
  await drawCaveat(home, 100, 12);
} finally {
  rmSync(home, { recursive: true, force: true });
}
