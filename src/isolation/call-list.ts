// System calls as a file that the program of prelude.ts makes one after the other, each told what may fail and what to say where it does. Pure.
import { AgentRunError } from "../core/error.ts";
import type { Arch } from "./machine-code.ts";

/** The descriptor that the program finds the list at: 3, 4 and 7 are the launcher's (core/command.ts, terminal/tie.ts), 8 and 9 bwrap's. */
export const LIST_FD = 6;
/** Where a second one waits, that is for the program inside. */
export const NEXT_LIST_FD = 5;
/** Where the program maps it, so that what points into the list is right as it is written. Clear of the program (4 MiB) and of all that the kernel places. */
export const LIST_AT = 0x1000_0000;
export const LONGEST_LIST = 0x100_0000;

/** What a call is in the list: eight bytes each, little-endian, in this order. */
export const FIELDS = { number: 0, allowed: 8, skips: 16, says: 24, saysLength: 32, args: 40, uses: 80 } as const;
export const CALL_SIZE = 96;
const MOST_ARGS = 5;

/** asm/unistd_64.h and asm-generic/unistd.h. From 428 on they are the same everywhere (Linux 5.1). */
const NUMBERS = {
  bind: { x64: 49, arm64: 200 },
  close: { x64: 3, arm64: 57 },
  dup3: { x64: 292, arm64: 24 },
  ioctl: { x64: 16, arm64: 29 },
  keyctl: { x64: 250, arm64: 219 },
  landlock_create_ruleset: { x64: 444, arm64: 444 },
  landlock_restrict_self: { x64: 446, arm64: 446 },
  listen: { x64: 50, arm64: 201 },
  mkdirat: { x64: 258, arm64: 34 },
  mknodat: { x64: 259, arm64: 33 },
  mount: { x64: 165, arm64: 40 },
  mount_setattr: { x64: 442, arm64: 442 },
  move_mount: { x64: 429, arm64: 429 },
  open_tree: { x64: 428, arm64: 428 },
  openat: { x64: 257, arm64: 56 },
  readlinkat: { x64: 267, arm64: 78 },
  sendmsg: { x64: 46, arm64: 211 },
  setsockopt: { x64: 54, arm64: 208 },
  socket: { x64: 41, arm64: 198 },
  symlinkat: { x64: 266, arm64: 36 },
  unshare: { x64: 272, arm64: 97 },
  write: { x64: 1, arm64: 64 },
} as const;

/** A number; or what it points to: a text (a NUL is put behind it), bytes, or a structure of words of 64 bits. */
type Argument = number | string | Uint8Array | readonly Argument[];

export interface Call {
  readonly name: keyof typeof NUMBERS;
  readonly args: readonly Argument[];
  /** What stands on stderr before the errno where it is refused. */
  readonly says: string;
  /** The errno that is no failure, or any: the `skips` calls behind it are left out then. */
  readonly allowed?: number | "any";
  readonly skips?: number;
  /** Its first argument is what the last call with `keeps` gave: a descriptor. */
  readonly takes?: true;
  readonly keeps?: true;
}

/**
 * The whole file. Two arguments that are the same array of bytes are the same place, so one call can read what another wrote.
 * @throws AgentRunError `isolation` where it would be longer than `LONGEST_LIST`
 */
export function callList(arch: Arch, calls: readonly Call[]): Uint8Array {
  // Some five hundred calls are put together by code that no launch runs twice: each call of a function, and each object, counts.
  const rows = new Int32Array((CALL_SIZE * (calls.length + 1)) / 4);
  const places = new Map<Exclude<Argument, number>, number>();
  const sizes = new Map<string, number>();
  let end = rows.byteLength;
  const sizeOf = (text: string): number => {
    const known = sizes.get(text) ?? Buffer.byteLength(text);
    sizes.set(text, known);
    return known;
  };
  const placeOf = (value: Exclude<Argument, number>): number => {
    const known = places.get(value);
    if (known !== undefined) return known;
    const place = end;
    places.set(value, place);
    // A text has a NUL behind it; what is a structure must lie at eight bytes.
    const size = typeof value === "string" ? sizeOf(value) : isStructure(value) ? 8 * value.length : value.length;
    end = (end + size + 8) & ~7;
    if (isStructure(value)) for (const each of value) if (typeof each !== "number") placeOf(each);
    return place;
  };
  const wordOf = (value: Argument): number => (typeof value === "number" ? value : LIST_AT + placeOf(value));
  let at = 0;
  for (const { name, args, says, allowed = 0, skips = 0, takes, keeps } of calls) {
    if (args.length > MOST_ARGS) throw new RangeError(`${name} has ${args.length} arguments`);
    for (let index = 0; index < args.length; index += 1) put(rows, at + FIELDS.args + 8 * index, wordOf(args[index] ?? 0));
    put(rows, at + FIELDS.number, NUMBERS[name][arch]);
    put(rows, at + FIELDS.allowed, allowed === "any" ? 0 : allowed);
    put(rows, at + FIELDS.skips, skips);
    put(rows, at + FIELDS.says, LIST_AT + placeOf(says));
    put(rows, at + FIELDS.saysLength, sizeOf(says));
    put(rows, at + FIELDS.uses, (takes ? 1 : 0) | (keeps ? 2 : 0) | (allowed === "any" ? 4 : 0));
    at += CALL_SIZE;
  }
  put(rows, at, -1);
  if (end > LONGEST_LIST)
    throw new AgentRunError(
      "isolation",
      `there is too much to mount: what makes the sandbox is told it in ${end} bytes, of ${LONGEST_LIST} at most`,
      {
        hint: "each entry of your home is a mount: put some of them into a folder of its own",
      },
    );
  const list = Buffer.alloc(end);
  list.set(new Uint8Array(rows.buffer));
  for (const [value, place] of places) {
    if (typeof value === "string") list.write(value, place);
    else if (isStructure(value)) list.set(structure(value.map(wordOf)), place);
    else list.set(value, place);
  }
  return list;
}

/** A word of 64 bits; all of them fit into 32, with their sign. Both machines are little-endian, as Node on them is. */
function put(words: Int32Array, at: number, value: number): void {
  words[at / 4] = value;
  words[at / 4 + 1] = value < 0 ? -1 : 0;
}

function structure(values: readonly number[]): Uint8Array {
  const words = new Int32Array(2 * values.length);
  for (const [index, value] of values.entries()) put(words, 8 * index, value);
  return new Uint8Array(words.buffer);
}

function isStructure(value: Argument): value is readonly Argument[] {
  return Array.isArray(value);
}
