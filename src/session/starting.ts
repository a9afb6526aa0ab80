// The start of a session: AWS is asked, what the agent is served is opened meanwhile, and the launcher hears of each step. Called by session.ts.
import type { DaemonMessage, SessionView } from "../control/protocol.ts";
import { METADATA_CAVEAT, metadataService } from "../isolation/metadata.ts";
import { type Access, describedVariables } from "./access.ts";
import type { AtTerminal } from "./at-terminal.ts";
import { type Grant, obtainGrant, type Place } from "./grant.ts";
import type { Life } from "./life.ts";
import { loadAhead } from "./revocation.ts";
import type { SessionOptions } from "./session-options.ts";
import { writeStatusFile } from "./status-file.ts";
import type { Supply } from "./supply.ts";
import { takeRole } from "./tool-roles.ts";
import { Waiting } from "./waiting.ts";

export interface StartingOptions extends SessionOptions {
  /** The session's own. */
  readonly folder: string;
  readonly life: Life;
  readonly supply: Supply;
  readonly human: AtTerminal;
  readonly view: () => SessionView;
  /** What the agent's place on this machine leaves open. */
  readonly onExposure: (caveat: string) => void;
}

/**
 * Takes the start steps and tells the launcher that the agent may start. A session that ends meanwhile goes no further.
 * @throws AgentRunError whose code says at which step it stopped; nothing was served then
 */
export async function takeStartSteps(options: StartingOptions): Promise<void> {
  const { id, open, profile, lease, folder, life, supply, audit, view } = options;
  lease.send({
    type: "step",
    name: "profile",
    state: "ok",
    text: `profile ${profile.name}: ${profile.delivery} delivery, isolation ${profile.isolation.level}`,
  });
  // After AWS was asked, because sending this takes a millisecond or two.
  if (profile.isolation.level !== "strict") setImmediate(() => void lookForMetadata(options));
  for (const text of profile.notes) lease.send({ type: "step", name: "profile", state: "warning", text });
  const grant = await askAws(options);
  supply.take(grant);
  if (!life.isStarting) return grant.forget();
  const ready = (childEnvironment: Record<string, string>, endpoint: Access["endpoint"]): DaemonMessage => {
    return { type: "ready", view: view(), childEnvironment, ...endpoint };
  };
  if (open.dryRun) {
    lease.send(ready(describedVariables({ session: id, profile, place: grant, folder, path: open.source["PATH"] }), undefined));
    grant.forget();
    life.end("exited");
    return;
  }
  await audit.opened;
  if (!life.isStarting) return grant.forget();
  const access = await supply.open(grant, grant.credentials);
  if (!life.isStarting) return grant.forget();
  supply.handOver(access, grant);
  lease.send(ready(access.childEnvironment, access.endpoint));
  life.ready();
  if (profile.revoke !== "never") loadAhead();
  writeStatusFile(folder, view());
}

async function askAws(options: StartingOptions): Promise<Grant> {
  const { id, open, profile, paths, clock, version, lease, life, human } = options;
  using waiting = new Waiting((text) => lease.send({ type: "step", name: "base", state: "warning", text }));
  return await obtainGrant({
    open,
    profile,
    session: id,
    version,
    clock,
    endsAt: () => life.endsAt,
    say(name, state, text) {
      waiting.moved();
      lease.send({ type: "step", name, state, text });
    },
    onPlace: (place) => void openEarly(options, place),
    // A session that is resumed holds its role already.
    takeRole: (role) =>
      takeRole(
        paths,
        { actor: open.actor, role, profile: profile.name, at: clock.now() },
        { share: profile.shareRole || open.resume !== undefined, keep: !open.dryRun },
      ),
    askMfa: (serial) => waiting.whileAsking(human.askSecret("mfa", `MFA code for ${serial}`)),
    askPassphrase: (prompt) => waiting.whileAsking(human.askSecret("passphrase", prompt)),
    state: paths.state,
  });
}

/** Opens the endpoint while AWS is asked, so that the launcher can make the sandbox meanwhile. */
async function openEarly({ open, profile, lease, life, supply }: StartingOptions, place: Place): Promise<void> {
  if (open.dryRun || open.resume !== undefined || profile.delivery === "env") return;
  // After AWS was asked.
  await new Promise(setImmediate);
  if (!life.isStarting) return;
  try {
    const { childEnvironment, endpoint } = await supply.open(place, undefined);
    if (life.isStarting) lease.send({ type: "environment", childEnvironment, ...(endpoint && { port: endpoint.port }) });
  } catch {
    // The start itself opens it again, and fails there with the same error.
  }
}

/** Not waited for by the start: where there is no such service, some networks take long to say so. */
async function lookForMetadata({ open, lease, life, onExposure }: StartingOptions): Promise<void> {
  const address = await metadataService(open.source["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
  if (address === undefined) return;
  onExposure(METADATA_CAVEAT);
  if (!life.isStarting) return;
  const text = `${METADATA_CAVEAT} (${address}); --isolation strict closes it`;
  lease.send({ type: "step", name: "restriction", state: "warning", text });
}
