// What an account holds at the start, as plain data, and the account that the demo uses. Read by cloud.ts.
import type { Account, Role, User } from "./account.ts";
import { type Instance, newInstance } from "./ec2.ts";
import { md5, type ObjectStore } from "./s3/store.ts";

/** A policy as IAM JSON, already parsed. */
export type PolicyJson = Readonly<Record<string, unknown>>;

interface SeedHolder {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Inline policies by name. */
  readonly policies?: Readonly<Record<string, PolicyJson>>;
  /** ARNs of managed policies. */
  readonly attached?: readonly string[];
  /** ARN of a managed policy. */
  readonly boundary?: string;
}

export interface SeedUser extends SeedHolder {
  /** Random ones when absent. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Gives the user the device `arn:aws:iam::<account>:mfa/<name>`. */
  readonly mfa?: boolean;
}

export interface SeedRole extends SeedHolder {
  readonly trust: PolicyJson;
  readonly maxSessionSeconds?: number;
}

export interface Seed {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  /** The first one is `admin` of the handle. */
  readonly users: readonly SeedUser[];
  readonly roles: readonly SeedRole[];
  /** Managed policies of the account by name. */
  readonly policies?: Readonly<Record<string, PolicyJson>>;
  /** Objects by key in buckets by name. */
  readonly buckets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Names of pretend instances; all are running. */
  readonly instances: readonly string[];
}

export const DEMO_ACCOUNT = "123456789012";
export const DEMO_ROLE = "agent-demo";

/** Identity-based policy that allows everything: what an administrator has. */
export const allowAll: PolicyJson = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

/** Trust policy that lets `principal` (an ARN) assume a role with tags and a source identity. */
export function trusts(principal: string): PolicyJson {
  const Action = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: principal }, Action }] };
}

/** One developer with administrator rights, one role that is broad on purpose: what an agent then cannot do, the session policy took away. */
export const demoSeed: Seed = {
  account: DEMO_ACCOUNT,
  region: "us-east-1",
  users: [{ name: "dev", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"], mfa: true }],
  roles: [
    {
      name: DEMO_ROLE,
      trust: trusts(`arn:aws:iam::${DEMO_ACCOUNT}:user/dev`),
      policies: {
        "team-access": {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "EverythingTheTeamUses",
              Effect: "Allow",
              Action: [
                "s3:*",
                "ec2:*",
                "iam:Get*",
                "iam:List*",
                "iam:SimulatePrincipalPolicy",
                "cloudtrail:LookupEvents",
                "sts:AssumeRole",
              ],
              Resource: "*",
            },
          ],
        },
      },
      maxSessionSeconds: 14_400,
    },
  ],
  buckets: {
    "acme-website": {
      "index.html": "<!doctype html>\n<title>Acme</title>\n<h1>Welcome to Acme</h1>\n",
      "robots.txt": "User-agent: *\nAllow: /\n",
      "assets/app.css": "body { font-family: sans-serif }\n",
    },
    "acme-data": {
      "orders/2026-10.csv": "id,item,amount\n1001,anvil,2\n1002,rocket skates,1\n",
      "orders/2026-11.csv": "id,item,amount\n1003,tunnel paint,7\n",
      "reports/q3.txt": "Revenue is up. The customer keeps coming back.\n",
    },
    "acme-backups": { "db/2026-11-21.sql.gz": "not really a database\n" },
  },
  instances: ["web-1", "web-2", "database"],
};

/** Managed policies of AWS that the local cloud knows, by name. The real ones of the second and third list every service. */
const AWS_MANAGED: Readonly<Record<string, PolicyJson>> = {
  AdministratorAccess: allowAll,
  ReadOnlyAccess: {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: [
          "cloudtrail:LookupEvents",
          "ec2:Describe*",
          "iam:Get*",
          "iam:List*",
          "iam:Simulate*",
          "s3:Get*",
          "s3:List*",
          "sts:GetCallerIdentity",
        ],
        Resource: "*",
      },
    ],
  },
  PowerUserAccess: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" }],
  },
  AmazonS3ReadOnlyAccess: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["s3:Get*", "s3:List*", "s3:Describe*"], Resource: "*" }],
  },
  AWSDenyAll: { Version: "2012-10-17", Statement: [{ Sid: "DenyAll", Effect: "Deny", Action: ["*"], Resource: "*" }] },
};

/** Fills an empty account. @throws AgentRunError `policy` for a malformed policy of the seed */
export function plant(seed: Seed, account: Account, store: ObjectStore): Instance[] {
  const now = account.clock.now();
  for (const [name, policy] of Object.entries(AWS_MANAGED)) account.addPolicy("aws", name, "/", JSON.stringify(policy));
  for (const [name, policy] of Object.entries(seed.policies ?? {})) account.addPolicy(account.id, name, "/", JSON.stringify(policy));
  for (const entry of seed.users) {
    const mfaSerial = entry.mfa ? account.arn(`mfa/${entry.name}`) : undefined;
    const user: User = { kind: "user", ...account.holder("AIDA", "user", entry.name, "/"), mfaSerial };
    fill(account, user, entry);
    account.users.set(user.name, user);
    const { accessKeyId, secretAccessKey } = entry;
    account.issue(user, undefined, accessKeyId && secretAccessKey ? { accessKeyId, secret: secretAccessKey } : undefined);
  }
  for (const entry of seed.roles) {
    const role: Role = {
      kind: "role",
      ...account.holder("AROA", "role", entry.name, "/"),
      trust: JSON.stringify(entry.trust),
      description: undefined,
      maxSessionSeconds: entry.maxSessionSeconds ?? 3600,
      lastUsedAt: undefined,
    };
    fill(account, role, entry);
    account.roles.set(role.name, role);
  }
  for (const [name, objects] of Object.entries(seed.buckets)) {
    const bucket = store.create(name, seed.region, now);
    for (const [key, text] of Object.entries(objects)) {
      const body = Buffer.from(text);
      store.put(bucket, key, { body, etag: md5(body), modifiedAt: now, headers: {}, checksums: {} });
    }
  }
  return seed.instances.map((name, index) => newInstance(name, index, now));
}

function fill(account: Account, holder: User | Role, entry: SeedHolder): void {
  for (const [key, value] of Object.entries(entry.tags ?? {})) holder.tags.set(key, value);
  for (const [name, policy] of Object.entries(entry.policies ?? {})) holder.inline.set(name, JSON.stringify(policy));
  for (const arn of entry.attached ?? []) holder.attached.add(arn);
  holder.boundary = entry.boundary;
  account.settle(holder);
}
