// The parameters of a query-protocol request (`Action=…&Tags.member.1.Key=…`). Read by the STS, IAM and EC2 handlers.
import { AwsFault, constraint } from "./fault.ts";

/** More parameters than this is no request that a client makes. */
const MOST_PARAMETERS = 2000;

/** Flat names with dots, read as values, lists and lists of structures. */
export class Params {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** @throws AwsFault `MalformedQueryString` when there are too many */
  static parse(text: string): Params {
    const values = new Map<string, string>();
    for (const [name, value] of new URLSearchParams(text)) {
      if (!values.has(name)) values.set(name, value);
      if (values.size > MOST_PARAMETERS) throw new AwsFault("MalformedQueryString", 400, "The query string contains too many parameters");
    }
    return new Params(values);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** @throws AwsFault `ValidationError` worded with the parameter's name in lower camel case */
  required(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw constraint(undefined, camel(name), "not be null");
    return value;
  }

  /** A whole number, or undefined when absent. */
  integer(name: string): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,15}$/.test(value)) throw new AwsFault("MalformedInput", 400, `Invalid value for ${name}`);
    return Number(value);
  }

  /** `Name.member.1`, `Name.member.2` … (or EC2's `Name.1`) in order; each with what follows its number. */
  structures(name: string): Params[] {
    const found = new Map<number, Map<string, string>>();
    const head = `${name}.`;
    for (const [key, value] of this.#values) {
      if (!key.startsWith(head)) continue;
      const match = /^(?:member\.)?(\d{1,4})(?:\.(.+))?$/.exec(key.slice(head.length));
      if (!match) continue;
      const index = Number(match[1]);
      const entry = found.get(index) ?? new Map<string, string>();
      entry.set(match[2] ?? "", value);
      found.set(index, entry);
    }
    return [...found].sort(([a], [b]) => a - b).map(([, entry]) => new Params(entry));
  }

  /** A list of plain values. */
  list(name: string): string[] {
    return this.structures(name).map((entry) => entry.get("") ?? "");
  }

  /** `{Key, Value}` structures. */
  tags(name: string): { key: string; value: string }[] {
    return this.structures(name).map((entry) => ({ key: entry.get("Key") ?? "", value: entry.get("Value") ?? "" }));
  }

  /** As CloudTrail shows a request: lower camel case, lists as lists, `hidden` left out. */
  toJSON(hidden: readonly string[] = ["Action", "Version"]): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const name of new Set([...this.#values.keys()].map((key) => key.split(".")[0] ?? ""))) {
      if (hidden.includes(name) || name.startsWith("X-Amz-")) continue;
      const entries = this.structures(name);
      if (entries.length === 0) result[camel(name)] = this.#values.get(name);
      else result[camel(name)] = entries.map((entry) => entry.get("") ?? entry.toJSON([]));
    }
    return result;
  }
}

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
