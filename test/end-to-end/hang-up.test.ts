// What outlives the terminal that it was started in: docs/troubleshooting.md says how, and that nohup is not the way.
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectFiles, putOnPath, sitDown } from "./human.ts";
import { alive, has, makeWorld, until, type World } from "./world.ts";

const LIMIT_MS = 15_000;
let world: World;
beforeAll(async () => {
  world = await makeWorld();
  putOnPath(world);
});
afterAll(() => world[Symbol.asyncDispose]());
const { file, text } = projectFiles(() => world.project);

/** Starts it at a terminal, which is closed once the agent runs; then tells the agent to go on. Gives how it ended. */
async function closedUnder(command: string, name: string): Promise<string> {
  const agent = `trap 'echo hung up > ${name}; exit 1' HUP; trap '' TERM; echo > ${name}-runs; until [ -e ${name}-go ]; do sleep 0.05; done; echo done > ${name}`;
  await using human = await sitDown(world.env, world.project, { cols: 80, rows: 24 });
  human.type(`${command} agent-run exec -- sh -c "${agent}" > ${name}.log 2>&1 < /dev/null &\r`);
  await until(() => existsSync(file(`${name}-runs`)), LIMIT_MS, "the agent");
  human.hangUp();
  if (name === "outlives") {
    await until(() => !alive(human.shell), LIMIT_MS, "the end of the shell");
    await world.run(["exec", "--", "touch", `${name}-go`]);
  }
  await until(() => existsSync(file(name)) && text(name) !== "", LIMIT_MS, "the agent's end");
  return text(name).trim();
}

describe.skipIf(!has("setsid"))("a terminal that is closed (needs setsid, apt-get install util-linux)", () => {
  it("leaves what setsid started alone, and ends what nohup did", async () => {
    expect(await closedUnder("setsid", "outlives")).toBe("done");
    expect(await closedUnder("nohup", "ends")).toBe("hung up");
  });
});
