// The reader of AWS's answers: whatever is written as XML is read as it was meant, and nothing that comes makes it fail in another way than by saying so.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementAt, readXml, type XmlElement } from "../../src/aws/answer-xml.ts";

/** XML 1.0, "Characters": all but most controls, halves of surrogate pairs and two last ones. */
const text = fc
  .string({ unit: "binary", maxLength: 30 })
  .map((found) => found.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?"));
const name = fc.constantFrom("Arn", "Account", "Credentials", "member", "a-b.c_d", "X1");

interface Tree {
  readonly name: string;
  readonly parts: readonly (Tree | string)[];
}
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({ name, parts: fc.array(fc.oneof({ maxDepth: 4 }, text, tie("tree")), { maxLength: 4 }) }),
}));

const NAMED: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** One of the ways to write it: `choose` takes them in turns. */
function written({ name, parts }: Tree, choose: () => number): string {
  const ways: ((part: string) => string)[] = [
    (part) => part.replace(/[&<>"']/g, (character) => NAMED[character] ?? "").replaceAll("\r", "&#13;"),
    (part) => part.replace(/[^a-z]/gu, (character) => `&#${character.codePointAt(0)};`),
    (part) => part.replace(/[^a-z]/gu, (character) => `&#x${character.codePointAt(0)?.toString(16)};`),
    (part) => `<![CDATA[${part.replaceAll("]]>", "]]]]><![CDATA[>").replaceAll("\r", "]]>&#xD;<![CDATA[")}]]>`,
  ];
  const between = ["", "<!-- <Arn>no</Arn> & -->", "<?no <Arn>?>", ""];
  const inner = parts
    .map((part) => (typeof part === "string" ? (ways[choose() % 4]?.(part) ?? "") : written(part, choose)) + between[choose() % 4])
    .join("");
  const attributes = ["", ' xmlns="https://sts.amazonaws.com/doc/2011-06-15/"', " a = '>' b:c=\"&lt;\"", "\n"][choose() % 4];
  return inner === "" && choose() % 2 === 0
    ? `<${name}${attributes}/>`
    : `<${name}${attributes}>${inner}</${name}${choose() % 2 ? "" : " "}>`;
}

const meant = ({ name, parts }: Tree): XmlElement => ({
  name,
  text: parts.filter((part) => typeof part === "string").join(""),
  children: parts.filter((part) => typeof part !== "string").map(meant),
});
const plain = ({ name, text, children }: XmlElement): XmlElement => ({ name, text, children: children.map(plain) });

describe("the reader of answers", () => {
  it("reads what was meant, in whatever way it was written", () => {
    fc.assert(
      fc.property(tree, fc.infiniteStream(fc.nat({ max: 3 })), (whole, choices) => {
        const found = readXml(written(whole, () => choices.next().value ?? 0));
        expect(found && plain(found)).toEqual(meant(whole));
      }),
      { numRuns: 1000 },
    );
  });

  it("says of anything else that it is none, and never throws", () => {
    const pieces = fc.constantFrom(
      "<a>",
      "</a>",
      "<b ",
      "x='",
      "'>",
      "&",
      "&amp;",
      "&#55357;",
      "]]>",
      "<![CDATA[",
      "<!--",
      "-->",
      "<?",
      "?>",
      "<!DOCTYPE a>",
      "</b>",
      "/>",
      "é",
      ":",
      " ",
    );
    let read = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        if (readXml(parts.join("")) !== undefined) read += 1;
        if (readXml(`<a>${parts.join("")}</a>`) !== undefined) read += 1;
      }),
      { numRuns: 3000 },
    );
    // Not everything is refused.
    expect(read).toBeGreaterThan(30);
  });

  it("finds one element, and none where there are two", () => {
    const root = readXml("<r><a><b>1</b></a><c><b>2</b><b>3</b></c></r>");
    expect(elementAt(root, "a", "b")?.text).toBe("1");
    expect(elementAt(root, "c", "b")).toBeUndefined();
    expect(elementAt(root, "d", "b")).toBeUndefined();
    expect(elementAt(undefined, "a")).toBeUndefined();
  });
});
