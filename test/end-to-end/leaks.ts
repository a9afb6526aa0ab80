// Looks for secrets where they must not be: files, and every process's arguments and environment. Used by secrets.test.ts.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { allProcesses } from "../../src/core/process-tree.ts";

/** Secrets by the secret's text: what it is, such as `base secret`. */
type Secrets = ReadonlyMap<string, string>;

/** Length of the pieces that are looked for: a secret cut short or quoted in part is one still. */
const PIECE = 20;

/** What is in `text`, as it is or in another writing: base64, hex, percent-encoded. Each kind once. */
export function secretsIn(text: Buffer | string, secrets: Secrets): string[] {
  const bytes = Buffer.from(text);
  const found = [...secrets].filter(([secret]) => writings(secret).some((piece) => bytes.includes(piece)));
  return [...new Set(found.map(([, kind]) => kind))];
}

function writings(secret: string): string[] {
  const whole = Buffer.from(secret);
  return [secret, whole.toString("base64"), whole.toString("hex"), encodeURIComponent(secret)].flatMap((text) => [
    // Session tokens begin alike, so the first piece says nothing of them.
    text.length > 100 ? text.slice(PIECE, 2 * PIECE) : text.slice(0, PIECE),
    text.slice(-PIECE - 4, -4),
  ]);
}

/** `file <path>: <kind>` for every file below `root` that holds one. */
export function leaksInFiles(root: string, secrets: Secrets): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => join(root, path))
    .flatMap((path) => {
      const content = contentOf(path);
      return content === undefined ? [] : secretsIn(content, secrets).map((kind) => `file ${relative(root, path)}: ${kind}`);
    });
}

/**
 * `environment of <who>: <kind>` and `arguments of <who>: <kind>` for every process of this machine that holds one.
 * @param who names the processes that belong to the test, by pid
 */
export function leaksInProcesses(secrets: Secrets, who: (pid: number) => string | undefined): string[] {
  const leaks = allProcesses().flatMap(({ pid, name }) =>
    ["environ", "cmdline"].flatMap((file) => {
      const content = contentOf(`/proc/${pid}/${file}`);
      if (content === undefined) return [];
      const what = file === "environ" ? "environment" : "arguments";
      return secretsIn(content, secrets).map((kind) => `${what} of ${who(pid) ?? `process ${name}`}: ${kind}`);
    }),
  );
  return [...new Set(leaks)].sort();
}

/** Undefined for what is no file, is gone meanwhile, or is another user's. */
export function contentOf(path: string): Buffer | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}
