// The vocabulary of policy evaluation: documents, requests, decisions. Effects and decisions are spelled as IAM spells them.

export type Effect = "Allow" | "Deny";

/** One `Condition` entry: operator, key, values; the modifiers are taken apart. */
export interface Condition {
  /** Base operator in IAM's spelling, such as `StringLike`. */
  readonly operator: string;
  readonly ifExists: boolean;
  readonly set: "ForAllValues" | "ForAnyValue" | undefined;
  readonly key: string;
  readonly values: readonly string[];
}

/** `*`, or principals by type: `{ AWS: ["arn:…"], Service: ["ec2.amazonaws.com"] }`. */
export type Principal = "*" | Readonly<Record<string, readonly string[]>>;

/** A statement with its single values made lists. Exactly one of each pair (action/notAction, …) is set. */
export interface Statement {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: Effect;
  readonly action: readonly string[] | undefined;
  readonly notAction: readonly string[] | undefined;
  readonly resource: readonly string[] | undefined;
  readonly notResource: readonly string[] | undefined;
  readonly principal: Principal | undefined;
  readonly notPrincipal: Principal | undefined;
  readonly conditions: readonly Condition[];
}

export interface PolicyDocument {
  /** File, ARN or setting that it came from; named in errors and decisions. */
  readonly source: string;
  readonly version: "2012-10-17" | "2008-10-17";
  readonly statements: readonly Statement[];
}

/** Condition keys are looked up without regard to case. A list is a multivalued key. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

export interface PolicyRequest {
  /** ARN of the caller: `arn:aws:sts::…:assumed-role/R/s`, `arn:aws:iam::…:user/u`. */
  readonly principal: string;
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN, or `*` for an action without a resource. */
  readonly resource: string;
  readonly context: RequestContext;
}

/** The policies that apply to a request. An absent kind does not restrict; an empty list of a kind that is there allows nothing. */
export interface PolicySet {
  readonly identity: readonly PolicyDocument[];
  readonly boundary?: readonly PolicyDocument[] | undefined;
  readonly session?: readonly PolicyDocument[] | undefined;
  readonly resource?: readonly PolicyDocument[] | undefined;
  readonly serviceControl?: readonly PolicyDocument[] | undefined;
}

export type PolicyKind = keyof PolicySet;
export type Outcome = "allowed" | "explicitDeny" | "implicitDeny";

export interface Decision {
  readonly outcome: Outcome;
  /** For `allowed` and `explicitDeny`: the statement that made it. */
  readonly statement?: { readonly kind: PolicyKind; readonly source: string; readonly index: number; readonly sid: string | undefined };
  /** For `implicitDeny`: the kind of policy that had no matching Allow. */
  readonly missing?: PolicyKind;
}
