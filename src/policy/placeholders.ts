// `${NAME}` in a profile's policies, filled from its settings: policies that are shipped cannot know an account or a secret's name. Pure.
// Called by session/profile-policy.ts and whatever prepares policies. IAM's own variables have a colon in their names, so that the two cannot be mixed up.
import { AgentRunError } from "../core/error.ts";

/** A text, or the entries of a list. */
export type PlaceholderValues = Readonly<Record<string, string | readonly string[]>>;

const PLACEHOLDER = /\$\{([A-Z][A-Z0-9_]*)\}/g;

/** The names in a policy's text, each once. */
export function placeholdersOf(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name))];
}

/**
 * The policy as a value, with every placeholder filled. A list stands for its entries where the placeholder is a whole entry; an Allow statement
 * that so comes to name no resource is left out, a Deny of all but an empty list denies all.
 * @throws AgentRunError `policy` for text that is no JSON, a placeholder without a value, a list inside a longer text
 */
export function fillPlaceholders(text: string, values: PlaceholderValues, source: string): unknown {
  let policy: { Statement?: unknown };
  try {
    policy = JSON.parse(text) as { Statement?: unknown };
  } catch (error) {
    throw new AgentRunError("policy", `${source}: not valid JSON: ${error instanceof Error ? error.message : ""}`, {
      hint: `mend ${source}`,
    });
  }
  const filled = fill(policy, values, source) as { Statement?: unknown };
  const statements = [filled.Statement].flat().flatMap((statement): unknown[] => {
    const { NotResource, ...others } = statement as Readonly<Record<string, unknown>>;
    if (others["Effect"] === "Allow" && isEmpty(others["Resource"])) return [];
    return others["Effect"] === "Deny" && isEmpty(NotResource) ? [{ ...others, Resource: "*" }] : [statement];
  });
  return { ...filled, Statement: Array.isArray(filled.Statement) ? statements : statements[0] };
}

const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0;

function fill(value: unknown, values: PlaceholderValues, source: string): unknown {
  if (typeof value === "string") return value.replace(PLACEHOLDER, (_whole, name: string) => single(name, values, source));
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown) => {
      const whole = typeof entry === "string" ? /^\$\{([A-Z][A-Z0-9_]*)\}$/.exec(entry)?.[1] : undefined;
      return whole === undefined ? [fill(entry, values, source)] : [given(whole, values, source)].flat();
    });
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, values, source)]));
}

function single(name: string, values: PlaceholderValues, source: string): string {
  const value = given(name, values, source);
  if (typeof value === "string") return value;
  throw new AgentRunError("policy", `${source}: \${${name}} stands inside a text, and values.${name} is a list`, {
    hint: `give values.${name} one text, or make \${${name}} an entry of its own`,
  });
}

function given(name: string, values: PlaceholderValues, source: string): string | readonly string[] {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value !== undefined) return value;
  throw new AgentRunError("policy", `${source}: \${${name}} has no value`, {
    hint: `set ${name} under [profiles.<name>.values] in config.toml`,
  });
}
