// Reads what the human's terminal sends, and finds the kill key in it, in every form, split anywhere. Pure. Used by screen.ts.
import { type KillKey, matchCsi } from "./kill-key.ts";

/** `reply`: a terminal's answer or event, no key. `paste`: part of a bracketed paste. `mouse`: a report with the button at column and row, 1-based. */
export type TapEvent =
  | {
      readonly kind: "key" | "reply" | "paste";
      readonly bytes: Uint8Array;
      readonly csi?: { readonly body: string; readonly final: string };
    }
  | { readonly kind: "mouse"; readonly bytes: Uint8Array; readonly row: number }
  | { readonly kind: "kill"; readonly bytes: Uint8Array; readonly repeat: boolean };

/** After this long, a lone ESC that nothing followed was the Escape key. */
export const ESCAPE_WAIT_MS = 10;
/** After this long, any other beginning of a sequence is given out as it is: Alt-[ and the like. */
export const SEQUENCE_WAIT_MS = 50;
/** A paste that pauses for so long has lost its end: the kill key must work again. */
export const PASTE_WAIT_MS = 2000;

const ESC = 0x1b;
const LONGEST = 4096;
const PASTE_END = "\x1b[201~";
const decoder = new TextDecoder("latin1");
const NOTHING = new Uint8Array(0);

export class KeyTap {
  readonly #key: KillKey;
  #held: Uint8Array = NOTHING;
  /** How much of the end of a paste has been seen; -1 outside a paste. */
  #paste = -1;
  /** The agent has asked for mouse positions in UTF-8 (mode 1005): up to two bytes each. */
  utf8Mouse = false;

  constructor(key: KillKey) {
    this.#key = key;
  }

  /** How long to wait for more before `flush`, in milliseconds; undefined when nothing waits. */
  get wait(): number | undefined {
    if (this.#held.length > 0) return this.#held.length === 1 ? ESCAPE_WAIT_MS : SEQUENCE_WAIT_MS;
    return this.#paste >= 0 ? PASTE_WAIT_MS : undefined;
  }

  /** One byte that begins no sequence and belongs to none: what is typed most. */
  isOneKey(chunk: Uint8Array): boolean {
    return chunk.length === 1 && chunk[0] !== ESC && chunk[0] !== this.#key.byte && this.wait === undefined;
  }

  /** Nothing came for `wait`: what was held is what it looks like. */
  flush(): TapEvent[] {
    const bytes = this.#held;
    this.#held = NOTHING;
    this.#paste = -1;
    return bytes.length === 0 ? [] : [{ kind: "key", bytes }];
  }

  push(chunk: Uint8Array): TapEvent[] {
    const bytes = join(this.#held, chunk);
    this.#held = NOTHING;
    const events: TapEvent[] = [];
    let run = 0;
    let i = 0;
    const text = (end: number): void => {
      if (end > run) events.push({ kind: "key", bytes: bytes.subarray(run, end) });
    };
    while (i < bytes.length) {
      if (this.#paste >= 0) {
        const end = this.#pasted(bytes, i);
        events.push({ kind: "paste", bytes: bytes.subarray(i, end) });
        i = end;
        run = i;
        continue;
      }
      const byte = bytes[i] as number;
      if (byte === this.#key.byte) {
        text(i);
        events.push({ kind: "kill", bytes: bytes.subarray(i, i + 1), repeat: false });
        run = ++i;
        continue;
      }
      if (byte !== ESC) {
        i++;
        continue;
      }
      text(i);
      const end = endOfSequence(bytes, i, this.utf8Mouse);
      if (end === undefined) {
        if (bytes.length - i <= LONGEST) {
          this.#held = bytes.slice(i);
          return events;
        }
        run = i++;
        continue;
      }
      const event = this.#classify(bytes.subarray(i, end));
      if (event !== undefined) events.push(event);
      i = end;
      run = end;
    }
    text(bytes.length);
    return events;
  }

  /** Where the paste ends, or the bytes do. */
  #pasted(bytes: Uint8Array, from: number): number {
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte === PASTE_END.charCodeAt(this.#paste)) this.#paste++;
      else this.#paste = byte === ESC ? 1 : 0;
      if (this.#paste === PASTE_END.length) {
        this.#paste = -1;
        return i + 1;
      }
    }
    return bytes.length;
  }

  /** One whole sequence. Undefined: it is not for the agent. */
  #classify(bytes: Uint8Array): TapEvent | undefined {
    const sequence = decoder.decode(bytes.subarray(1));
    const key = this.#key;
    if (key.functionKey?.legacy.includes(sequence)) return { kind: "kill", bytes, repeat: false };
    const introducer = sequence.charAt(0);
    if (introducer !== "[") return { kind: "]P_^X".includes(introducer) && sequence.length > 1 ? "reply" : "key", bytes };
    if (sequence.startsWith("[M") && bytes.length >= 6) {
      const row = this.utf8Mouse ? ([...new TextDecoder().decode(bytes)].at(-1)?.codePointAt(0) ?? 32) : (bytes[5] as number);
      return { kind: "mouse", bytes, row: row - 32 };
    }
    const body = sequence.slice(1, -1);
    const final = sequence.slice(-1);
    if (body === "200" && final === "~") {
      this.#paste = 0;
      return { kind: "paste", bytes };
    }
    if (body.startsWith("<") && (final === "M" || final === "m")) return { kind: "mouse", bytes, row: Number(body.split(";")[2] ?? 0) };
    if (final === "M" && body.split(";").length === 3) return { kind: "mouse", bytes, row: Number(body.split(";")[2]) };
    const event = matchCsi(key, body, final);
    if (event === "release") return undefined;
    if (event === "press") return { kind: "kill", bytes, repeat: /^[^;]*;\d*:2/.test(body) };
    const csi = { body, final };
    const isReply = /[cRntIO]/.test(final) || body.startsWith("?") || body.startsWith(">") || body.includes("$");
    return { kind: isReply ? "reply" : "key", bytes, csi };
  }
}

/** Where the sequence that starts at `from` (an ESC) ends; undefined when it is not complete. */
function endOfSequence(bytes: Uint8Array, from: number, utf8Mouse: boolean): number | undefined {
  const second = bytes[from + 1];
  if (second === undefined) return undefined;
  switch (second) {
    case ESC:
      // Two Escapes, or Alt with a sequence: the first stands alone.
      return from + 1;
    case 0x5b:
      return endOfCsi(bytes, from, utf8Mouse);
    case 0x4f: // SS3: one more, perhaps after a modifier digit
      for (let i = from + 2; i < bytes.length; i++) {
        const byte = bytes[i] as number;
        if (byte < 0x30 || byte > 0x39) return byte < 0x20 || byte === 0x7f ? i : i + 1;
      }
      return undefined;
    case 0x5d:
    case 0x50:
    case 0x5f:
    case 0x5e:
    case 0x58:
      for (let i = from + 2; i < bytes.length; i++) {
        if (bytes[i] === 0x07) return i + 1;
        if (bytes[i] !== ESC) continue;
        if (i + 1 === bytes.length) return undefined;
        return bytes[i + 1] === 0x5c ? i + 2 : i;
      }
      return undefined;
    default: {
      // ESC and a character: Alt-x, in UTF-8 up to four bytes.
      const length = second >= 0xf0 ? 4 : second >= 0xe0 ? 3 : second >= 0xc0 ? 2 : 1;
      return from + 1 + length <= bytes.length ? from + 1 + length : undefined;
    }
  }
}

function endOfCsi(bytes: Uint8Array, from: number, utf8Mouse: boolean): number | undefined {
  const third = bytes[from + 2];
  // X10 mouse: three bytes follow that may be anything. The Linux console's F1 to F5: one letter follows.
  if (third === 0x4d) {
    let end = from + 3;
    // A first byte of two, in UTF-8: 110xxxxx.
    for (let values = 0; values < 3; values++) end += utf8Mouse && ((bytes[end] ?? 0) & 0xe0) === 0xc0 ? 2 : 1;
    return end <= bytes.length ? end : undefined;
  }
  if (third === 0x5b) return from + 4 <= bytes.length ? from + 4 : undefined;
  for (let i = from + 2; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x40 && byte <= 0x7e) return i + 1;
    if (byte < 0x20 || byte > 0x7e) return i;
  }
  return undefined;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
