// What sequences do on the Linux console (console_codes(4); drivers/tty/vt/vt.c of Linux 6.18), in those that do the same on any terminal. Pure. Used by console-reader.ts.
import type { Font } from "./console-charsets.ts";
import { consoleSgr } from "./console-colours.ts";

/** What `CSI` and these means is the same elsewhere; h, l, m, J, r, s and u are looked at. */
const FINALS = new Set("@ABCDEFGHKLMPXacdefghlmnqrsu`]J");
const MODES = new Set([4, 20]);
const PRIVATE_MODES = new Set([1, 5, 6, 7, 8, 9, 25, 1000, 1049, 2004]);

interface Saved {
  readonly g: readonly [string, string];
  readonly shift: 0 | 1;
}

/** What RIS designates, and saves. */
const RESET: Saved = { g: ["B", "0"], shift: 0 };

export class ConsoleSequences {
  /** How many rows the agent's screen has. */
  readonly #rows: () => number;
  /** Designations of G0 and G1, and which of them is in use. */
  #g: [string, string] = [...RESET.g];
  #shift: 0 | 1 = 0;
  #font: Font | undefined;
  #meta = false;
  #saved = RESET;
  #alternate = false;

  constructor(rows: () => number) {
    this.#rows = rows;
  }

  /** Bytes are shown by a table, control characters too, and not read as UTF-8; undefined: they are read as UTF-8. */
  get font(): Font | undefined {
    return this.#font;
  }

  /** SI or SO. */
  shift(to: 0 | 1): void {
    this.#shift = to;
    this.#font = to === 0 ? undefined : { set: this.#g[1], meta: this.#meta };
  }

  /** The set of G0 or G1. */
  designate(which: 0 | 1, set: string): void {
    if (!"B0UK".includes(set)) return;
    this.#g[which] = set;
    if (this.#font !== undefined && this.#shift === which) this.#font = { ...this.#font, set };
  }

  /** An ESC and one more character. */
  escape(final: string): string {
    if (final === "7") this.#save();
    else if (final === "8") this.#restore();
    else if (final === "c") {
      this.#g = [...RESET.g];
      this.#meta = false;
      this.shift(0);
      this.#save();
      this.#alternate = false;
    }
    return "DEHMZ78c=>".includes(final) ? `\x1b${final}` : "";
  }

  /** @param prefix `?`, `<`, `=`, `>` or nothing */
  csi(prefix: string, params: readonly number[], final: string): string {
    if (prefix === "?") return this.#private(params, final);
    return prefix === "" && FINALS.has(final) ? this.#plain(params, final) : "";
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

  #plain(params: readonly number[], final: string): string {
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
