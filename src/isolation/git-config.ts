// What a git configuration says, as git reads it (git-config(1), "Syntax"): comments, quotes, lines that go on, several on one line. Pure. Used by git-folders.ts.

/**
 * White space, a comment, `[section "subsection"]`, `key = value`, and what is none of these. Whoever made the file may have made it so that it takes
 * long: no alternative begins as another does, and whatever follows them fits, so that nothing is tried twice.
 */
const PARTS =
  /[\s\ufeff]+|[#;][^\n]*|\[([\w-]*)(?:[^\]\n"]+|"(?:[^"\\\n]+|\\[^\n])*")*\]?|([\w-]+)[ \t]*(?:=((?:[^\n#;"\\]+|"(?:[^"\\\n]+|\\.)*"|\\.)*))?[^\n]*|[^\n]+/gsy;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b" };

/** The values of `section.key`, and of `section.<whatever>.key`. Git reads nothing of a file with a fault in it; here the next line goes on. */
export function gitValues(text: string, sections: readonly string[], key: string): string[] {
  const found: string[] = [];
  let section = "";
  for (const [, head, name, value = ""] of text.matchAll(PARTS)) {
    if (head !== undefined) section = head.toLowerCase();
    if (name?.toLowerCase() !== key || !sections.includes(section)) continue;
    found.push(value.trim().replace(/\\\r?\n|"|\\(.)/gs, (_, escaped?: string) => (escaped && (ESCAPES[escaped] ?? escaped)) ?? ""));
  }
  return found;
}
