// EC2 (2016-11-15) on a few pretend instances: describe, stop, start, terminate. Registered in cloud.ts.
import { randomBytes } from "node:crypto";
import type { Instant } from "../core/clock.ts";
import { authorize } from "./authorize.ts";
import type { Call, Reply, Service } from "./call.ts";
import { AwsFault } from "./fault.ts";
import type { Params } from "./params.ts";
import { queryOperation, queryParams } from "./query-service.ts";
import { xmlReply } from "./reply.ts";
import { document, type XmlTree } from "./xml.ts";

const NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/";

/** EC2 API Reference, InstanceState. */
const STATES = { pending: 0, running: 16, "shutting-down": 32, terminated: 48, stopping: 64, stopped: 80 } as const;
type State = keyof typeof STATES;

export interface Instance {
  readonly id: string;
  readonly type: string;
  readonly launchedAt: Instant;
  readonly privateIp: string;
  readonly tags: Map<string, string>;
  state: State;
}

export function newInstance(name: string, index: number, now: Instant): Instance {
  return {
    id: `i-0${randomBytes(8).toString("hex").slice(0, 16)}`,
    type: "t3.micro",
    launchedAt: now,
    privateIp: `10.0.0.${10 + index}`,
    tags: new Map([["Name", name]]),
    state: "running",
  };
}

const REGIONS = ["eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"];
const GROUP = { groupId: "sg-0a1b2c3d4e5f60718", groupName: "default" };
const VPC = "vpc-0a1b2c3d4e5f60718";

type Operation = (call: Call, params: Params, instances: readonly Instance[]) => XmlTree;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  DescribeInstances: describeInstances,
  DescribeRegions: describeRegions,
  DescribeSecurityGroups: describeSecurityGroups,
  StartInstances: (call, params, all) => change(call, params, all, { from: "stopped", during: "pending", to: "running" }),
  StopInstances: (call, params, all) => change(call, params, all, { from: "running", during: "stopping", to: "stopped" }),
  TerminateInstances: (call, params, all) => change(call, params, all, { from: undefined, during: "shutting-down", to: "terminated" }),
};

export function ec2Service(instances: readonly Instance[]): Service {
  return {
    name: "ec2",
    dialect: "ec2",
    operation: queryOperation,
    handle: (call) => handle(call, instances),
    managementEvent: () => true,
  };
}

function handle(call: Call, instances: readonly Instance[]): Reply {
  const params = queryParams(call.head, call.body);
  const operation = Object.hasOwn(OPERATIONS, call.operation) ? OPERATIONS[call.operation] : undefined;
  if (!operation) throw new AwsFault("InvalidAction", 400, `The action ${call.operation} is not valid for this web service.`);
  call.notes.request = params.toJSON();
  const tree = { requestId: call.requestId, ...operation(call, params, instances) };
  const body = document(`${call.operation}Response`, NAMESPACE, tree, "item");
  return xmlReply(200, body, { "x-amzn-requestid": call.requestId });
}

function allow(call: Call, resource: string, tags: ReadonlyMap<string, string> = new Map()): void {
  const context: Record<string, string> = { "ec2:Region": call.region };
  for (const [key, value] of tags) {
    context[`aws:ResourceTag/${key}`] = value;
    context[`ec2:ResourceTag/${key}`] = value;
  }
  authorize(call, { action: `ec2:${call.operation}`, resource, context });
}

/** With `DryRun`, the answer to the question alone, which is an error too. @throws AwsFault `DryRunOperation` */
function checkDryRun(params: Params): void {
  if (params.get("DryRun") === "true") {
    throw new AwsFault("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.");
  }
}

/** The instances that were named, in that order. @throws AwsFault `InvalidInstanceID.…` */
function named(params: Params, all: readonly Instance[]): Instance[] {
  const ids = params.list("InstanceId");
  const bad = ids.find((id) => !/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (bad !== undefined) throw new AwsFault("InvalidInstanceID.Malformed", 400, `Invalid id: "${bad}"`);
  const missing = ids.filter((id) => !all.some((instance) => instance.id === id));
  if (missing.length === 1) throw new AwsFault("InvalidInstanceID.NotFound", 400, `The instance ID '${missing[0]}' does not exist`);
  if (missing.length > 1) {
    throw new AwsFault("InvalidInstanceID.NotFound", 400, `The instance IDs '${missing.join(", ")}' do not exist`);
  }
  return ids.flatMap((id) => all.find((instance) => instance.id === id) ?? []);
}

function describeInstances(call: Call, params: Params, all: readonly Instance[]): XmlTree {
  allow(call, "*");
  checkDryRun(params);
  const chosen = params.list("InstanceId").length > 0 ? named(params, all) : all;
  const filters = params.structures("Filter").map((entry) => ({ name: entry.get("Name") ?? "", values: entry.list("Value") }));
  const shown = chosen.filter((instance) => filters.every(({ name, values }) => fitsFilter(instance, name, values)));
  return { reservationSet: shown.map((instance) => reservation(call, instance)) };
}

function fitsFilter(instance: Instance, name: string, values: readonly string[]): boolean {
  const facts: Record<string, string | undefined> = {
    "instance-id": instance.id,
    "instance-type": instance.type,
    "instance-state-name": instance.state,
    "instance-state-code": String(STATES[instance.state]),
    "private-ip-address": instance.privateIp,
    "vpc-id": VPC,
  };
  const tag = /^tag:(.+)$/.exec(name)?.[1];
  if (tag === undefined && !Object.hasOwn(facts, name) && name !== "tag-key") {
    throw new AwsFault("InvalidParameterValue", 400, `The filter '${name}' is invalid`);
  }
  const found = tag === undefined ? (name === "tag-key" ? [...instance.tags.keys()] : [facts[name]]) : [instance.tags.get(tag)];
  return found.some((fact) => fact !== undefined && values.some((value) => wildcard(value).test(fact)));
}

/** `*` and `?` in a filter's value. */
function wildcard(value: string): RegExp {
  const source = value
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

function state(name: State): XmlTree {
  return { code: STATES[name], name };
}

function reservation(call: Call, instance: Instance): XmlTree {
  return {
    reservationId: `r-${instance.id.slice(2)}`,
    ownerId: call.cloud.account.id,
    groupSet: [],
    instancesSet: [
      {
        instanceId: instance.id,
        imageId: "ami-0a1b2c3d4e5f60718",
        instanceState: state(instance.state),
        privateDnsName: `ip-${instance.privateIp.replaceAll(".", "-")}.ec2.internal`,
        instanceType: instance.type,
        launchTime: new Date(instance.launchedAt).toISOString(),
        placement: { availabilityZone: `${call.cloud.region}a`, tenancy: "default" },
        monitoring: { state: "disabled" },
        vpcId: VPC,
        privateIpAddress: instance.privateIp,
        architecture: "x86_64",
        tagSet: [...instance.tags].map(([key, value]) => ({ key, value })),
        groupSet: [GROUP],
      },
    ],
  };
}

function describeRegions(call: Call, params: Params): XmlTree {
  allow(call, "*");
  checkDryRun(params);
  const asked = params.list("RegionName");
  const unknown = asked.find((name) => !REGIONS.includes(name));
  if (unknown !== undefined) throw new AwsFault("InvalidParameterValue", 400, `Invalid region provided: ${unknown}`);
  const shown = asked.length > 0 ? asked : REGIONS;
  return {
    regionInfo: shown.map((name) => ({
      regionName: name,
      regionEndpoint: `ec2.${name}.amazonaws.com`,
      optInStatus: "opt-in-not-required",
    })),
  };
}

function describeSecurityGroups(call: Call, params: Params): XmlTree {
  allow(call, "*");
  checkDryRun(params);
  const missing = params.list("GroupId").find((id) => id !== GROUP.groupId);
  if (missing !== undefined) throw new AwsFault("InvalidGroup.NotFound", 400, `The security group '${missing}' does not exist`);
  const group = { ownerId: call.cloud.account.id, ...GROUP, groupDescription: "default VPC security group", ipPermissions: [], vpcId: VPC };
  return { securityGroupInfo: [group] };
}

interface Change {
  /** The only state that it starts from; undefined: any. */
  readonly from: State | undefined;
  /** What the answer shows; the instance is at `to` at once. */
  readonly during: State;
  readonly to: State;
}

function change(call: Call, params: Params, all: readonly Instance[], { from, during, to }: Change): XmlTree {
  if (params.list("InstanceId").length === 0) {
    throw new AwsFault("MissingParameter", 400, "The request must contain the parameter InstanceId");
  }
  const chosen = named(params, all);
  for (const instance of chosen) {
    const arn = `arn:aws:ec2:${call.region}:${call.cloud.account.id}:instance/${instance.id}`;
    call.notes.resources.push({ type: "AWS::EC2::Instance", name: arn });
    allow(call, arn, instance.tags);
  }
  checkDryRun(params);
  for (const instance of chosen) {
    if (from === undefined || instance.state === from || instance.state === to) continue;
    const text = `The instance '${instance.id}' is not in a state from which it can be ${to === "running" ? "started" : "stopped"}.`;
    throw new AwsFault("IncorrectInstanceState", 400, text);
  }
  return {
    instancesSet: chosen.map((instance) => {
      const previous = instance.state;
      instance.state = to;
      return {
        instanceId: instance.id,
        currentState: state(previous === to ? to : during),
        previousState: state(previous),
      };
    }),
  };
}
