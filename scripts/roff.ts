// The little of roff's man macros that our man pages need (man(7) of groff and of mandoc). Called by manual.ts.

/** A whole page from its sections. */
export function page(
  name: string,
  { version, date }: { readonly version: string; readonly date: string },
  sections: readonly string[],
): string {
  return `.TH "${text(name.toUpperCase())}" 1 "${date}" "agent\\-run ${version}"\n.nh\n.ad l\n${sections.join("")}`;
}

export const section = (title: string, ...parts: readonly string[]): string => `.SH ${title}\n${parts.join("")}`;

/** The line of NAME, which whatis and apropos read. */
export const name = (self: string, summary: string): string => `${text(self)} \\- ${text(summary)}\n`;

/** The ways to call it, each with what stands after the command. */
export const synopsis = (command: string, ways: readonly string[]): string =>
  ways.map((rest) => `${bold(command)}\n${lines(text(rest))}`).join(".br\n");

/** An empty line parts two paragraphs, any other white space only words. */
export const paragraphs = (body: string): string =>
  body
    .split(/\n{2,}/)
    .map((each) => lines(text(each)))
    .join(".PP\n");

/** A term with its text below or beside it; the term is roff already. */
export const entry = (term: string, body: string): string => `.TP\n${term}\n${lines(text(body))}`;

export const bold = (body: string): string => `\\fB${text(body)}\\fR`;
export const italic = (body: string): string => `\\fI${text(body)}\\fR`;
/** Another page of section 1. */
export const reference = (self: string): string => `${bold(self)}(1)`;
export const references = (names: readonly string[]): string => `${names.map(reference).join(",\n")}\n`;

const WIDTH = 78;

/** Lines of a source that people can read. One that began with a dot or an apostrophe would be a command. */
function lines(body: string): string {
  const done: string[] = [];
  for (const word of body.trim().split(/\s+/)) {
    const last = done.at(-1);
    if (last === undefined || last.length + 1 + word.length > WIDTH) done.push(word.replace(/^(?=[.'])/, "\\&"));
    else done[done.length - 1] = `${last} ${word}`;
  }
  return `${done.join("\n")}\n`;
}

/** Every character for itself: no escapes, hyphens that can be copied, straight quotes, and no bytes beyond ASCII. */
function text(body: string): string {
  return body
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/[^\x00-\x7f]/gu, (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`);
}
