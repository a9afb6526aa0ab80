// The typed values of conditions: numbers, dates, IP ranges, Booleans, binary. Called by operators.ts for policy values and request values alike.

/** An integer or decimal, as in `NumericLessThan`. Undefined when it is none. */
export function readNumber(text: string): number | undefined {
  if (!/^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const W3C_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/;

/**
 * A date of the W3C profile of ISO 8601, or seconds since 1970 (IAM User Guide, date condition operators). Gives milliseconds since 1970.
 * Four digits alone are a year in the one and a second of 1970 in the other, so they are neither.
 */
export function readDate(text: string): number | undefined {
  if (/^\d{5,}(?:\.\d+)?$/.test(text) || /^\d{1,3}$/.test(text)) return Number(text) * 1000;
  const match = W3C_DATE.exec(text);
  if (!match || match[2] === undefined) return undefined;
  const [, year, month, day = "01", hour = "00", minute = "00", second = "00", fraction = "0", zone = "Z"] = match;
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}${zone}`);
  const inMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number.isNaN(whole) || Number(day) > inMonth || Number(hour) > 23 ? undefined : whole;
}

export function readBoolean(text: string): "true" | "false" | undefined {
  const lower = text.toLowerCase();
  return lower === "true" || lower === "false" ? lower : undefined;
}

/** Base64 without its padding, so that both spellings of the same bytes are equal. */
export function readBinary(text: string): string | undefined {
  const bare = text.replace(/={1,2}$/, "");
  return /^[A-Za-z0-9+/]*$/.test(bare) && bare.length % 4 !== 1 && (text.length === bare.length || text.length % 4 === 0)
    ? bare
    : undefined;
}

/** An address range: its 4 or 16 bytes, and how many leading bits count. */
export interface IpRange {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** `203.0.113.0/24`, `2001:db8::/32`, or one address. Undefined when it is none of these. */
export function readIpRange(text: string): IpRange | undefined {
  const [address = "", prefixText, ...more] = text.split("/");
  const bytes = address.includes(":") ? readIpv6(address) : readIpv4(address);
  if (!bytes || more.length > 0) return undefined;
  const widest = bytes.length * 8;
  if (prefixText === undefined) return { bytes, prefix: widest };
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > widest) return undefined;
  return { bytes, prefix: Number(prefixText) };
}

/** Whether `address` (or every address of that range) lies in `range`. IPv4 and IPv6 never meet. */
export function inRange(range: IpRange, address: IpRange): boolean {
  if (range.bytes.length !== address.bytes.length || address.prefix < range.prefix) return false;
  return range.bytes.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, range.prefix - index * 8));
    return ((byte ^ (address.bytes[index] ?? 0)) & (0xff00 >> bits) & 0xff) === 0;
  });
}

function readIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

/** RFC 4291, section 2.2: eight groups, one `::`, the last two groups perhaps as IPv4. */
function readIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : readGroups(half)));
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
}

function readGroups(text: string): number[] | undefined {
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (group.includes(".") && index === groups.length - 1) {
      const last = readIpv4(group);
      if (!last) return undefined;
      bytes.push(...last);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}
