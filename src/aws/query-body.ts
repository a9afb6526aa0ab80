// The form of AWS's Query protocol: an operation and its parameters as one body. Called by sts.
// Source: Smithy, "AWS query protocol".
import { uriEncoded } from "./sigv4.ts";

type Value = string | number | undefined | readonly string[] | readonly Readonly<Record<string, string>>[];
export type QueryParameters = Readonly<Record<string, Value>>;

/** `Action=…&Version=…&Name=…&List.member.1.Key=…`, in the order of the parameters. */
export function queryBody(action: string, version: string, parameters: QueryParameters): string {
  return `Action=${action}&Version=${version}${Object.entries(parameters)
    .map(([name, value]) => field(name, value))
    .join("")}`;
}

function field(name: string, value: Value): string {
  if (value === undefined) return "";
  if (typeof value !== "object") return `&${name}=${uriEncoded(String(value))}`;
  // A list that is there and empty is said.
  if (value.length === 0) return `&${name}=`;
  return value.map((entry, index) => member(`${name}.member.${index + 1}`, entry)).join("");
}

function member(name: string, entry: string | Readonly<Record<string, string>>): string {
  if (typeof entry === "string") return field(name, entry);
  return Object.entries(entry)
    .map(([key, value]) => field(`${name}.${key}`, value))
    .join("");
}
