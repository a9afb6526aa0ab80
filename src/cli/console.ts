// `agent-run console`: the AWS console as a session's role, in the human's browser. The daemon asks AWS for it; its address is shown to a terminal or opened, nowhere else.
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, isAbsolute, join } from "node:path";
import { consoleReply } from "../control/requests.ts";
import { ask } from "../control/start-daemon.ts";
import { within } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { typedSession } from "../core/id.ts";
import type { Environment } from "../core/paths.ts";
import { randomHex } from "../core/random.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";

/** Longer than the daemon waits for AWS. */
const LIMIT_MS = 30_000;
/** How long a browser may take to start and come for the address. */
const BROWSER_MS = 60_000;

export const consoleCommand: Command = {
  name: "console",
  outside: true,
  usage: "console [<session>] [--print]",
  summary: "the AWS console as a session's role, where its profile allows it",
  description:
    "Only with console = true in the session's profile, which no repository's file can say, and only from a terminal.\n" +
    "Whoever has the address acts as the session until its keys expire: no bar shows it, Ctrl-K does not end it, and only\n" +
    "the deny that a kill writes in IAM stops it. The bar and the audit say that it was opened.",
  options: [{ name: "print", help: "print the address in this terminal, and open nothing" }],
  examples: [
    ["agent-run console", "of the session that runs"],
    ["agent-run console sess_a8f3b21c --print", "to open it elsewhere"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "console");
    const { paths, print, streams, env } = context;
    if (env["AGENT_RUN"] === "1") {
      throw new AgentRunError("isolation", "the console is not opened from inside a session", { hint: "run it in another terminal" });
    }
    if (!streams.stdin.isTTY || !streams.stdout.isTTY) {
      throw new AgentRunError("usage", "the console's address is shown to a human's terminal only", {
        hint: "run it in a terminal",
        exitStatus: 2,
      });
    }
    const opener = values["print"] === true ? undefined : browserOpener(env);
    const session = words[0] === undefined ? await onlySession(context) : typedSession(words[0]);
    const reply = await ask(paths, { path: "/v1/console", body: { session }, answer: consoleReply, limitMs: LIMIT_MS });
    if (reply === undefined) throw nosuch(session);
    const until = new Date(reply.keysExpireAt).toLocaleTimeString("en-GB");
    print.warn(
      `whoever has this address acts as ${reply.arn} until ${until}: no bar shows it, Ctrl-K does not end it, and only a kill that denies its keys in IAM stops it`,
    );
    if (opener === undefined) print.out(reply.url);
    else await openIn(opener, reply.url, env);
    return 0;
  },
};

async function onlySession({ paths }: Context): Promise<string> {
  const sessions = (await statusOf(paths))?.sessions.filter(({ state }) => state === "active") ?? [];
  const [first] = sessions;
  if (first !== undefined && sessions.length === 1) return first.session;
  throw new AgentRunError("usage", sessions.length === 0 ? "no session runs" : `which of ${sessions.length} sessions?`, {
    hint: "agent-run ps lists them",
    exitStatus: sessions.length === 0 ? 1 : 2,
  });
}

const nosuch = (session: string): AgentRunError =>
  new AgentRunError("session-not-found", `no session '${session}' runs here`, { hint: "agent-run ps", exitStatus: 1 });

/** @throws AgentRunError `usage` where there is no program that opens a browser */
function browserOpener(env: Environment): string {
  const names = process.platform === "darwin" ? ["open"] : ["xdg-open", "wslview"];
  const folders = (env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const found = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (found !== undefined) return found;
  throw new AgentRunError("usage", `there is no ${names.join(" or ")} to open a browser with`, {
    hint: "agent-run console --print",
    exitStatus: 1,
  });
}

/**
 * The address would be seen in the arguments of the browser, by everybody on the machine: it is given an address of ours, which sends it on, once.
 * @throws AgentRunError `usage` when no browser came
 */
async function openIn(opener: string, url: string, env: Environment): Promise<void> {
  const path = `/${randomHex(16)}`;
  const came = Promise.withResolvers<true>();
  let port = 0;
  let sent = false;
  const server = createServer((request, response) => {
    const right = request.method === "GET" && request.url === path && request.headers.host === `127.0.0.1:${port}`;
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Referrer-Policy", "no-referrer");
    response.setHeader("Connection", "close");
    if (!right || sent) {
      response.writeHead(404).end();
      return;
    }
    sent = true;
    response.writeHead(302, { Location: url }).end(() => came.resolve(true));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  try {
    const child = spawn(opener, [`http://127.0.0.1:${port}${path}`], { stdio: "ignore", detached: true, env: { ...env } });
    child.on("error", () => {});
    child.unref();
    if ((await within(came.promise, BROWSER_MS)) === undefined) {
      throw new AgentRunError("usage", "no browser came for the address", { hint: "agent-run console --print", exitStatus: 1 });
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
