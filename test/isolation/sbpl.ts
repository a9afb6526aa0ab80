// A small reader of sandbox-exec profiles: balanced forms, known words only, and what the rules say of a path or an address. For seatbelt.test.ts.

type Form = string | readonly Form[];

/** Throws for what is not a list of balanced forms. */
export function readForms(text: string): Form[] {
  const tokens = [...text.replace(/^;.*$/gm, "").matchAll(/\(|\)|#"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*"|[^\s()"]+/g)].map(([token]) => token);
  let at = 0;
  const form = (): Form => {
    const token = tokens[at];
    at += 1;
    if (token === undefined || token === ")") throw new Error("unbalanced");
    if (token !== "(") return token;
    const list: Form[] = [];
    while (tokens[at] !== ")") list.push(form());
    at += 1;
    return list;
  };
  const forms: Form[] = [];
  while (at < tokens.length) forms.push(form());
  return forms;
}

export interface Asked {
  /** `file-read-data`, `file-write-create`, `network-outbound`, … */
  readonly operation: string;
  readonly path?: string;
  /** `localhost:1234`, or of another host. */
  readonly remote?: string;
  readonly name?: string;
}

const unquoted = (text: string): string => JSON.parse(text) as string;

function covers(rule: string, operation: string): boolean {
  return rule === "default" || rule === operation || (rule.endsWith("*") && operation.startsWith(rule.slice(0, -1)));
}

function matches(filter: Form, asked: Asked): boolean {
  if (typeof filter === "string") throw new Error(`not a filter: ${filter}`);
  const [kind, first, second] = filter;
  if (kind === "subpath" || kind === "literal") {
    const path = unquoted(String(first));
    const within = path === "/" || asked.path === path || asked.path?.startsWith(`${path}/`) === true;
    return asked.path !== undefined && (kind === "literal" ? asked.path === path : within);
  }
  if (kind === "regex") return asked.path !== undefined && new RegExp(String(first).slice(2, -1)).test(asked.path);
  if (kind === "global-name") return asked.name === unquoted(String(first));
  if (kind === "target") return false;
  if (kind === "remote" || kind === "local") {
    const address = unquoted(String(second));
    if (asked.remote === undefined) return false;
    return address === "*:*" || asked.remote === address || (address === "localhost:*" && asked.remote.startsWith("localhost:"));
  }
  throw new Error(`unknown filter ${String(kind)}`);
}

/** What the kernel would do: the last rule that matches counts. Throws for a form that it does not know. */
export function decide(forms: readonly Form[], asked: Asked): "allow" | "deny" {
  let decision: "allow" | "deny" = "deny";
  for (const form of forms) {
    if (typeof form === "string") throw new Error(`not a rule: ${form}`);
    const [action, ...rest] = form;
    if (action === "version") continue;
    if (action !== "allow" && action !== "deny") throw new Error(`unknown form ${String(action)}`);
    const operations = rest.filter((part) => typeof part === "string");
    const filters = rest.filter((part) => typeof part !== "string");
    if (operations.length === 0) throw new Error("a rule without an operation");
    if (!operations.some((operation) => covers(operation, asked.operation))) continue;
    if (filters.length === 0 || filters.some((filter) => matches(filter, asked))) decision = action;
  }
  return decision;
}
