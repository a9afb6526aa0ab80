// What the agents of bench/terminal print: made by rule, so that every run measures the same bytes.
import { writeFileSync } from "node:fs";

const WORDS =
  "the session policy bounds a role and ends with it; const value = await fetch(url) return if error throw import from src".split(" ");
const OTHER = ["déjà vu", "größer", "Ελληνικά", "日本語の行", "漢字", "→ ✓ ✗", "🙂 🚀", "─────┼─────"];

/** A small generator with a seed (mulberry32). */
function random(seed) {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Lines as builds, tests, logs and diffs print them: plain, coloured, wide, long ones that wrap, and progress that is written over. */
function mixedLine(pick) {
  const words = (count) => Array.from({ length: count }, () => WORDS[pick(WORDS.length)]).join(" ");
  const kind = pick(100);
  if (kind < 45) return `${words(4 + pick(10))}\n`;
  if (kind < 70) return `\x1b[32m+\x1b[0m \x1b[38;5;${pick(256)}m${words(3)}\x1b[39m ${words(4)} \x1b[1;34m${words(2)}\x1b[0m\n`;
  if (kind < 80) return `\x1b[2m12:04:${10 + pick(50)}\x1b[22m \x1b[38;2;${pick(256)};${pick(256)};90mINFO\x1b[m ${words(8)}\n`;
  if (kind < 90) return `  ${OTHER[pick(OTHER.length)]}\t${words(3)} ${OTHER[pick(OTHER.length)]}\n`;
  if (kind < 97) return `${words(30)}\n`;
  return `\r\x1b[K[${"=".repeat(pick(40))}>] ${pick(100)} %\r\x1b[K${words(5)}\n`;
}

/** A full-screen agent that draws its frame anew: cursor addressing, erasing, colours, in synchronised output. */
function frame(pick) {
  let text = "\x1b[?2026h\x1b[?25l\x1b[H";
  for (let row = 1; row <= 20; row++) {
    const words = Array.from({ length: 2 + pick(8) }, () => WORDS[pick(WORDS.length)]).join(" ");
    text += `\x1b[${row};1H\x1b[2K\x1b[3${pick(8)}m${words}\x1b[0m`;
  }
  return `${text}\x1b[?25h\x1b[?2026l`;
}

/** Writes `bytes` bytes (about) of one kind to `path`. A block of 1 MB is repeated: nobody on the way remembers that much. */
export function writeCorpus(path, kind, bytes) {
  const pick = random(kind.length);
  let block = "";
  while (block.length < 1_000_000) block += kind === "mixed" ? mixedLine(pick) : frame(pick);
  const one = Buffer.from(block);
  const times = Math.max(1, Math.round(bytes / one.length));
  writeFileSync(path, Buffer.concat(Array.from({ length: times }, () => one)));
  return one.length * times;
}
