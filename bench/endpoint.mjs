// How the credential endpoint answers while STS hangs: latency at 200 fetches a second, each over a new connection as SDKs do it, and answers a second
// when 16 clients ask as fast as they can. Run by `npm run bench`, or alone: node bench/endpoint.mjs
import { fork } from "node:child_process";
import { Agent, request } from "node:http";

const PATH = "/v1/s/sess_a8f3b21c/creds";
const RATE = 200;
const GREEDY = 16;
const MS = 3000;

function fetchOnce(port, token, agent) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    request({ agent, host: "127.0.0.1", port, path: PATH, headers: { authorization: token } }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - start);
        else reject(new Error(`status ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end();
  });
}

async function paced(port, token, ms) {
  const running = [];
  const begin = performance.now();
  for (let sent = 0; performance.now() - begin < ms; ) {
    for (; sent < ((performance.now() - begin) / 1000) * RATE; sent += 1) running.push(fetchOnce(port, token, false));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await Promise.all(running);
}

async function greedy(port, token, ms) {
  const agent = new Agent({ keepAlive: true, maxSockets: GREEDY });
  const times = [];
  const end = performance.now() + ms;
  const client = async () => {
    while (performance.now() < end) times.push(await fetchOnce(port, token, agent));
  };
  await Promise.all(Array.from({ length: GREEDY }, client));
  agent.destroy();
  return times;
}

/** Asks from a process of its own, so that the clients' work is not in the endpoint's thread. */
function inChild(message) {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ["--load"]);
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the clients ended with ${code}`)));
    child.send(message);
  });
}

async function measure() {
  const { openEndpoint } = await import("../src/credentials/endpoint.ts");
  const { Broker } = await import("../src/credentials/broker.ts");
  const { Secret } = await import("../src/core/secret.ts");
  const { newToken } = await import("../src/core/id.ts");
  const { systemClock } = await import("../src/core/clock.ts");
  const token = newToken();
  let calls = 0;
  const broker = new Broker({
    obtain: () => {
      calls += 1;
      return new Promise(() => undefined);
    },
    clock: systemClock,
    onEvent: () => undefined,
    initial: {
      accessKeyId: "ASIAEXAMPLE000000001",
      secretAccessKey: new Secret("s".repeat(40)),
      sessionToken: new Secret("t".repeat(900)),
      expiresAt: Date.now() + 600_000,
    },
  });
  // A refresh is under way for the whole measurement and never comes back.
  broker.refresh().catch(() => undefined);
  const endpoint = await openEndpoint({
    session: "sess_a8f3b21c",
    token: new Secret(token),
    credentials: () => broker.current(),
    onFetch: () => undefined,
  });
  const atRate = (await inChild({ load: "paced", port: endpoint.port, token })).sort((left, right) => left - right);
  const most = await inChild({ load: "greedy", port: endpoint.port, token });
  if (calls !== 1) throw new Error(`sts was asked ${calls} times`);
  await endpoint.close();
  broker.stop();
  const at = (part) => atRate[Math.floor(atRate.length * part)];
  console.log(`endpoint with sts stalled: ${Math.round(most.length / (MS / 1000))} answers/s for ${GREEDY} clients`);
  console.log(
    `endpoint with sts stalled, ${RATE} fetches/s on new connections: p50 ${at(0.5).toFixed(2)} ms, p99 ${at(0.99).toFixed(2)} ms ` +
      `(goal below 5 ms: ${at(0.99) < 5 ? "met" : "missed"})`,
  );
}

if (process.argv[2] === "--load") {
  process.once("message", async ({ load, port, token }) => {
    const run = load === "paced" ? paced : greedy;
    await run(port, token, 500);
    process.send(await run(port, token, MS), () => process.disconnect());
  });
} else {
  await measure();
}
