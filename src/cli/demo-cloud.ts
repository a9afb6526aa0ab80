// The demo's cloud as a child process: started, asked where it is, and ended with the demo. Called by demo.ts.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { within } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { FEW_PROCESSES } from "../core/few-processes.ts";
import { type LocalCloudHello, localCloudHello } from "../localcloud/hello.ts";
import type { Context } from "./command.ts";

/** Half a second as a rule. Node can wait for ever for threads that it does not get. */
const START_LIMIT_MS = 15_000;

export interface DemoCloud extends Disposable, LocalCloudHello {}

/** Starts it and waits for its first line. It leaves when its standard input closes, so it cannot outlive us. Throws AgentRunError `local-cloud`. */
export async function startDemoCloud({ self }: Context): Promise<DemoCloud> {
  const [node, ...args] = self;
  const child = spawn(node, [...args, "local-cloud"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: "/usr/bin:/bin" },
    detached: true,
  });
  child.unref();
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout });
  const started = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () =>
      reject(new AgentRunError("local-cloud", "the local cloud did not start", { hint: `see why: ${[...self, "local-cloud"].join(" ")}` })),
    );
    child.once("error", (error) =>
      reject(new AgentRunError("local-cloud", `cannot start the local cloud: ${messageOf(error)}`, { hint: FEW_PROCESSES, cause: error })),
    );
  });
  const first = await within(started, START_LIMIT_MS);
  if (first === undefined) {
    child.kill("SIGKILL");
    child.stdout.destroy();
    throw new AgentRunError("local-cloud", `the local cloud did not start within ${START_LIMIT_MS / 1000} s`, { hint: FEW_PROCESSES });
  }
  const told = localCloudHello.parse(JSON.parse(first));
  return {
    ...told,
    [Symbol.dispose]() {
      lines.close();
      child.stdin.end();
      child.stdout.destroy();
      child.kill("SIGTERM");
    },
  };
}
