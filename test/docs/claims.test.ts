// No claim without a test: each point of the README's beginning, and each promise of the pages, with the tests that would fail if it were not so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../packages/toolbox.ts";
import { PROMISES } from "./promises.ts";
import { expectTest, type Proof } from "./proof.ts";

/** By the first words of the claim. */
const CLAIMS: Readonly<Record<string, readonly Proof[]>> = {
  "it finds your credentials": [
    ["aws/identity.test.ts", "the root user %s is refused"],
    ["end-to-end/pipes.test.ts", "gives the agent a session of the role, under the session's name"],
  ],
  "it assumes a **short-lived role**": [
    ["end-to-end/pipes.test.ts", "tags the session, names the developer, and cuts it down by the session policy"],
    ["end-to-end/demo.test.ts", "runs an agent that may read and may not delete, and says so"],
  ],
  "it asks AWS who the agent would be": [
    ["end-to-end/identity-gate.test.ts", "launches the agent when STS tells the truth through the same door"],
  ],
  "it runs the agent in a terminal of its own": [
    ["end-to-end/clients.test.ts", "lets nobody use, see or ask for what the human has"],
    ["isolation/sandbox.test.ts", "shows none of the planted secrets, by whatever way they are named"],
    ["terminal/attach.test.ts", "gets exactly the environment of its command"],
  ],
  "it renews them while the agent works": [
    ["end-to-end/lifecycle.test.ts", "goes on past the lifetime of its credentials, without a restart of the agent"],
    ["end-to-end/lifecycle.test.ts", "is ended within a second of its limit, with exit status 124"],
  ],
  "the last line of the terminal": [
    ["terminal/attach.test.ts", "shows the bar on the last row"],
    ["terminal/attach.test.ts", "is ended by Ctrl-K twice, with half a second between"],
    ["transcripts/kill-key-twice.txt"],
  ],
  "at the end nothing is left": [
    ["end-to-end/pipes.test.ts", "leaves no file, no port and no open session"],
    ["end-to-end/pipes.test.ts", "ends what the agent left running in the background"],
    ["end-to-end/pipes.test.ts", "shows the timeline of a session in the audit, and finds its records whole"],
    ["end-to-end/lifecycle.test.ts", "SIGKILL of the launcher: within 5 s no agent, no endpoint, no file"],
  ],
  "The agent notices nothing": [
    ["end-to-end/pipes.test.ts", "passes stdin, stdout and stderr byte for byte"],
    ["terminal/attach.test.ts", "loses no byte at its end"],
    ["terminal/attach.test.ts", "gets Ctrl-C once, and nothing else does"],
    ["end-to-end/environment.test.ts", "in a terminal"],
    ["oracle/agents.test.ts"],
  ],
  "AWS has no way to take back keys": [
    ["end-to-end/revoke.test.ts", "denies copied keys once it says confirmed"],
    ["end-to-end/revoke.test.ts", "until when the keys live"],
  ],
};

const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const beginning = readme.slice(0, readme.indexOf("\n## Try it"));
const points = [...beginning.matchAll(/^- (.*)$/gm)].map(([, point = ""]) => point);

describe("the README", () => {
  it("begins with claims that are all in this table", () => {
    expect(points.length).toBeGreaterThan(5);
    for (const point of points)
      expect(
        Object.keys(CLAIMS).some((claim) => point.startsWith(claim)),
        point,
      ).toBe(true);
  });

  it.each(Object.entries(CLAIMS))("claims '%s…', and tests hold it", (claim, proofs) => {
    expect(readme).toContain(claim);
    for (const proof of proofs) expectTest(proof);
  });
});

describe("the launch that the README shows", () => {
  const shown = /^```text\n(.*?)^```$/ms.exec(readme)?.[1]?.split("\n") ?? [];
  const transcript = readFileSync(join(ROOT, "test", "transcripts", "start.txt"), "utf8");

  it("has the lines that a transcript sees on a real terminal", () => {
    const steps = shown.filter((line) => line.startsWith("✓"));
    expect(steps.length).toBeGreaterThan(3);
    for (const step of steps)
      expect(transcript).toContain(`| ${step.replace(/isolation \w+$/, "isolation none").replace(/sess_[0-9a-f]{8}/, "sess_…")}\n`);
  });

  it("tries what the demo proposes", () => {
    // Where there is no aws, the demo has one of another name.
    const command = shown.find((line) => line.startsWith("$ aws "))?.slice("$ aws ".length);
    expect(readFileSync(join(ROOT, "src", "cli", "demo.ts"), "utf8")).toContain(`\`$\{aws} ${command}\``);
  });
});

describe.each(Object.entries(PROMISES))("%s", (page, promises) => {
  // A page breaks its lines where it likes.
  const text = readFileSync(join(ROOT, page), "utf8").replace(/\s+/g, " ");

  it.each(Object.entries(promises))("promises '%s', and tests hold it", (words, proofs) => {
    expect(text).toContain(words);
    expect(proofs.length).toBeGreaterThan(0);
    for (const proof of proofs) expectTest(proof);
  });
});

describe("the list of promises", () => {
  it("holds sixty at least, and some of each page that promises", () => {
    const counts = Object.entries(PROMISES).map(([page, promises]) => [page, Object.keys(promises).length] as const);
    for (const [page, count] of counts) expect(count, page).toBeGreaterThan(9);
    expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(60);
  });

  it("would notice a test that is not there", () => {
    expect(() => expectTest(["docs/claims.test.ts", "is no test's" + " title"])).toThrow();
    expect(() => expectTest(["docs/no-such.test.ts"])).toThrow();
  });
});
