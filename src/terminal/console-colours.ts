// Colours and attributes as the Linux console has them: eight of each, a bold one in place of a bright one. Pure. Used by console-reader.ts.

/** SGR parameters that the console knows and that mean the same elsewhere. */
const SAME = new Set([0, 3, 4, 5, 7, 22, 23, 24, 25, 27, 39, 49]);
/** Of a colour's parts, as VGA has them. */
const PALETTE_STEP = 0x55;

/**
 * SGR parameters that mean to any terminal what the given ones mean to the console: of what it knows nothing is left out, and what excludes one another there
 * comes in place of one another. Fonts (10 to 12) are not among them.
 */
export function consoleSgr(params: readonly number[]): number[] {
  const same: number[] = [];
  for (let i = 0; i < params.length; i++) {
    const param = params[i] as number;
    if (SAME.has(param) || (param >= 30 && param <= 37) || (param >= 40 && param <= 47)) same.push(param);
    else if (param === 1 || param === 2) same.push(22, param);
    else if (param === 21) same.push(4);
    else if (param >= 90 && param <= 97) same.push(22, 1, param - 60);
    else if (param >= 100 && param <= 107) same.push(param - 60);
    else if (param === 38 || param === 48) {
      const form = params[i + 1];
      const length = form === 5 ? 2 : form === 2 ? 4 : 0;
      if (length === 0 || i + length >= params.length) {
        // Neither form: the console goes on behind it.
        if (form !== undefined) i += 1;
        continue;
      }
      const rgb = form === 5 ? ofTable(params[i + 2] as number) : params.slice(i + 2, i + 5).map((part) => part & 0xff);
      same.push(...(param === 38 ? foreground(rgb) : [background(rgb)]));
      i += length;
    }
  }
  return same;
}

/** The 256 colours of xterm, as the console reckons them. */
function ofTable(index: number): readonly number[] {
  if (index < 8) return [1, 2, 4].map((bit) => ((index & bit) !== 0 ? 0xaa : 0));
  if (index < 16) return [1, 2, 4].map((bit) => ((index & bit) !== 0 ? 0xff : PALETTE_STEP));
  if (index < 232) return [36, 6, 1].map((step) => ((Math.floor((index - 16) / step) % 6) * PALETTE_STEP) / 2);
  const grey = index * 10 - 2312;
  return [grey, grey, grey];
}

function foreground(rgb: readonly number[]): number[] {
  const most = Math.max(...rgb);
  let hue = rgb.reduce((sum, part, at) => sum + (part > most / 2 ? 1 << at : 0), 0);
  let bold = most > 0xaa;
  if (hue === 7 && most <= PALETTE_STEP) {
    hue = 0;
    bold = true;
  }
  return bold ? [22, 1, 30 + hue] : [22, 30 + hue];
}

function background(rgb: readonly number[]): number {
  return 40 + rgb.reduce((sum, part, at) => sum + ((part & 0x80) !== 0 ? 1 << at : 0), 0);
}
