// A small strict reader for the XML that AWS answers with: elements and their text. Called by sts-answer. Pure.
// What is not well-formed, has a document type or entities of its own, is nested too deep or says a thing twice is no answer of AWS.

/** Its text is that of its own, without its children's; its name is without the prefix of a namespace. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const DEEPEST = 20;
const NAME = "[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?";
const ATTRIBUTES = `(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*`;
const TOKEN = new RegExp(
  `<\\?[^]*?\\?>|<!--[^]*?-->|<!\\[CDATA\\[(?<data>[^]*?)\\]\\]>|<(?<close>/?)(?<name>${NAME})${ATTRIBUTES}\\s*(?<empty>/?)>|(?<text>[^<]+)`,
  "gy",
);

interface Open {
  readonly whole: string;
  readonly name: string;
  readonly children: Open[];
  text: string;
}

/** The root element, or undefined for what is no such document. */
export function readXml(document: string): XmlElement | undefined {
  const opened = (whole: string): Open => ({ whole, name: whole.slice(whole.indexOf(":") + 1), children: [], text: "" });
  const top = opened("");
  const stack = [top];
  const text = document.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text)?.groups;
    const current = stack.at(-1);
    if (found === undefined || current === undefined) return undefined;
    const { data, close, name, empty, text: characters } = found;
    if (characters !== undefined || data !== undefined) {
      const read = data ?? unescaped(characters ?? "");
      if (read === undefined) return undefined;
      current.text += read;
    } else if (name === undefined) continue;
    else if (close === "/") {
      if (current.whole !== name || empty === "/") return undefined;
      stack.pop();
    } else {
      const child = opened(name);
      current.children.push(child);
      if (empty !== "/") stack.push(child);
      if (stack.length > DEEPEST) return undefined;
    }
  }
  return stack.length === 1 && top.children.length === 1 && top.text.trim() === "" ? top.children[0] : undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const NO_REFERENCE = /&(?!(?:#x[0-9a-fA-F]{1,6}|#\d{1,7}|amp|lt|gt|quot|apos);)/;

/** Undefined where it names what XML has not. */
function unescaped(text: string): string | undefined {
  if (!text.includes("&")) return text;
  if (NO_REFERENCE.test(text)) return undefined;
  let known = true;
  const read = text.replace(/&(?:#x(\w+)|#(\d+)|(\w+));/g, (_whole, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
    const character = name ? ENTITIES[name] : characterOf(code);
    if (character === undefined) known = false;
    return character ?? "";
  });
  return known ? read : undefined;
}

/** XML's characters leave out 0 and halves of surrogate pairs. */
function characterOf(code: number): string | undefined {
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}

/** The one element at the end of the way; undefined where there is none, or one of them is there twice. */
export function elementAt(from: XmlElement | undefined, ...way: readonly string[]): XmlElement | undefined {
  return way.reduce<XmlElement | undefined>((element, name) => {
    const found = element?.children.filter((child) => child.name === name);
    return found?.length === 1 ? found[0] : undefined;
  }, from);
}
