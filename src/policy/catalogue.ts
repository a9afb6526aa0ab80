// What AWS says of every action: access level, resources, condition keys. Read from dist/iam-data.json, which scripts/iam-data.mjs writes. Called by lint and its commands.
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { actionPattern } from "./match.ts";
import { fits } from "./wildcard.ts";

/** AWS's own words (IAM User Guide, access_policies_understand-policy-summary-access-level-summaries). */
export type AccessLevel = "List" | "Read" | "Write" | "Tagging" | "Permissions management";

export interface ActionFacts {
  /** In AWS's spelling: `s3:GetObject`. */
  readonly name: string;
  readonly level: AccessLevel;
  /** Patterns of the ARNs that it works on, such as `arn:${Partition}:s3:::${BucketName}`; empty where only `*` will do. */
  readonly resources: readonly string[];
  /** Condition keys beside the global ones, such as `ec2:InstanceType` or `aws:ResourceTag/${TagKey}`. */
  readonly keys: readonly string[];
}

/** As in dist/iam-data.json. */
interface ServiceData {
  readonly actions: readonly (readonly [name: string, level: string, resources: readonly number[], keys: readonly number[]])[];
  readonly resources: readonly string[];
  readonly keys: readonly (readonly [key: string, type: string])[];
}

export interface Catalogue {
  /** Of the data, such as `0.21.202609261`. */
  readonly version: string;
  hasService(service: string): boolean;
  /** The actions that a policy's `Action` entry covers; empty when it covers none. */
  matching(pattern: string): readonly ActionFacts[];
  /** The known name that a misspelt action, or its service, was probably meant to be. */
  meant(action: string): string | undefined;
  /** The keys that requests of every service may have. */
  readonly globalKeys: readonly string[];
  /** AWS's type of a condition key, such as `Date` or `ArrayOfString`; undefined for a key that no service and no request has. */
  keyType(key: string): string | undefined;
}

const LEVELS: Readonly<Record<string, AccessLevel>> = { L: "List", R: "Read", W: "Write", T: "Tagging", P: "Permissions management" };

/** A key's own part after which anything may follow: `aws:ResourceTag/${TagKey}` and `aws:PrincipalTag/tag-key` become `aws:resourcetag/`. */
const openPart = (key: string): string | undefined => /^([^$]*?)(?:\$\{|tag-key$)/.exec(key.toLowerCase())?.[1];

/**
 * Reads the content of dist/iam-data.json.
 * @throws AgentRunError `internal` when it is something else
 */
export function readCatalogue(text: string): Catalogue {
  let data: { version: string; globals: Record<string, string>; services: Record<string, ServiceData> };
  try {
    data = JSON.parse(text);
    if (!data.services["s3"]) throw new Error("it knows no s3");
  } catch (error) {
    throw new AgentRunError("internal", "the file of AWS's actions (dist/iam-data.json) is damaged", {
      hint: "install agent-run again",
      cause: error,
    });
  }
  const services = new Map(Object.entries(data.services));
  const expanded = new Map<string, readonly ActionFacts[]>();
  const facts = new Map<string, readonly ActionFacts[]>();
  const actionsOf = (service: string): readonly ActionFacts[] => {
    const known = facts.get(service) ?? factsOf(service, services.get(service));
    facts.set(service, known);
    return known;
  };
  let types: KeyTypes | undefined;
  return {
    version: data.version,
    hasService: (service) => services.has(service.toLowerCase()),
    matching(pattern) {
      const lower = pattern.toLowerCase();
      const known = expanded.get(lower) ?? expand(lower, [...services.keys()], actionsOf);
      expanded.set(lower, known);
      return known;
    },
    meant(action) {
      const [service = "", name = ""] = action.split(":");
      const near = services.has(service.toLowerCase()) ? service.toLowerCase() : nearest(service, [...services.keys()]);
      if (near === undefined) return undefined;
      const names = actionsOf(near).map((one) => one.name.slice(near.length + 1));
      const meant = names.find((one) => one.toLowerCase() === name.toLowerCase()) ?? nearest(name, names);
      return meant === undefined ? undefined : `${near}:${meant}`;
    },
    globalKeys: Object.keys(data.globals),
    keyType(key) {
      types ??= keyTypes(data.globals, services.values());
      return typeOf(types, key.toLowerCase());
    },
  };
}

function factsOf(service: string, data: ServiceData | undefined): ActionFacts[] {
  if (!data) return [];
  return data.actions.map(([name, level, resources, keys]) => ({
    name: `${service}:${name}`,
    level: LEVELS[level] ?? "Write",
    resources: resources.flatMap((index) => data.resources[index] ?? []),
    keys: keys.flatMap((index) => data.keys[index]?.[0] ?? []),
  }));
}

function expand(
  lower: string,
  services: readonly string[],
  actionsOf: (service: string) => readonly ActionFacts[],
): readonly ActionFacts[] {
  const service = lower.split(":")[0] ?? "";
  const among = /[*?]/.test(service) ? services : services.filter((one) => one === service);
  const pattern = actionPattern(lower);
  return among.flatMap((one) => actionsOf(one).filter(({ name }) => fits(pattern, name.toLowerCase())));
}

interface KeyTypes {
  readonly exact: ReadonlyMap<string, string>;
  /** Keys that end in a name of the user's own. */
  readonly open: readonly (readonly [beginning: string, type: string])[];
}

function keyTypes(globals: Readonly<Record<string, string>>, services: Iterable<ServiceData>): KeyTypes {
  const exact = new Map<string, string>();
  const open = new Map<string, string>();
  for (const [key, type] of [...[...services].flatMap(({ keys }) => keys), ...Object.entries(globals)]) {
    const beginning = openPart(key) ?? (/<\w+>$/.test(key) ? key.toLowerCase().replace(/<\w+>$/, "") : undefined);
    if (beginning === undefined) exact.set(key.toLowerCase(), type);
    else open.set(beginning, type);
  }
  return { exact, open: [...open] };
}

function typeOf({ exact, open }: KeyTypes, key: string): string | undefined {
  return exact.get(key) ?? open.find(([beginning]) => beginning !== "" && key.length > beginning.length && key.startsWith(beginning))?.[1];
}
