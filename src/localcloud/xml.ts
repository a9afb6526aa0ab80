// XML as the query, EC2 and S3 protocols write it, and the small reader for S3's request bodies.
import { AwsFault } from "./fault.ts";

/** Objects become child elements in their order, undefined nothing, and a list either `<name><item/>…</name>` or a repeated `<name>`. */
export type XmlValue = string | number | boolean | undefined | readonly XmlValue[] | { readonly [name: string]: XmlValue };
export type XmlTree = { readonly [name: string]: XmlValue };

/** @param item the name of list entries (`member`, `item`); absent: a list repeats its own name, as S3's flattened lists do */
export function element(name: string, value: XmlValue, item?: string): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) {
    if (item === undefined) return value.map((entry) => element(name, entry)).join("");
    return `<${name}>${value.map((entry) => element(item, entry, item)).join("")}</${name}>`;
  }
  return `<${name}>${content(value, item)}</${name}>`;
}

function content(value: Exclude<XmlValue, undefined>, item: string | undefined): string {
  if (typeof value !== "object") return escaped(String(value));
  return Object.entries(value)
    .map(([name, child]) => element(name, child, item))
    .join("");
}

/** A whole document with its namespace. */
export function document(root: string, namespace: string | undefined, tree: XmlTree, item?: string): string {
  const open = namespace === undefined ? root : `${root} xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${open}>${content(tree, item)}</${root}>`;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"\u0000-\u0008\u000b-\u001f]/g, (char) => ESCAPES[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}

/** An element that was read: its text without that of its children. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const TOKEN = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;

const malformed = (): AwsFault =>
  new AwsFault("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema");

/**
 * Reads a request body: elements and text only; a document type, an entity of its own or anything after the root is refused.
 * @throws AwsFault `MalformedXML`
 */
export function parseXml(text: string): XmlElement {
  type Open = { name: string; children: XmlElement[]; text: string };
  const top: Open = { name: "", children: [], text: "" };
  const stack = [top];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    const current = stack.at(-1);
    if (!match || !current || stack.length > 20) throw malformed();
    const [, close, name, , empty, characters] = match;
    if (characters !== undefined) current.text += unescaped(characters);
    else if (name === undefined) continue;
    else if (close) {
      if (current.name !== name || stack.length === 1) throw malformed();
      stack.pop();
    } else {
      const child: Open = { name, children: [], text: "" };
      current.children.push(child);
      if (!empty) stack.push(child);
    }
  }
  const [root] = top.children;
  if (stack.length !== 1 || !root || top.children.length !== 1 || top.text.trim() !== "") throw malformed();
  return root;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));|&/g, (_whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined;
    if (code !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = ENTITIES[name ?? ""];
    if (known === undefined) throw malformed();
    return known;
  });
}

/** The text of the first child of that name, if there is one. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}
