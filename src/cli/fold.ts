// Lines for a terminal, cut between words: a command or a path that somebody is to copy stays in one piece. Called by printer.ts and command-help.ts.
import { columns } from "../terminal/clean-text.ts";
import { commandNames } from "./command-names.ts";

/** What our hints tell people to run. In a sentence most of these words stand elsewhere: `kill` and `ip` where a command can begin alone. */
const PROGRAM = [
  `agent-run (?:(?:${commandNames.join("|")})(?![\\w-])|[-<…])`,
  "aws (?:configure|sso|sts|iam|s3|ec2) ",
  "(?:sudo|chmod|chown|ls|mv|rm|df|kill|printf|docker|wsl|ip|npm|curl|systemd-run|setsid|apt-get|aws-vault|ulimit) (?=\\S)",
].join("|");
/** Where a command is over: at a comma, a bracket, a quote or the verb of the sentence. */
const OVER =
  "  |[;,]? (?:or|and|then|for|once|shows|tells|lists|begins|makes|stores|reads|needs|adds) |[.:?]? [([]|[;,:?]+(?: |$)|[)\\]'](?:\\W|$)|$";
const WHOLE = new RegExp(
  `(?<=^|[:;,] |['(]|\\b(?:or|and|then|to|with|by|see|is|run) )(?:${PROGRAM})(?:(?<=[ =])'[^']*'|"[^"]*"|<[^>]*>|(?!${OVER})[^])*|'[~./][^'\\n]* [^'\\n]*'|<[^<>]{1,30}>`,
  "g",
);
/** No text of ours has it: the printer lets no controls through. */
const JOINED = "\u0001";

/**
 * `text` after `first`, in lines of `width` columns. What does not fit beside what stands before it begins a row; a command then has the row for itself, and
 * the comma or bracket around it gives way. What is longer than a row is left to the terminal, which copies it as one.
 * @param indent before each line but the first
 */
export function folded(first: string, text: string, width: number, indent: string): string[] {
  if (length(first + text) <= width) return [first + text];
  const lines = [first];
  /** Whether the last line holds nothing yet, and a command alone. */
  let [isEmpty, isFull] = [true, false];
  for (const piece of text.replace(WHOLE, (whole) => whole.replaceAll(" ", JOINED)).split(" ")) {
    const last = lines.at(-1) ?? "";
    // Of columns of our own, which a fold ends.
    if (piece === "" && (isFull || last === indent)) continue;
    const longer = isEmpty ? last + piece : `${last} ${piece}`;
    if (isFull || (length(longer) > width && !(isEmpty && length(first) <= indent.length))) {
      isFull = piece.includes(JOINED);
      lines.push(indent + (isFull ? bare(piece) : piece));
    } else lines[lines.length - 1] = longer;
    isEmpty = false;
  }
  return lines.map((line) => line.replaceAll(JOINED, " ").trimEnd());
}

/** Without our colours. */
const length = (text: string): number => columns(text.replace(/\u001b\[\d+m/g, ""));

/** A command as it can be run: without the comma, quotes or brackets of the sentence. */
function bare(piece: string): string {
  const [, inner] = /^['(]([a-z].*)[')][;,]?$/.exec(piece) ?? [];
  return inner ?? piece.replace(/[;,]$/, "");
}
