// What a text that others named (an agent, a repository, a server) may bring onto a terminal or into a file that one shows: nothing that moves, hides,
// reorders or colours what stands beside it. Used by every part that prints, by cli/printer.ts for all that goes out.

/**
 * Controls, and what is not seen or acts on others: bidi marks, zero-width characters, soft hyphens, tags, variation selectors and all else that
 * Unicode lets a program ignore, line and paragraph separators, lone surrogates. Tabs too; line breaks not.
 */
const unsafe = (): RegExp => /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\ufffe\uffff]|[^\P{Cc}\n]/gu;
/** More marks on one letter than any script has cover the rows above and below. */
const piled = (): RegExp => /(\p{M}{4})\p{M}+/gu;
/** Most texts are plain, and the classes take milliseconds to compile. */
const PLAIN = /^[\n -~]*$/;
const REPLACEMENT = "\ufffd";

/** The text with each such character replaced by U+FFFD; line breaks stay. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(unsafe(), REPLACEMENT).replace(piled(), `$1${REPLACEMENT}`);
}

/** `printable`, and on one line: for a text that may hold what others named, such as a project. */
export function oneLine(text: string): string {
  return printable(text).replaceAll("\n", REPLACEMENT);
}

/** JSON with each such character inside of its strings escaped: it means the same, and can be looked at. */
export function printableJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(unsafe(), (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
