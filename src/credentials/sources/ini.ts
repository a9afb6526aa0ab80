// The text of an AWS config or credentials file, as AWS's tools read it. Called by aws-files.ts.

export interface Ini {
  /** By title, as it stands between the brackets; keys in lower case. */
  readonly sections: ReadonlyMap<string, Map<string, string>>;
  /** In which line each begins. */
  readonly lines: ReadonlyMap<string, number>;
  /** The first line that is neither a section, a setting nor part of one; its text may hold a secret, and is not here. */
  readonly broken: { readonly line: number; readonly what: string } | undefined;
}

/**
 * `#` and `;` begin a comment at a line's start or after a space, an indented line below an empty value is a sub-setting (`s3 =` / `  addressing_style = path`
 * gives `s3.addressing_style`), a repeated section adds to the first. What stands below a section's line that is broken belongs to no section.
 */
export function parseIni(text: string): Ini {
  const sections = new Map<string, Map<string, string>>();
  const lines = new Map<string, number>();
  let broken: Ini["broken"];
  let section: Map<string, string> | undefined;
  let parent: string | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)[#;].*$/, "");
    if (line.trim() === "") continue;
    const fail = (what: string): void => {
      broken ??= { line: index + 1, what };
    };
    if (/^\s*\[/.test(line)) {
      const title = /^\s*\[\s*([^\]]+?)\s*\]\s*$/.exec(line)?.[1];
      if (title === undefined) fail("begins with [ and is no section: it is written [profile <name>]");
      parent = undefined;
      section = title === undefined ? undefined : (sections.get(title) ?? new Map<string, string>());
      if (title === undefined || section === undefined) continue;
      sections.set(title, section);
      if (!lines.has(title)) lines.set(title, index + 1);
      continue;
    }
    const indented = /^\s/.test(line);
    const equals = line.includes("=") ? line.indexOf("=") : line.indexOf(":");
    if (equals < 1) {
      // A value that goes on, which some tools take.
      if (!indented || !section) fail("is neither a section nor a setting: a setting is written <name> = <value>");
      continue;
    }
    if (!section) {
      fail("stands in no section: [default] or [profile <name>] comes first");
      continue;
    }
    const key = line.slice(0, equals).trim().toLowerCase();
    const value = line.slice(equals + 1).trim();
    if (parent !== undefined && indented) {
      section.set(`${parent}.${key}`, value);
      continue;
    }
    parent = value === "" ? key : undefined;
    section.set(key, value);
  }
  return { sections, lines, broken };
}
