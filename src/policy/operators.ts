// The condition operators of IAM in one table: what a value must look like, and what it compares. Called by condition-reader.ts and conditions.ts.
import { arnFits, arnPattern } from "./match.ts";
import { inRange, readBinary, readBoolean, readDate, readIpRange, readNumber } from "./operands.ts";
import { fits, globPattern, type Piece } from "./wildcard.ts";

/** Tests one value of the request. Undefined when that value is not of the operator's type, so that nothing can be said. */
export type Test = (value: string) => boolean | undefined;

export interface Operator {
  /** IAM's spelling. */
  readonly name: string;
  /** `Not…` operators hold when no value matches, and when the key is absent. */
  readonly negated: boolean;
  /** Whether policy variables are filled in: in string and ARN operators only. */
  readonly variables: boolean;
  /** What a policy value must be, for an error; undefined when any text will do. */
  readonly expects: string | undefined;
  /** The test that one policy value stands for; undefined when the value is not what `expects` says. */
  readonly compile: (pieces: readonly Piece[]) => Test | undefined;
}

const plain = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join("");

/** An operator on a type: both sides are read, and what cannot be read is no answer. */
function typed<T>(read: (text: string) => T | undefined, compare: (asked: T, found: T) => boolean): Operator["compile"] {
  return (pieces) => {
    const asked = read(plain(pieces));
    if (asked === undefined) return undefined;
    return (value) => {
      const found = read(value);
      return found === undefined ? undefined : compare(asked, found);
    };
  };
}

function ordered(prefix: string, read: (text: string) => number | undefined, expects: string): Operator[] {
  const comparisons: readonly (readonly [string, (asked: number, found: number) => boolean])[] = [
    ["Equals", (asked, found) => found === asked],
    ["NotEquals", (asked, found) => found === asked],
    ["LessThan", (asked, found) => found < asked],
    ["LessThanEquals", (asked, found) => found <= asked],
    ["GreaterThan", (asked, found) => found > asked],
    ["GreaterThanEquals", (asked, found) => found >= asked],
  ];
  return comparisons.map(([name, compare]) => ({
    name: `${prefix}${name}`,
    negated: name === "NotEquals",
    variables: false,
    expects,
    compile: typed(read, compare),
  }));
}

function pair(positive: string, negative: string, rest: Omit<Operator, "name" | "negated">): Operator[] {
  return [
    { name: positive, negated: false, ...rest },
    { name: negative, negated: true, ...rest },
  ];
}

const equals: Operator["compile"] = (pieces) => {
  const asked = plain(pieces);
  return (value) => value === asked;
};
const equalsIgnoreCase: Operator["compile"] = (pieces) => {
  const asked = plain(pieces).toLowerCase();
  return (value) => value.toLowerCase() === asked;
};
const like: Operator["compile"] = (pieces) => {
  const pattern = globPattern(pieces);
  return (value) => fits(pattern, value);
};
const arn: Operator["compile"] = (pieces) => {
  const pattern = arnPattern(pieces);
  return (value) => arnFits(pattern, value);
};

const text = { variables: true, expects: undefined };
const booleans = typed(readBoolean, (asked, found) => asked === found);

const table: readonly Operator[] = [
  ...pair("StringEquals", "StringNotEquals", { ...text, compile: equals }),
  ...pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", { ...text, compile: equalsIgnoreCase }),
  ...pair("StringLike", "StringNotLike", { ...text, compile: like }),
  ...ordered("Numeric", readNumber, "an integer or decimal number"),
  ...ordered("Date", readDate, "a date such as 2027-01-31T08:00:00Z, or seconds since 1970"),
  { name: "Bool", negated: false, variables: false, expects: "true or false", compile: booleans },
  {
    name: "BinaryEquals",
    negated: false,
    variables: false,
    expects: "base64",
    compile: typed(readBinary, (asked, found) => asked === found),
  },
  ...pair("IpAddress", "NotIpAddress", {
    variables: false,
    expects: "an IP address or a CIDR range such as 203.0.113.0/24",
    compile: typed(readIpRange, inRange),
  }),
  ...pair("ArnEquals", "ArnNotEquals", { ...text, compile: arn }),
  ...pair("ArnLike", "ArnNotLike", { ...text, compile: arn }),
  /** Asks only whether the key is there: conditions.ts answers it. */
  { name: "Null", negated: false, variables: false, expects: "true or false", compile: booleans },
];

const byName: ReadonlyMap<string, Operator> = new Map(table.map((operator) => [operator.name.toLowerCase(), operator]));

/** The operator of that name, in any case. The IAM User Guide lists them all: reference_policies_elements_condition_operators. */
export function operatorNamed(name: string): Operator | undefined {
  return byName.get(name.toLowerCase());
}
