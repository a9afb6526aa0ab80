// What a value that came from outside must be, as a function that checks it. Used for protocol.ts and requests.ts, in the launcher too: a schema library
// takes longer to load and to build its schemas than everything else that a launch reads.

/** Gives the value, without fields that nobody asked for, or throws a `Mismatch`. `at` is where it stands: `view.session`. */
export type Shape<T> = (value: unknown, at: string) => T;

/** The type of what a shape gives. */
export type Of<S> = S extends Shape<infer T> ? T : never;

interface Optional<T> extends Shape<T | undefined> {
  readonly optional: true;
}
type Fields = Readonly<Record<string, Shape<unknown>>>;
type OptionalNames<F extends Fields> = { [Name in keyof F]: F[Name] extends Optional<unknown> ? Name : never }[keyof F];
type Together<F extends Fields> = { [Name in Exclude<keyof F, OptionalNames<F>>]: Of<F[Name]> } & {
  [Name in OptionalNames<F>]?: Of<F[Name]>;
};
type Flat<T> = { [Name in keyof T]: T[Name] };

/** Names the place that is wrong, never what stands there. */
export class Mismatch extends Error {
  readonly at: string;
  constructor(at: string) {
    super(`not what was expected${at === "" ? "" : ` at '${at}'`}`);
    this.at = at;
  }
}

/** Checks `value`: what it is known to be, or where it is something else. */
export function checked<T>(shape: Shape<T>, value: unknown): { readonly value: T } | Mismatch {
  try {
    return { value: shape(value, "") };
  } catch (error) {
    if (error instanceof Mismatch) return error;
    throw error;
  }
}

const plain = <T>(is: (value: unknown) => value is T): Shape<T> => {
  return (value, at) => {
    if (is(value)) return value;
    throw new Mismatch(at);
  };
};

export const number = plain((value): value is number => Number.isFinite(value));
export const boolean = plain((value): value is boolean => typeof value === "boolean");
export const anything: Shape<unknown> = (value) => value;

/** A string, of at most `longest` UTF-16 code units and of that form where they are given. */
export const string = (longest = Number.POSITIVE_INFINITY, form?: RegExp): Shape<string> =>
  plain((value): value is string => typeof value === "string" && value.length <= longest && (form === undefined || form.test(value)));

export const atLeast = (least: number): Shape<number> =>
  plain((value): value is number => typeof value === "number" && Number.isFinite(value) && value >= least);

export const oneOf = <const Name extends string>(names: readonly Name[]): Shape<Name> =>
  plain((value): value is Name => (names as readonly unknown[]).includes(value));

/** A field that may be absent. */
export function optional<T>(shape: Shape<T>): Optional<T> {
  return Object.assign((value: unknown, at: string) => (value === undefined ? undefined : shape(value, at)), { optional: true as const });
}

/** A list, each of whose items is of this shape. */
export function list<T>(shape: Shape<T>): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new Mismatch(at);
    return value.map((each, index) => shape(each, below(at, String(index))));
  };
}

/** Any names, each with such a value. */
export function record<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return (value, at) => {
    const given = Object.entries(fieldsOf(value, at)).filter(([name]) => name !== "__proto__");
    return Object.fromEntries(given.map(([name, each]) => [name, shape(each, below(at, name))]));
  };
}

/** An object with these fields; others that it has are left out. */
export function object<F extends Fields>(fields: F): Shape<Flat<Together<F>>> {
  const shapes = Object.entries(fields);
  return (value, at) => {
    const given = fieldsOf(value, at);
    const result: Record<string, unknown> = {};
    for (const [name, shape] of shapes) {
      const field = shape(Object.hasOwn(given, name) ? given[name] : undefined, below(at, name));
      if (field !== undefined) result[name] = field;
    }
    return result as Flat<Together<F>>;
  };
}

/** One of several messages, told apart by their `type`. */
export function message<M extends Readonly<Record<string, Fields>>>(
  kinds: M,
): Shape<{ [Kind in keyof M]: Flat<{ type: Kind } & Together<M[Kind]>> }[keyof M]> {
  const shapes = new Map(Object.entries(kinds).map(([kind, fields]) => [kind as unknown, object({ type: oneOf([kind]), ...fields })]));
  return (value, at) => {
    const shape = shapes.get(fieldsOf(value, at)["type"]);
    if (shape === undefined) throw new Mismatch(below(at, "type"));
    return shape(value, at) as never;
  };
}

function fieldsOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Mismatch(at);
  return value as Record<string, unknown>;
}

const below = (at: string, name: string): string => (at === "" ? name : `${at}.${name}`);
