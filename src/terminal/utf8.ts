// Where characters of UTF-8 begin and end in bytes that may hold anything. Pure. Used by scanner.ts and last-printed.ts.

export const LONGEST_UTF8 = 4;

/** How many bytes a UTF-8 lead byte announces; 1 for any other byte. */
function announced(lead: number): number {
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

/** The length of the UTF-8 character at `at`, which may be more than there is; 1 for a byte that starts none. */
export function characterAt(bytes: Uint8Array, at: number): number {
  const length = announced(bytes[at] as number);
  for (let k = at + 1; k < Math.min(at + length, bytes.length); k++) {
    if (((bytes[k] as number) & 0xc0) !== 0x80) return 1;
  }
  return length;
}

/** Whether what `characterAt` found is one: no stray byte, nothing overlong, no surrogate, nor a byte order mark, which are nothing to terminals. */
export function isCharacter(bytes: Uint8Array, at: number, width: number): boolean {
  if (width === 1) return false;
  const [lead, second] = [bytes[at], bytes[at + 1] as number];
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second < 0xa0;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second < 0x90;
  return !(lead === 0xef && second === 0xbb && bytes[at + 2] === 0xbf);
}

/** Where the UTF-8 character starts that the end of `bytes` cuts, or their length. */
export function incompleteCharacter(bytes: Uint8Array): number {
  const n = bytes.length;
  for (let back = 1; back <= Math.min(3, n); back++) {
    const byte = bytes[n - back] as number;
    if (byte >= 0xc0) return announced(byte) > back ? n - back : n;
    if (byte < 0x80) return n;
  }
  return n;
}
