// Signing in with a code that is confirmed on any device (RFC 8628): where no browser is here, and over a running agent. Called by the login command and by session.
import { sleep } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import type { DeviceCode, Oidc } from "./oidc.ts";
import type { SsoSession } from "./session.ts";

/** RFC 8628, 3.5: what `slow_down` adds. */
const SLOWER_MS = 5000;

/**
 * Asks for a code, shows it, and waits until the human has confirmed it.
 * @param show where to go and which code must be there
 * @param signal gives up waiting
 * @throws AgentRunError `base-credentials` when it is refused or over, `sts-unreachable`; `usage` when given up
 */
export async function signInByDevice(
  oidc: Oidc,
  show: (code: DeviceCode) => void,
  now: () => number,
  signal?: AbortSignal,
): Promise<SsoSession> {
  const registration = await oidc.register("device");
  const code = await oidc.startDevice(registration);
  show(code);
  let interval = code.intervalMs;
  for (;;) {
    await sleep(interval);
    if (signal?.aborted) throw new AgentRunError("usage", "the sign-in was given up", { hint: "agent-run login", exitStatus: 130 });
    const answer = await oidc.pollDevice(registration, code);
    if ("session" in answer) return answer.session;
    if ("over" in answer || now() > code.expiresAt) {
      const denied = "over" in answer && answer.over === "denied";
      throw new AgentRunError(
        "base-credentials",
        denied ? "the sign-in was refused in the browser" : "the code was not confirmed in time",
        {
          hint: "agent-run login --device begins anew",
        },
      );
    }
    if (answer.wait === "slower") interval += SLOWER_MS;
  }
}
