// Principals: reading them from a resource or trust policy, and telling whether the caller is among them. Called by parse.ts and evaluate.ts.
import { described, type JsonNode, type Place, pathTo, policyFault } from "./json.ts";
import type { Principal } from "./types.ts";

const TYPES = ["AWS", "Federated", "Service", "CanonicalUser"];

/**
 * Reads `"*"` or `{"AWS": [...], "Service": "..."}`.
 * @throws AgentRunError `policy`
 */
export function readPrincipal(node: JsonNode, place: Place, path: string): Principal {
  if (node.kind === "string" && node.text === "*") return "*";
  if (node.kind !== "object") {
    const found = node.kind === "string" ? `'${node.text}'` : described(node);
    throw policyFault(place, node.at, path, `must be "*" or an object such as {"AWS": "…"}, not ${found}`);
  }
  if (node.entries.size === 0) throw policyFault(place, node.at, path, "is empty");
  const lists = [...node.entries].map(([type, value]) => {
    const inside = pathTo(path, type);
    if (!TYPES.includes(type)) {
      throw policyFault(place, value.at, inside, "is no type of principal", `known are ${TYPES.join(", ")}`);
    }
    const items = value.kind === "array" ? value.items : [value];
    if (items.length === 0) throw policyFault(place, value.at, inside, "is empty");
    const names = items.map((item, index) => {
      const at = value.kind === "array" ? pathTo(inside, index) : inside;
      if (item.kind !== "string") throw policyFault(place, item.at, at, `must be a string, not ${described(item)}`);
      const problem = checkName(type, item.text);
      if (problem) throw policyFault(place, item.at, at, problem);
      return item.text;
    });
    return [type, names] as const;
  });
  return Object.fromEntries(lists);
}

function checkName(type: string, name: string): string | undefined {
  if (type === "AWS" && name === "*") return undefined;
  if (/[*?]/.test(name)) return `'${name}': a principal is named in full, or is "*" for everyone`;
  if (type === "AWS" && !/^(?:\d{12}|arn:[^:]+:(?:iam|sts)::\d{12}:.+|A[A-Z0-9]{15,})$/.test(name)) {
    return `'${name}' is no account, ARN or unique id`;
  }
  if (name === "") return "is an empty string";
  return undefined;
}

/** The caller as the matching needs it. */
export interface Caller {
  readonly arn: string;
  readonly account: string | undefined;
  /** `arn:aws:iam::123456789012:role/` and `R`, for a session of the role and for the role itself. */
  readonly role: { readonly account: string; readonly name: string } | undefined;
  /** An assumed role, as against the role's own ARN. */
  readonly session: boolean;
}

/**
 * How a resource policy names the caller, most specific first. `direct`: the user, session, service or everyone, so that nothing else need allow
 * it; `role`: the session's role, so that boundary and session policy still limit it; `account`: the account decides by its own policies.
 */
export type Naming = "direct" | "role" | "account";

/** Takes a caller's ARN (or service name) apart. */
export function readCaller(arn: string): Caller {
  const [, , service, , account, ...rest] = arn.split(":");
  const [type, ...names] = rest.join(":").split("/");
  if (!account) return { arn, account: undefined, role: undefined, session: false };
  if (service === "sts" && type === "assumed-role") return { arn, account, role: { account, name: names[0] ?? "" }, session: true };
  if (service === "iam" && type === "role") return { arn, account, role: { account, name: names.at(-1) ?? "" }, session: false };
  return { arn, account, role: undefined, session: false };
}

/** How `principal` names the caller; undefined when it does not. */
export function naming(principal: Principal, caller: Caller): Naming | undefined {
  if (principal === "*") return "direct";
  let best: Naming | undefined;
  for (const [type, names] of Object.entries(principal)) {
    for (const name of names) {
      const found = namedBy(type, name, caller);
      if (found === "direct") return found;
      best = found === "role" ? found : (best ?? found);
    }
  }
  return best;
}

function namedBy(type: string, name: string, caller: Caller): Naming | undefined {
  if (type !== "AWS") return name === caller.arn ? "direct" : undefined;
  if (name === "*") return caller.account === undefined && caller.arn.includes(".") ? undefined : "direct";
  if (caller.role && isRole(name, caller.role)) return "role";
  if (name === caller.arn && !name.endsWith(":root")) return "direct";
  if (caller.account === undefined) return undefined;
  const account = /^(?:(\d{12})|arn:[^:]+:iam::(\d{12}):root)$/.exec(name);
  return account && (account[1] ?? account[2]) === caller.account ? "account" : undefined;
}

/** Role names are unique in an account whatever their path, and a session's ARN does not tell the path. */
function isRole(name: string, role: NonNullable<Caller["role"]>): boolean {
  const match = /^arn:[^:]+:iam::(\d{12}):role\/(.+)$/.exec(name);
  return match !== null && match[1] === role.account && match[2]?.split("/").at(-1) === role.name;
}

/**
 * Whether a NotPrincipal surely leaves the caller out. For a session both the session and its role must be listed, since AWS may check each of
 * them (IAM User Guide, reference_policies_elements_notprincipal); an account alone leaves out nobody in it.
 */
export function surelyListed(principal: Principal, caller: Caller): boolean {
  if (principal === "*") return true;
  const aws = principal["AWS"] ?? [];
  const others = Object.entries(principal).some(([type, names]) => type !== "AWS" && names.includes(caller.arn));
  if (others || aws.includes("*")) return true;
  if (!aws.includes(caller.arn) && !(caller.role && !caller.session)) return false;
  const { role } = caller;
  return role === undefined || aws.some((name) => isRole(name, role));
}
