// What is looked at: one policy, what it is for, and what its statements cover. Called by every check of this folder.
import type { Instant } from "../../core/clock.ts";
import type { ActionFacts, Catalogue } from "../catalogue.ts";
import type { PolicyDocument, Statement } from "../types.ts";

/**
 * `identity`: a role's or user's policy; `session`: sent to STS; `boundary`: a permission boundary; `trust`: who may assume a role; `resource`: of a
 * bucket, key or queue; `service-control`: of an organization.
 */
export type PolicyKind = "identity" | "session" | "boundary" | "trust" | "resource" | "service-control";

export const policyKinds: readonly PolicyKind[] = ["identity", "session", "boundary", "trust", "resource", "service-control"];

export interface Subject {
  readonly kind: PolicyKind;
  readonly document: PolicyDocument;
  readonly catalogue: Catalogue;
  /** Actions, in lower case, that the policy is there for. */
  readonly accepts: ReadonlySet<string>;
  /** For dates that have passed; without it none has. */
  readonly now: Instant | undefined;
}

/** A kind of which an Allow is no grant by itself, only what the others may still give. */
export function isCeiling(kind: PolicyKind): boolean {
  return kind === "boundary" || kind === "service-control";
}

/** The actions of an entry of `Action`, with where it stands. */
export interface Entry {
  readonly pattern: string;
  readonly index: number;
  readonly actions: readonly ActionFacts[];
}

/** Each entry of a statement's Action list; empty for NotAction. */
export function entriesOf({ action }: Statement, catalogue: Catalogue): Entry[] {
  return (action ?? []).map((pattern, index) => ({ pattern, index, actions: catalogue.matching(pattern) }));
}

export const hasWildcard = (text: string): boolean => /[*?]/.test(text);

/** `*`, or an ARN that leaves the name of the resource wholly open, such as `arn:aws:s3:::*` or `arn:aws:ec2:*:*:instance/*`. */
export function isAnyResource(resource: string): boolean {
  if (/^\*+$/.test(resource)) return true;
  const [, , service, , , ...rest] = resource.split(":");
  const name = rest.join(":");
  if (name === "") return resource.endsWith("*");
  // A bucket's name stands where other services have the type of a resource.
  return service === "s3" ? /^\*+(?:\/\*+)*$/.test(name) : /^(?:[a-z-]+[:/])?\*+(?:\/\*+)*$/i.test(name);
}

/** Whether a statement applies to every resource: through Resource, or through NotResource, which leaves out but a few. */
export function onAnyResource({ resource, notResource }: Statement): boolean {
  return notResource !== undefined || (resource ?? ["*"]).some(isAnyResource);
}

/** Where the resources of a statement stand. */
export function resourceSteps(statement: Statement): readonly (string | number)[] {
  if (statement.resource === undefined) return statement.notResource ? ["NotResource"] : [];
  const index = statement.resource.findIndex(isAnyResource);
  return ["Resource", Math.max(index, 0)];
}
