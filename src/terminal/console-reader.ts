// Reads an agent's output as the Linux console would (console_codes(4); drivers/tty/vt/vt.c of Linux 6.18), and says it in sequences that mean the same to any
// terminal: so that what is known of others holds for it too. Here is which bytes belong together. Pure. Used by compositor.ts where TERM says that the terminal is one.
import { consoleText } from "./console-charsets.ts";
import { ConsoleSequences } from "./console-sequences.ts";
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

export class ConsoleReader {
  readonly #sequences: ConsoleSequences;
  #state: State = "ground";
  /** What of a string came. */
  #text = "";
  /** What of a CSI came: `?`, `<`, `=` or `>`, and its parameters, of which the last one may have more digits. */
  #prefix = "";
  #params: number[] = [];
  /** Of a character. */
  #half: Uint8Array = new Uint8Array(0);

  /** @param rows how many the agent's screen has */
  constructor(rows: () => number) {
    this.#sequences = new ConsoleSequences(rows);
  }

  /** The same output. What a chunk leaves incomplete comes with a later one. */
  read(chunk: Uint8Array): Uint8Array {
    const sequences = this.#sequences;
    const bytes = this.#half.length === 0 ? chunk : Buffer.concat([this.#half, chunk]);
    this.#half = new Uint8Array(0);
    let out = "";
    for (let at = 0; at < bytes.length; ) {
      const byte = bytes[at] as number;
      if (this.#state !== "ground") {
        out += this.#inSequence(byte);
        at++;
      } else if (byte === ESC || (byte === CSI && sequences.font !== undefined)) {
        this.#begin(byte === ESC ? "escape" : "csi");
        at++;
      } else if (sequences.font !== undefined) {
        out += byte < 0x20 && ALWAYS.has(byte) ? this.#control(byte) : consoleText(sequences.font, byte);
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
    if (code === CSI) return this.#begin("csi");
    return code < 0xa0 ? REPLACEMENT : character;
  }

  #begin(state: "escape" | "csi"): string {
    this.#state = state;
    this.#text = "";
    this.#prefix = "";
    this.#params = [0];
    return "";
  }

  /** It acts at once, also inside a sequence. */
  #control(byte: number): string {
    if (byte === SO || byte === SI) this.#sequences.shift(byte === SO ? 1 : 0);
    return ACTS.has(byte) ? String.fromCharCode(byte) : "";
  }

  #inSequence(byte: number): string {
    const isString = this.#state === "osc" || this.#state === "string";
    if (byte === ESC || byte === CSI) return this.#begin(byte === ESC ? "escape" : "csi");
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
          this.#prefix = char;
          this.#state = "params";
        } else return this.#param(byte, char);
        return "";
      case "params":
        return this.#param(byte, char);
      case "ignore":
        if (byte >= 0x20 && byte <= 0x3f) this.#state = "ignore";
        return "";
      case "hash":
        return char === "8" ? "\x1b#8" : "";
      case "g0":
      case "g1":
        this.#sequences.designate(state === "g0" ? 0 : 1, char);
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
    return this.#sequences.escape(char);
  }

  #param(byte: number, char: string): string {
    const params = this.#params;
    const last = params.length - 1;
    if (byte >= 0x30 && byte <= 0x39) params[last] = Math.min(BIGGEST_PARAM, 10 * (params[last] as number) + byte - 0x30);
    else if (char === ";") {
      // One too many says that it is void.
      if (params.length <= MOST_PARAMS) params.push(0);
    } else if (byte >= 0x20 && byte <= 0x3f) {
      this.#state = "ignore";
      return "";
    } else return params.length > MOST_PARAMS ? "" : this.#sequences.csi(this.#prefix, params, char);
    this.#state = "params";
    return "";
  }
}
