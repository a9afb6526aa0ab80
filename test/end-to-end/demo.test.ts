// The demo as a newcomer meets it, on pipes: the scripted agent, one command, and demo-aws in place of an AWS CLI.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const demo = (...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  world.run(["demo", "--isolation", "none", ...words]);

describe("agent-run demo on pipes", () => {
  it("runs an agent that may read and may not delete, and says so", async () => {
    const { code, stdout, stderr } = await demo();
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^allowed {2}sts get-caller-identity\n +arn:aws:sts::123456789012:assumed-role\/agent-demo\/sess_/);
    expect(stdout).toMatch(/^denied {3}s3 rm .*\n.* with an explicit deny in a session policy$/m);
    expect(stdout).toMatch(/^denied {3}ec2 terminate-instances /m);
  });

  it("has demo-aws for a machine without the AWS CLI", async () => {
    const identity = await demo("demo-aws", "sts", "get-caller-identity");
    expect(JSON.parse(identity.stdout), identity.stderr).toMatchObject({ Arn: expect.stringContaining(":assumed-role/agent-demo/sess_") });
    expect(JSON.parse((await demo("demo-aws", "s3", "ls")).stdout)).toContain("acme-data");
    const refused = await demo("demo-aws", "s3", "rm", "s3://acme-backups/db/2026-11-21.sql.gz");
    expect(refused.stderr).toMatch(/AccessDenied.* explicit deny in a session policy/);
    expect(refused.code).toBe(1);
  });

  it("gives the command's own exit status, and 127 for one that is not there", async () => {
    expect((await demo("sh", "-c", "exit 5")).code).toBe(5);
    expect((await demo("no-such-command")).code).toBe(127);
  });
});
