// A real daemon process with sessions that are only names. argv: version, idleMs, watchMs, then words that make it misbehave. Run by the tests.
import type { Lease } from "../../src/control/lease.ts";
import type { Cause, DaemonMessage, LauncherMessage, SessionView } from "../../src/control/protocol.ts";
import { systemClock } from "../../src/core/clock.ts";
import { AgentRunError } from "../../src/core/error.ts";
import { newSessionId } from "../../src/core/id.ts";
import { daemonLog, resolvePaths } from "../../src/core/paths.ts";
import { runDaemon } from "../../src/daemon/daemon.ts";
import { fileLog } from "../../src/daemon/log.ts";
import type { SessionHost } from "../../src/session/host.ts";

const [version = "1.0.0", idleMs = "600000", watchMs = "5000", ...words] = process.argv.slice(2);
const paths = resolvePaths(process.env, process.getuid?.() ?? 0);
const log = fileLog(daemonLog(paths), systemClock);

interface Toy {
  view: SessionView;
  lease: Lease<DaemonMessage, LauncherMessage>;
}
const toys = new Map<string, Toy>();

function end(toy: Toy, cause: Cause): void {
  toy.view = { ...toy.view, state: "ended", cause };
  toys.delete(toy.view.session);
  log.line(`ended ${toy.view.session} ${cause}`);
  toy.lease.send({ type: "ended", view: toy.view, notes: [] });
  toy.lease.close();
}

const host: SessionHost = {
  open(message, lease) {
    const session = newSessionId();
    const now = Date.now();
    const view: SessionView = {
      ...{
        session,
        actor: message.actor,
        profile: "toy",
        role: "toy",
        account: "123456789012",
        arn: "arn:toy",
        developer: message.developer,
      },
      ...{
        project: "toy",
        delivery: "endpoint",
        isolation: "none",
        onExpiry: "stop",
        state: "active",
        startedAt: now,
        limitAt: now + 60_000,
      },
      ...{ credentialsExpireAt: now + 60_000, fetches: 0, refreshes: 0, caveats: [] },
    };
    const toy = { view, lease };
    toys.set(session, toy);
    lease.onMessage((next) => {
      if (next.type === "kill") end(toy, "killed");
      if (next.type === "answer" && next.text === "throw later") setTimeout(() => lateFailure(), 1);
      if (next.type === "answer") lease.send({ type: "status", view });
    });
    void lease.closed.then(() => {
      if (toys.has(session)) end(toy, "lost");
    });
    lease.send({ type: "status", view });
  },
  forgetBases: () => undefined,
  signIns: () => [],
  dropSignIn: () => undefined,
  mfaHeld: () => [],
  forgetMfa: () => [],
  keepSignIn: () => false,
  endSignIn: async () => false,
  views: () => [...toys.values()].map((toy) => toy.view),
  async kill({ session: which }) {
    const chosen = [...toys.values()].filter((toy) => which === "all" || toy.view.session === which);
    if (chosen.length === 0 && which !== "all") throw new AgentRunError("session-not-found", `there is no session '${which}'`);
    for (const toy of chosen) end(toy, "killed");
    return { killed: chosen.map((toy) => ({ session: toy.view.session, endpointClosedMs: 0, notes: [] })) };
  },
  async extend(which) {
    throw new AgentRunError("session-not-found", `there is no session '${which}'`);
  },
  async console(which) {
    throw new AgentRunError("session-not-found", `there is no session '${which}'`);
  },
  async endAll(cause) {
    for (const toy of [...toys.values()]) end(toy, cause);
    if (words.includes("end-throws")) throw new Error("the end failed with wJalrXUtnFEMI0K7MDENGbPxRfiCYEXAMPLEKEY1");
  },
  async recover() {
    if (words.includes("slow-recover")) await new Promise((resolve) => setTimeout(resolve, 1000));
    if (words.includes("recover-throws")) throw new Error("nothing to recover from");
  },
};

function lateFailure(): never {
  throw new Error("a timer failed with wJalrXUtnFEMI0K7MDENGbPxRfiCYEXAMPLEKEY1");
}

// Hangs, without a way back but SIGKILL.
process.on("SIGUSR2", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));

if (words.includes("fails")) {
  console.error("the first line\nthe last words of the daemon");
  process.exit(3);
}
const left = await runDaemon({ paths, version, host, log, idleMs: Number(idleMs), watchMs: Number(watchMs) });
log.line(`left ${left}`);
process.exitCode = left === "broken" ? 1 : 0;
