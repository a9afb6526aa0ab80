// Streams that an agent might write, from a seed: valid, broken and hostile ones, cut anywhere, with pauses, resizes and overlays between. Used by fuzz.ts.
import type { Size } from "../../src/terminal/pty.ts";

/** What happens to a terminal, in order. */
export type Step =
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  /** The output pauses: the bar may be painted. */
  | { readonly kind: "pause" }
  | { readonly kind: "resize"; readonly size: Size }
  /** An overlay covers the screen while what follows is held, until `uncover`. */
  | { readonly kind: "cover" }
  | { readonly kind: "uncover" };

export interface Stream {
  readonly kind: "valid" | "broken" | "hostile";
  readonly size: Size;
  /** The human's terminal is xterm.js as it is, which does some things as no other does. */
  readonly xtermJs: boolean;
  /** It brings back with DECRC all that the VT510 manual says, as xterm and VTE do. */
  readonly manual: boolean;
  /** The shadow comes after that many steps, as it does when it is loaded. */
  readonly shadowAfter: number;
  readonly steps: readonly Step[];
}

/** A small generator of random numbers in 0..1 (mulberry32): the same seed gives the same stream on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words = (text: string): readonly string[] => text.split(" ").map((word) => word.replaceAll("^", "\x1b"));
const NUMBERS = words("1 1 2 3 4 5 7 8 10 11 12 13 20 40 99 999").concat("", "0");
const SGR = words(
  "^[m ^[0m ^[1m ^[2;3m ^[4m ^[4:3m ^[4:5m ^[21m ^[24m ^[5m ^[7m ^[8m ^[9m ^[53m ^[31m ^[97;104m ^[38;5;99m ^[38;5;1m ^[48;2;1;2;3m ^[38:2::9:8:7m ^[58:5:3m ^[58:2::1:2:3m ^[22;23;27m ^[39;49m",
);
const CURSOR = words("^7 ^8 ^[s ^[u ^D ^E ^M ^[?1048h ^[?1048l");
const MODES = words(
  "^[?7l ^[?7h ^[4h ^[4l ^[?6h ^[?6l ^[?25l ^[?25h ^[?1h ^[?1l ^= ^> ^[20h ^[20l ^[?45h ^[?45l ^[?2004h ^[?1000h ^[?1006h",
);
/** In pieces that leave nothing behind: xterm.js saves with the cursor only the set in use, other terminals all. */
const CHARSETS = words("^(0lqk^(B ^)0\x0exqx\x0f^)B ^*0^nlq\x0f^*B ^+A^o#\x0f^+B");
const SCREENS = words("^[?1049h ^[?1049l ^[?47h ^[?47l ^[?1047h ^[?1047l ^c ^[!p");
const STRINGS = words("^]0;t\x07 ^]2;u^\\ ^P1$qm^\\ ^P$qr^\\ ^_Gx^\\ ^^pm^\\ ^[?2026h ^[?2026l ^]133;A\x07");
const QUERIES = words('^[6n ^[5n ^[c ^[>c ^[?6$p ^[?7$p ^[4$p ^P$qr^\\ ^P$qm^\\ ^P$q"q^\\ ^[?25$p ^[?u');
const RARE = words(
  "^[1\"q ^[0\"q ^[?J ^[?K ^[?2J ^[3g ^H ^[2I ^[Z ^[5b ^[2b ^[3@ ^[2'} ^[2'~ ^[1\x20@ ^[2\x20A ^[1\x20q ^[>4;2m ^[>1u ^[<u",
);
/** Only from this seed on, so that those before show what they once did. */
export const WIDER_FROM = 1_000_001;
/** What a seed has from then on: DECALN, DECSED, DECSEL, TBC, XTSAVE, XTRESTORE. */
const WIDER = words(
  '^#8 ^[?0J ^[?1J ^[?2J ^[?3J ^[?J ^[?0K ^[?1K ^[?2K ^[1"qp^[?K ^[1"qp^[0"q^[?1K ^[0g ^[g ^[2g ^[3g ^[5g ^H\t ^[?6s ^[?6r ^[?7s ^[?7r ^[?25;6s ^[?25;6;7r ^[?69s ^[?69r ^[?1049s ^[?1049r ^[?47s ^[?47r ^[?2004;1000s ^[?2004;1000r ^[?1;1048r ^[?45r',
);
/** The same of hostile ones: what only some terminals know. */
const WIDER_HOSTILE = words(
  '^[61"p ^[64;1"p ^\x20G ^\x20F ^#3 ^#6 ^#5 ^[1$} ^[2$~ ^[0$} ^[20*| ^P1$t9;9;1;@;@;A;0;2;@;B0@^\\ ^P2$t1/9^\\ ^P1$t',
);
const BROKEN = words(
  "^ ^[ ^[999 ^[5\n ^[1;2\x18 ^[1<2m ^[1\x20 ^] ^]0; ^P ^P1;2 ^_ ^X ^^ ^( ^[?; ^[: ^[4: ^[;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;1H \x18 \x1a \x9c \x9b \x07 ^\\ \x7f",
);
const HOSTILE = words(
  "^[?2l ^[?3h ^[?3l ^[99999;1H ^[1;99999r ^[r ^[0;0r ^[?69h ^[2;9s ^[1;1;99;99$z ^[65;1;1;99;99$x ^[?1047;6h ^[?6;1049l ^[999B ^[999E ^[999e ^[999d ^[999`a ^[99T ^[99S ^[99L ^[2J ^[J ^[3J ^]7777;x;exit;0\x07 ^[8;99;99t ^[11t ^[?1049;1049h",
);
const WIDE = ["漢字", "é", "🙂", "ｗ", "漢"];
/** Not in broken streams: xterm.js ends a string of APC, PM or SOS at the first of them, and lets it join what was printed before the string. */
const JOINED = ["e\u0301", "\u{1f1e9}\u{1f1ea}", "👩‍👩‍👧", "x\u0308\u0332"];

/** Makes the stream of a seed. */
export function streamOf(seed: number): Stream {
  const next = random(seed);
  const below = (n: number): number => Math.floor(next() * n);
  const one = (list: readonly string[]): string => list[below(list.length)] ?? "";
  const kind = (["valid", "valid", "broken", "hostile"] as const)[below(4)] ?? "valid";
  const csi = (finals: string): string =>
    `\x1b[${Array.from({ length: below(3) }, () => one(NUMBERS)).join(";")}${finals[below(finals.length)]}`;
  const text = (): string => Array.from({ length: 1 + below(30) }, () => String.fromCharCode(0x20 + below(95))).join("");
  const link = (): string => `\x1b]8;${one(["", "id=a"])};http://x\x1b\\${text()}${one(SGR)}${text()}\x1b]8;;\x07`;
  const plain = (): string => {
    const dice = below(40);
    if (dice < 9) return text();
    if (dice < 14) return one(["\r\n", "\n", "\r", "\t", "\b", "\r\n\r\n\r\n", "\v"]);
    if (dice < 17) return one(kind === "valid" ? WIDE.concat(JOINED) : WIDE);
    if (dice < 25) return csi("ABCDEFGHfdaeLMPSTXJK@`IZ");
    if (dice < 27) return csi("r");
    if (dice < 31) return one(SGR);
    if (dice < 33) return one(CURSOR);
    if (dice < 35) return one(MODES);
    if (dice < 36) return one(CHARSETS);
    if (dice < 37) return one(SCREENS);
    if (dice < 38) return below(4) === 0 ? link() : one(STRINGS);
    if (dice < 39) return one(QUERIES);
    return one(RARE);
  };
  const noise = (): string => Array.from({ length: 1 + below(8) }, () => String.fromCharCode(below(next() < 0.8 ? 0xa0 : 0x300))).join("");
  const token = (): Buffer => {
    const dice = below(10);
    if (seed >= WIDER_FROM && dice === 9 && next() < 0.5)
      return Buffer.from(one(kind === "hostile" && next() < 0.3 ? WIDER_HOSTILE : WIDER));
    if (kind !== "valid" && dice < 2) return Buffer.from(one(BROKEN), "utf8");
    if (kind === "hostile" && dice < 5) return Buffer.from(one(HOSTILE), "utf8");
    if (kind === "hostile" && dice < 6) return Buffer.from(noise(), "utf8");
    return Buffer.from(plain(), "utf8");
  };

  const size = (): Size => ({ cols: next() < 0.1 ? 2 + below(6) : 10 + below(50), rows: next() < 0.1 ? 1 + below(4) : 4 + below(16) });
  const start = size();
  const steps: Step[] = [];
  const resizes = next() < 0.3;
  const overlays = next() < 0.2;
  for (let part = 1 + below(4); part > 0; part--) {
    const bytes = Buffer.concat(Array.from({ length: below(20) }, token));
    const longest = Number(one(["1", "4", "40", "400"]));
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + below(longest);
      steps.push({ kind: "write", bytes: bytes.subarray(at, end) });
      at = end;
      if (next() < 0.3) steps.push({ kind: "pause" });
      if (overlays && next() < 0.1) steps.push({ kind: next() < 0.5 ? "cover" : "uncover" });
    }
    if (resizes && next() < 0.7) steps.push({ kind: "resize", size: size() });
  }
  const [xtermJs, manual] = [seed % 4 === 0, seed % 4 === 1];
  return {
    kind,
    xtermJs,
    manual,
    size: { cols: start.cols, rows: Math.max(3, start.rows) },
    shadowAfter: next() < 0.2 ? below(10) : 0,
    steps,
  };
}
