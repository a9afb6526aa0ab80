// Reads an agent's output as the Linux console would (console_codes(4); drivers/tty/vt/vt.c of Linux 6.18), and says it in sequences that mean the same to any
// terminal: so that what is known of others holds for it too. PURE. Used by compositor.ts where TERM says that the terminal is one.
import { consoleText, type Font } from "./console-charsets.ts";
import { consoleSgr } from "./console-colours.ts";
import { characterAt, isCharacter } from "./utf8.ts";

const BEL = 0x07;
const LF = 0x0a;
const VT = 0x0b;
const FF = 0x0c;
const SO = 0x0e;
const SI = 0x0f;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const CSI = 0x9b;
/** Control characters that act. */
const ACTS = new Set([BEL, 0x08, 0x09, LF, VT, FF, 0x0d]);
/** Those that act although control characters are to be shown. */
const ALWAYS = new Set([0, 0x08, LF, FF, 0x0d, SO, SI, ESC]);
/** What `CSI` and these means is the same elsewhere; h, l, m, J, r, s and u are looked at. */
const FINALS = new Set("@ABCDEFGHKLMPXacdefghlmnqrsu`]J");
const MODES = new Set([4, 20]);
const PRIVATE_MODES = new Set([1, 5, 6, 7, 8, 9, 25, 1000, 1049, 2004]);
/** Most parameters that it takes. */
const MOST_PARAMS = 16;
const BIGGEST_PARAM = 99_999;
/** Ours are read from an OSC. */
const MARKER = /^7777;/;
const LONGEST_OSC = 4096;
const PALETTE_DIGITS = 7;
const REPLACEMENT = "\ufffd";

type State =
  | "ground"
  | "escape"
  | "csi"
  | "params"
  | "ignore"
  | "function"
  | "hash"
  | "percent"
  | "g0"
  | "g1"
  | "nonstandard"
  | "palette"
  | "osc"
  | "string";

interface Saved {
  readonly g: readonly [string, string];
  readonly shift: 0 | 1;
}

const RESET: Saved = { g: ["B", "0"], shift: 0 };

export class ConsoleReader {
  /** How many rows the agent's screen has. */
  readonly #rows: () => number;
  #state: State = "ground";
  /** What of a sequence or string came, without its introducer; half a character. */
  #text = "";
  #half: Uint8Array = new Uint8Array(0);
  /** Designations of G0 and G1, and which of them is in use. */
  #g: [string, string] = [...RESET.g];
  #shift: 0 | 1 = 0;
  /** Bytes are shown by a table, control characters too, and not read as UTF-8: undefined: they are read as UTF-8. */
  #font: Font | undefined;
  #meta = false;
  #saved = RESET;
  #alternate = false;

  constructor(rows: () => number) {
    this.#rows = rows;
  }

  /** The same output. What a chunk leaves incomplete comes with a later one. */
  read(chunk: Uint8Array): Uint8Array {
    const bytes = this.#half.length === 0 ? chunk : Buffer.concat([this.#half, chunk]);
    this.#half = new Uint8Array(0);
    let out = "";
    for (let at = 0; at < bytes.length; ) {
      const byte = bytes[at] as number;
      if (this.#state !== "ground") {
        out += this.#inSequence(byte);
        at++;
      } else if (byte === ESC || (byte === CSI && this.#font !== undefined)) {
        this.#state = byte === ESC ? "escape" : "csi";
        this.#text = "";
        at++;
      } else if (this.#font !== undefined) {
        out += byte < 0x20 && ALWAYS.has(byte) ? this.#control(byte) : consoleText(this.#font, byte);
        at++;
      } else if (byte < 0x20 || byte === 0x7f) {
        out += this.#control(byte);
        at++;
      } else if (byte < 0x80) {
        let end = at + 1;
        while (end < bytes.length && (bytes[end] as number) >= 0x20 && (bytes[end] as number) < 0x7f) end++;
        out += Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString("latin1");
        at = end;
      } else {
        const width = characterAt(bytes, at);
        if (at + width > bytes.length) {
          this.#half = Buffer.from(bytes.subarray(at));
          break;
        }
        out += this.#character(bytes, at, width);
        at += width;
      }
    }
    return Buffer.from(out);
  }

  #character(bytes: Uint8Array, at: number, width: number): string {
    if (!isCharacter(bytes, at, width)) return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? "" : REPLACEMENT;
    const character = Buffer.from(bytes.buffer, bytes.byteOffset + at, width).toString();
    const code = character.codePointAt(0) as number;
    if (code === CSI) {
      this.#state = "csi";
      this.#text = "";
      return "";
    }
    return code < 0xa0 ? REPLACEMENT : character;
  }

  /** It acts at once, also inside a sequence. */
  #control(byte: number): string {
    if (byte === SO || byte === SI) this.#lock(byte === SO ? 1 : 0);
    return ACTS.has(byte) ? String.fromCharCode(byte) : "";
  }

  #lock(shift: 0 | 1): void {
    this.#shift = shift;
    this.#font = shift === 0 ? undefined : { set: this.#g[1], meta: this.#meta };
  }

  #inSequence(byte: number): string {
    const isString = this.#state === "osc" || this.#state === "string";
    if (byte === ESC) {
      this.#state = "escape";
      this.#text = "";
      return "";
    }
    if (byte === CSI) {
      this.#state = "csi";
      this.#text = "";
      return "";
    }
    if (byte === CAN || byte === SUB) {
      this.#state = "ground";
      return "";
    }
    if (byte === BEL && isString) return this.#endOfString();
    if (byte === 0 || ACTS.has(byte) || byte === SO || byte === SI)
      return isString && byte >= 0x08 && byte <= 0x0d ? "" : this.#control(byte);
    if (isString) {
      if (this.#text.length <= LONGEST_OSC) this.#text += String.fromCharCode(byte);
      return "";
    }
    if (byte === 0x7f) return "";
    return this.#next(byte, String.fromCharCode(byte));
  }

  #endOfString(): string {
    const marker = this.#state === "osc" && MARKER.test(this.#text) && this.#text.length <= LONGEST_OSC;
    this.#state = "ground";
    return marker ? `\x1b]${this.#text}\x07` : "";
  }

  #next(byte: number, char: string): string {
    const state = this.#state;
    this.#state = "ground";
    switch (state) {
      case "escape":
        return this.#escape(char);
      case "csi":
        if (char === "[") this.#state = "function";
        else if ("?<=>".includes(char)) {
          this.#text = char;
          this.#state = "params";
        } else return this.#params(byte, char);
        return "";
      case "params":
        return this.#params(byte, char);
      case "ignore":
        if (byte >= 0x20 && byte <= 0x3f) this.#state = "ignore";
        return "";
      case "hash":
        return char === "8" ? "\x1b#8" : "";
      case "g0":
      case "g1":
        this.#designate(state === "g0" ? 0 : 1, char);
        return "";
      case "nonstandard":
        if (char === "R") return "\x1b]R";
        if (char === "P") this.#state = "palette";
        else if (char >= "0" && char <= "9") {
          this.#state = "osc";
          this.#text = char;
        }
        return "";
      case "palette":
        if (!/[\da-f]/i.test(char)) return "";
        this.#text += char;
        if (this.#text.length === PALETTE_DIGITS) return `\x1b]P${this.#text}`;
        this.#state = "palette";
        return "";
      default:
        return "";
    }
  }

  #escape(char: string): string {
    const next: Partial<Record<string, State>> = {
      "[": "csi",
      "]": "nonstandard",
      _: "string",
      "^": "string",
      P: "string",
      "#": "hash",
      "%": "percent",
      "(": "g0",
      ")": "g1",
    };
    const state = next[char];
    if (state !== undefined) {
      this.#state = state;
      return "";
    }
    if (char === "7") this.#save();
    else if (char === "8") this.#restore();
    else if (char === "c") {
      this.#g = [...RESET.g];
      this.#meta = false;
      this.#lock(0);
      this.#save();
      this.#alternate = false;
    }
    return "DEHMZ78c=>".includes(char) ? `\x1b${char}` : "";
  }

  #params(byte: number, char: string): string {
    if ((byte >= 0x30 && byte <= 0x39) || char === ";") {
      this.#text += char;
      this.#state = "params";
      return "";
    }
    if (byte >= 0x20 && byte <= 0x3f) {
      this.#state = "ignore";
      return "";
    }
    const prefix = "?<=>".includes(this.#text.charAt(0)) ? this.#text.charAt(0) : "";
    const numbers = this.#text
      .slice(prefix.length)
      .split(";")
      .map((digits) => Math.min(BIGGEST_PARAM, Number(digits)));
    if (numbers.length > MOST_PARAMS) return "";
    if (prefix === "?") return this.#private(numbers, char);
    return prefix === "" && FINALS.has(char) ? this.#csi(numbers, char) : "";
  }

  #private(params: readonly number[], final: string): string {
    if (final === "c" || final === "n" || final === "m") return `\x1b[?${params.join(";")}${final}`;
    if (final !== "h" && final !== "l") return "";
    const on = final === "h";
    const known = params.filter((mode) => {
      if (mode !== 1049) return PRIVATE_MODES.has(mode);
      const changes = this.#alternate !== on;
      this.#alternate = on;
      if (changes && on) this.#save();
      else if (changes) this.#restore();
      return changes;
    });
    return known.map((mode) => `\x1b[?${mode}${final}`).join("");
  }

  #csi(params: readonly number[], final: string): string {
    const [first = 0, second = 0] = params;
    const same = `\x1b[${params.map((param) => (param === 0 ? "" : param)).join(";")}${final}`;
    switch (final) {
      case "m":
        return this.#sgr(params);
      case "h":
      case "l":
        for (const mode of params) if (mode === 3) this.#font = final === "h" ? { set: this.#g[this.#shift], meta: this.#meta } : undefined;
        return params
          .filter((mode) => MODES.has(mode))
          .map((mode) => `\x1b[${mode}${final}`)
          .join("");
      case "J":
        if (first > 3) return "";
        return first === 3 ? "\x1b[3J\x1b[2J" : `\x1b[${first === 0 ? "" : first}J`;
      case "K":
        return first > 2 ? "" : same;
      case "c":
        return first === 0 ? "\x1b[c" : "";
      case "g":
        return first === 0 || first === 3 ? same : "";
      case "r": {
        const bottom = second || this.#rows();
        return Math.max(1, first) < bottom && bottom <= this.#rows() ? `\x1b[${Math.max(1, first)};${bottom}r` : "";
      }
      case "s":
        this.#save();
        return "\x1b[s";
      case "u":
        this.#restore();
        return "\x1b[u";
      default:
        return same;
    }
  }

  #sgr(params: readonly number[]): string {
    for (const param of params) {
      if (param < 10 || param > 12) continue;
      this.#meta = param === 12;
      this.#font = param === 10 ? undefined : { set: "U", meta: this.#meta };
    }
    const same = consoleSgr(params);
    return same.length === 0 ? "" : `\x1b[${same.join(";")}m`;
  }

  #designate(which: 0 | 1, set: string): void {
    if (!"B0UK".includes(set)) return;
    this.#g[which] = set;
    if (this.#font !== undefined && this.#shift === which) this.#font = { ...this.#font, set };
  }

  #save(): void {
    this.#saved = { g: [...this.#g], shift: this.#shift };
  }

  /** Which table, not whether there is one. */
  #restore(): void {
    this.#g = [...this.#saved.g];
    this.#shift = this.#saved.shift;
    if (this.#font !== undefined) this.#font = { ...this.#font, set: this.#g[this.#shift] };
  }
}
