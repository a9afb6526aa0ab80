// EC2 of the local cloud through the official SDK: pretend instances that can be described, stopped, started and terminated.
import {
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { assume, ec2, refusal } from "./clients.ts";

type Client = ReturnType<typeof ec2>;

async function states(client: Client, input: object = {}): Promise<Record<string, string>> {
  const { Reservations } = await client.send(new DescribeInstancesCommand(input));
  const all = (Reservations ?? []).flatMap((one) => one.Instances ?? []);
  return Object.fromEntries(all.map((one) => [one.Tags?.find((tag) => tag.Key === "Name")?.Value ?? "", one.State?.Name ?? ""]));
}

async function idOf(client: Client, name: string): Promise<string> {
  const { Reservations } = await client.send(new DescribeInstancesCommand({ Filters: [{ Name: "tag:Name", Values: [name] }] }));
  return Reservations?.[0]?.Instances?.[0]?.InstanceId ?? "";
}

describe("the pretend instances", () => {
  it("are described, by id and by filter", async () => {
    await using cloud = await startLocalCloud();
    const client = ec2(cloud);
    expect(await states(client)).toEqual({ "web-1": "running", "web-2": "running", database: "running" });
    expect(
      await states(client, {
        Filters: [
          { Name: "tag:Name", Values: ["web-*"] },
          { Name: "instance-state-name", Values: ["running"] },
        ],
      }),
    ).toEqual({ "web-1": "running", "web-2": "running" });
    const id = await idOf(client, "database");
    expect(id).toMatch(/^i-[0-9a-f]{17}$/);
    expect(await states(client, { InstanceIds: [id] })).toEqual({ database: "running" });
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(Reservations?.[0]).toMatchObject({
      OwnerId: "123456789012",
      Instances: [{ InstanceType: "t3.micro", State: { Code: 16, Name: "running" } }],
    });
    expect(Reservations?.[0]?.Instances?.[0]?.LaunchTime).toBeInstanceOf(Date);
  });

  it("are stopped, started and terminated, each with the state before and after", async () => {
    await using cloud = await startLocalCloud();
    const client = ec2(cloud);
    const InstanceIds = [await idOf(client, "web-1")];
    const stopped = await client.send(new StopInstancesCommand({ InstanceIds }));
    expect(stopped.StoppingInstances?.[0]).toMatchObject({
      PreviousState: { Name: "running" },
      CurrentState: { Code: 64, Name: "stopping" },
    });
    expect((await states(client))["web-1"]).toBe("stopped");
    const started = await client.send(new StartInstancesCommand({ InstanceIds }));
    expect(started.StartingInstances?.[0]).toMatchObject({ PreviousState: { Name: "stopped" }, CurrentState: { Name: "pending" } });
    const ended = await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(ended.TerminatingInstances?.[0]).toMatchObject({
      PreviousState: { Name: "running" },
      CurrentState: { Code: 32, Name: "shutting-down" },
    });
    expect(await states(client)).toEqual({ "web-1": "terminated", "web-2": "running", database: "running" });
    expect((await refusal(client.send(new StartInstancesCommand({ InstanceIds })))).code).toBe("IncorrectInstanceState");
  });

  it("are not touched by a dry run, which says what would have been", async () => {
    await using cloud = await startLocalCloud();
    const InstanceIds = [await idOf(ec2(cloud), "web-1")];
    const command = new TerminateInstancesCommand({ InstanceIds, DryRun: true });
    expect(await refusal(ec2(cloud).send(command))).toEqual({
      code: "DryRunOperation",
      status: 412,
      message: "Request would have succeeded, but DryRun flag is set.",
    });
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "ec2:Describe*", Resource: "*" }] });
    expect(await refusal(ec2(cloud, await assume(cloud, { Policy })).send(command))).toMatchObject({
      code: "UnauthorizedOperation",
      status: 403,
    });
    expect((await states(ec2(cloud)))["web-1"]).toBe("running");
  });

  it("are all named or none is touched", async () => {
    await using cloud = await startLocalCloud();
    const client = ec2(cloud);
    const id = await idOf(client, "web-1");
    const ghost = "i-0123456789abcdef0";
    expect(await refusal(client.send(new TerminateInstancesCommand({ InstanceIds: [id, ghost] })))).toEqual({
      code: "InvalidInstanceID.NotFound",
      status: 400,
      message: `The instance ID '${ghost}' does not exist`,
    });
    expect((await refusal(client.send(new TerminateInstancesCommand({ InstanceIds: ["web-1"] })))).code).toBe(
      "InvalidInstanceID.Malformed",
    );
    expect((await refusal(client.send(new TerminateInstancesCommand({ InstanceIds: [] })))).code).toBe("MissingParameter");
    expect((await states(client))["web-1"]).toBe("running");
  });
});

describe("EC2 beside its instances", () => {
  it("knows regions and one security group, and says InvalidAction for the rest", async () => {
    await using cloud = await startLocalCloud();
    const client = ec2(cloud);
    expect((await client.send(new DescribeRegionsCommand({}))).Regions?.map((region) => region.RegionName)).toContain("us-east-1");
    expect((await client.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups?.map((group) => group.GroupName)).toEqual(["default"]);
    expect(await refusal(client.send(new DescribeVolumesCommand({})))).toEqual({
      code: "InvalidAction",
      status: 400,
      message: "The action DescribeVolumes is not valid for this web service.",
    });
  });
});
