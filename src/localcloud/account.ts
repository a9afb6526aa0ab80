// The account: users, roles, managed policies and keys, and what each principal may do from when on. Changed by the IAM and STS handlers.
import { randomBytes, randomInt } from "node:crypto";
import type { Clock, Instant } from "../core/clock.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyDocument } from "../policy/types.ts";
import { Eventual } from "./eventual.ts";

/** What the evaluator needs of a principal, as it holds at some instant. */
export interface Permissions {
  readonly identity: readonly PolicyDocument[];
  readonly boundary: readonly PolicyDocument[] | undefined;
  /** Roles only. */
  readonly trust: PolicyDocument | undefined;
}

interface Holder {
  readonly name: string;
  readonly path: string;
  /** `AIDA…` or `AROA…` */
  readonly id: string;
  readonly arn: string;
  readonly createdAt: Instant;
  readonly tags: Map<string, string>;
  /** Inline policies by name: the text as it was sent. */
  readonly inline: Map<string, string>;
  /** ARNs of attached managed policies. */
  readonly attached: Set<string>;
  /** ARN of the permissions boundary. */
  boundary: string | undefined;
  readonly permissions: Eventual<Permissions>;
}

export interface User extends Holder {
  readonly kind: "user";
  /** ARN of the virtual MFA device, where the user has one. */
  readonly mfaSerial: string | undefined;
}

export interface Role extends Holder {
  readonly kind: "role";
  trust: string;
  description: string | undefined;
  maxSessionSeconds: number;
  lastUsedAt: Instant | undefined;
}

export interface PolicyVersion {
  /** `v1`, `v2`, …; a number is never given twice. */
  readonly id: string;
  readonly text: string;
  readonly createdAt: Instant;
}

export interface ManagedPolicy {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly description: string | undefined;
  readonly createdAt: Instant;
  readonly tags: Map<string, string>;
  /** Oldest first. */
  readonly versions: PolicyVersion[];
  /** The version that holds. */
  inForce: PolicyVersion;
}

/** A session that STS made. */
export interface Session {
  readonly kind: "role" | "user" | "federated";
  /** Role session name, or the federated user's name. */
  readonly name: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly tags: ReadonlyMap<string, string>;
  /** Keys of `tags` that go on to the next role of a chain. */
  readonly transitive: ReadonlySet<string>;
  readonly sourceIdentity: string | undefined;
  /** Session policies; undefined when none were sent. */
  readonly policies: readonly PolicyDocument[] | undefined;
  readonly mfaAt: Instant | undefined;
}

/** Who a key belongs to; `holder` is undefined for the account's root user. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly token: string | undefined;
  readonly holder: User | Role | undefined;
  readonly session: Session | undefined;
  readonly createdAt: Instant;
  /** A user's own key may be switched off. */
  active: boolean;
  lastUsed: { readonly at: Instant; readonly service: string } | undefined;
}

export class Account {
  readonly id: string;
  readonly users = new Map<string, User>();
  readonly roles = new Map<string, Role>();
  readonly policies = new Map<string, ManagedPolicy>();
  readonly keys = new Map<string, AccessKey>();
  readonly clock: Clock;
  readonly #propagationMs: () => number;

  /** @param propagationMs how long a change of a policy takes to take effect, asked at each change */
  constructor(id: string, clock: Clock, propagationMs: () => number) {
    this.id = id;
    this.clock = clock;
    this.#propagationMs = propagationMs;
  }

  /** @param resource `role/agent-demo` */
  arn(resource: string): string {
    return `arn:aws:iam::${this.id}:${resource}`;
  }

  /** A user or role with nothing allowed yet; call `settle` or `changed` once its policies are in. */
  holder(prefix: "AIDA" | "AROA", type: "user" | "role", name: string, path: string): Holder {
    return {
      name,
      path,
      id: newId(prefix),
      arn: this.arn(`${type}${path}${name}`),
      createdAt: this.clock.now(),
      tags: new Map(),
      inline: new Map(),
      attached: new Set(),
      boundary: undefined,
      permissions: new Eventual(),
    };
  }

  /** @param owner the account's id, or `aws` for those of AWS */
  addPolicy(owner: string, name: string, path: string, text: string, description?: string): ManagedPolicy {
    const arn = `arn:aws:iam::${owner}:policy${path}${name}`;
    const createdAt = this.clock.now();
    const first: PolicyVersion = { id: "v1", text, createdAt };
    const tags = new Map<string, string>();
    const policy = { name, path, arn, id: newId("ANPA"), description, createdAt, tags, versions: [first], inForce: first };
    this.policies.set(arn, policy);
    return policy;
  }

  /** Another version of a managed policy holds: for everyone who has it attached or as a boundary, after the propagation delay. */
  putInForce(policy: ManagedPolicy, version: PolicyVersion): void {
    policy.inForce = version;
    for (const holder of [...this.users.values(), ...this.roles.values()]) {
      if (holder.attached.has(policy.arn) || holder.boundary === policy.arn) this.changed(holder);
    }
  }

  /** The policies of a principal were changed: they hold after the propagation delay. */
  changed(holder: User | Role): void {
    holder.permissions.set(this.#read(holder), this.clock.now() + this.#propagationMs());
  }

  /** As `changed`, but holding from now on: for the seed. */
  settle(holder: User | Role): void {
    holder.permissions.set(this.#read(holder), this.clock.now());
  }

  #read(holder: User | Role): Permissions {
    const inline = [...holder.inline].map(([name, text]) => parsePolicy(text, `${holder.kind}_${holder.name}_${name}`));
    const attached = [...holder.attached].flatMap((arn) => this.policies.get(arn) ?? []);
    const boundary = holder.boundary === undefined ? undefined : this.policies.get(holder.boundary);
    return {
      identity: [...inline, ...attached.map((policy) => parsePolicy(policy.inForce.text, policy.name))],
      boundary: holder.boundary === undefined ? undefined : boundary ? [parsePolicy(boundary.inForce.text, boundary.name)] : [],
      trust: holder.kind === "role" ? parsePolicy(holder.trust, `trust policy of ${holder.name}`, { kind: "resource" }) : undefined,
    };
  }

  /** A new key pair; with a session also a token. */
  issue(holder: User | Role | undefined, session?: Session, fixed?: { accessKeyId: string; secret: string }): AccessKey {
    const key: AccessKey = {
      accessKeyId: fixed?.accessKeyId ?? newId(session ? "ASIA" : "AKIA", 16),
      secret: fixed?.secret ?? randomBytes(30).toString("base64"),
      token: session && `IQoJb3JpZ2luX2VjE${randomBytes(255).toString("base64")}`,
      holder,
      session,
      createdAt: this.clock.now(),
      active: true,
      lastUsed: undefined,
    };
    this.keys.set(key.accessKeyId, key);
    return key;
  }

  /** The ARN of a role session or federated user. */
  sessionArn(resource: string): string {
    return `arn:aws:sts::${this.id}:${resource}`;
  }
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `AROA` and 17 characters, as IAM's unique ids are; access keys have 16. */
export function newId(prefix: string, length = 17): string {
  return prefix + Array.from({ length }, () => BASE32[randomInt(32)]).join("");
}
