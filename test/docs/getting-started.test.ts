// docs/getting-started.md, followed literally by a fresh user with the local cloud in place of AWS: every block must succeed and show what the page says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { until } from "../end-to-end/world.ts";
import { hasBubblewrap } from "../isolation/world.ts";
import { has, ROOT } from "../packages/toolbox.ts";
import { type Block, blocksOf, CLAUDE, type Followed, Newcomer } from "./follow.ts";

const page = blocksOf(readFileSync(join(ROOT, "docs", "getting-started.md"), "utf8"));
const blocks = page.filter(({ language }) => language === "sh");
const needs = [
  ...(hasBubblewrap ? [] : ["bubblewrap"]),
  ...(has("/usr/bin/aws") ? [] : ["awscli"]),
  ...(existsSync(CLAUDE) ? [] : ["npm run oracle:agents"]),
];

describe.skipIf(needs.length > 0)(`the getting-started page${needs.length > 0 ? ` (needs ${needs.join(", ")})` : ""}`, () => {
  let cloud: LocalCloud;
  let newcomer: Newcomer;
  let followed: Followed;

  beforeAll(async () => {
    cloud = await startLocalCloud();
    const { accessKeyId, secretAccessKey } = cloud.admin;
    newcomer = new Newcomer(
      {
        ".aws/credentials": `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
        ".aws/config": `[profile dev]\nregion = ${cloud.region}\n`,
      },
      { AWS_ENDPOINT_URL: cloud.url },
    );
    followed = await newcomer.follow(blocks);
  }, 180_000);
  afterAll(async () => {
    newcomer[Symbol.dispose]();
    await cloud[Symbol.asyncDispose]();
  });

  it.each(blocks.map((block, index) => [block.line, index] as const))("succeeds in the block of line %i", (_line, index) => {
    const { status, outputs } = followed;
    if (index > outputs.length - 1) throw new Error("never begun: a block before it failed");
    if (status !== 0 && index === outputs.length - 1)
      throw new Error(`status ${status} of\n${blocks[index]?.text}\nwhich printed\n${outputs[index]}`);
  });

  it("shows what it says that one will see", () => {
    for (const [at, expected] of page.entries()) {
      if (expected.language !== "text") continue;
      const before = page.slice(0, at).findLast(({ language }) => language === "sh") as Block;
      const shown = followed.outputs[blocks.indexOf(before)] ?? "";
      for (const line of expected.text.trim().split("\n"))
        expect(shown.replace(/sess_[0-9a-f]{8}/g, "sess_a8f3b21c"), `line ${expected.line}`).toContain(line.trim());
    }
  });

  it("leaves no program and no process, and never wrote into ~/.aws", async () => {
    expect(existsSync(join(newcomer.home, ".local", "bin", "agent-run"))).toBe(false);
    // The daemon says that it leaves, and does so once its answer is out.
    await until(() => newcomer.processes().length === 0, 20_000, "the last process of the newcomer to end");
    expect(newcomer.files(".aws")).toEqual(["config", "credentials"]);
  });
});

describe("a page that is followed", () => {
  it("fails at the block that fails, and goes no further", async () => {
    using newcomer = new Newcomer();
    const text = "```sh\nX=1\necho one\n```\n\n```sh\nfalse\necho never\n```\n```sh\necho three\n```\n";
    const { status, outputs } = await newcomer.follow(blocksOf(text));
    expect(status).not.toBe(0);
    expect(outputs).toEqual(["one\n", ""]);
  });

  it("is one shell: what a block sets is there in the next one", async () => {
    using newcomer = new Newcomer();
    expect(await newcomer.follow(blocksOf("```sh\nX=1\n```\n```sh\necho $X $PWD\n```\n"))).toEqual({
      status: 0,
      outputs: ["", `1 ${newcomer.home}\n`],
    });
  });
});
