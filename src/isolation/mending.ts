// Why a sandbox did not start here, and the command that mends it. Pure: from what bwrap said and what the machine's settings are. Used by probe.ts.

import type { IsolationLevel } from "../control/protocol.ts";
import { FEW_PROCESSES, isForWantOfProcesses } from "../core/few-processes.ts";

/** What the kernel and the system say of themselves; an empty text where they say nothing. */
export interface MachineSettings {
  /** /proc/sys/user/max_user_namespaces, and the same of the network's. */
  readonly mostUserNamespaces: string;
  readonly mostNetworkNamespaces: string;
  /** Which of /proc/sys/user/max_*_namespaces is the smallest, by its name for sysctl; undefined where there are none. */
  readonly fewest: { readonly name: string; readonly most: number } | undefined;
  /** /proc/sys/kernel/unprivileged_userns_clone (Debian's kernels). */
  readonly userNamespacesAllowed: string;
  /** /proc/sys/kernel/apparmor_restrict_unprivileged_userns (Ubuntu 23.10 and newer). */
  readonly appArmorRestricts: string;
  /** /proc/sys/kernel/osrelease */
  readonly kernel: string;
  readonly inContainer: boolean;
  /** The command that installs bubblewrap. */
  readonly install: string;
}

/** 1 or 2 under the Windows Subsystem for Linux, by the kernel's release: `4.4.0-19041-Microsoft`, `5.15.90.1-microsoft-standard-WSL2`. */
export function wslVersion(kernel: string): 1 | 2 | undefined {
  if (!/microsoft/i.test(kernel)) return undefined;
  // WSL 1 is no Linux: it names the last release whose system calls it imitates.
  return /^(3|4\.[0-9]\b)/.test(kernel) && !/wsl2/i.test(kernel) ? 1 : 2;
}

/** ENOSPC, as the program before bwrap says it and as bwrap does: a limit on namespaces, of this machine or of what is around it. */
export const NO_NAMESPACE_LEFT = /errno 028|namespaces exceeded|(?:namespace|unshare|clone).*No space left/;
/** A limit below that is reached by a few sandboxes. */
const MANY = 1000;

/** In place of what bwrap printed, where it was given up before it had started anything. */
export const NOT_UP = "nothing, and was not done within 5 s";

/** @param said what bwrap printed when it failed, or `NOT_UP` */
export function mending(bwrap: string, level: IsolationLevel, said: string, machine: MachineSettings): { why: string; hint: string } {
  const why = (reason: string): string =>
    `this machine does not let bubblewrap isolate the agent: ${reason} (bwrap said: ${said.split("\n")[0]})`;
  const tried = `${bwrap} --unshare-user --unshare-pid${level === "strict" ? " --unshare-net" : ""} --ro-bind / / --proc /proc true`;
  if (wslVersion(machine.kernel) === 1) {
    return { why: why("WSL 1 has no namespaces"), hint: "in Windows, with your distribution's name: wsl --set-version Ubuntu 2" };
  }
  if (machine.mostUserNamespaces === "0") {
    return {
      why: why("user namespaces are switched off, user.max_user_namespaces is 0"),
      hint: "sudo sysctl -w user.max_user_namespaces=15000",
    };
  }
  if (machine.userNamespacesAllowed === "0") {
    return { why: why("kernel.unprivileged_userns_clone is 0"), hint: "sudo sysctl -w kernel.unprivileged_userns_clone=1" };
  }
  if (level === "strict" && machine.mostNetworkNamespaces === "0") {
    return {
      why: why("network namespaces are switched off, user.max_net_namespaces is 0"),
      hint: "sudo sysctl -w user.max_net_namespaces=15000",
    };
  }
  if (machine.appArmorRestricts === "1") {
    const profile = `abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap ${bwrap} flags=(unconfined) {\\n  userns,\\n}\\n`;
    return {
      why: why("AppArmor restricts user namespaces"),
      hint: `printf '${profile}' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`,
    };
  }
  if (isForWantOfProcesses(said)) return { why: why("it is given no process or namespace any more"), hint: FEW_PROCESSES };
  if (NO_NAMESPACE_LEFT.test(said) && machine.fewest !== undefined) {
    const { name, most } = machine.fewest;
    const where = machine.inContainer ? "; in a container, the same on the machine around it" : "";
    const raise = `sudo sysctl -w ${name}=${Math.max(15_000, most * 2)}`;
    return {
      why: why(`no more namespaces are given, ${name} is ${most}${where}`),
      hint: most < MANY ? raise : `see who holds them, with lsns; or raise the limit: ${raise}`,
    };
  }
  // Says nothing about what is allowed here.
  if (said === NOT_UP)
    return { why: why("it took too long"), hint: `try again when the machine is less busy, or see what waits: ${tried}` };
  if (/unknown option/i.test(said))
    return { why: why("it is too old"), hint: `${machine.install} (${level === "strict" ? "0.8" : "0.5"} or newer)` };
  if (machine.inContainer) {
    return {
      why: why("the container around it forbids namespaces"),
      hint: "start the container with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …",
    };
  }
  return {
    why: why("for a reason that is not known"),
    hint: `see what fails: ${tried}`,
  };
}

/** What `/proc/keys` says of the keys that a process can see: `none` is an empty list, `covered` one that somebody put something over. */
export type KeysListed = "no keyrings" | "none" | "some" | "covered";

type Leaving = { readonly none: true } | { readonly none: false; readonly why: string; readonly hint: string };

/** errno(3): no such call; not permitted, by a filter or a security module; the user's share of keys is used up. */
const [ENOSYS, EPERM, EACCES, EDQUOT] = [38, 1, 13, 122];

/**
 * What it means that no fresh session keyring could be joined. Where the call is refused but keys are there, the kernel would still find them for the
 * agent, in files of AFS and the like: that is no sandbox then. Where there are none, there is nothing to leave.
 * @param said by the program of session-keyring.ts, with errno at its end
 */
export function leaving(said: string, listed: KeysListed, container: boolean): Leaving {
  const errno = Number(/errno (\d+)/.exec(said)?.[1]);
  const why = `the session keyring that agent-run was started with can not be left: ${said.split("\n")[0]?.replace(/^agent-run: error: /, "")}`;
  const instead = 'keep the keyring by saying so: isolation.allow = ["session-keyring"]';
  if (errno === EDQUOT) return { none: false, why, hint: "sudo sysctl -w kernel.keys.maxkeys=2000" };
  if (errno !== ENOSYS && errno !== EPERM && errno !== EACCES) return { none: false, why, hint: instead };
  if (listed === "no keyrings" || listed === "none") return { none: true };
  return {
    none: false,
    why,
    hint: container ? `start the container with: docker run --security-opt seccomp=unconfined …; or ${instead}` : instead,
  };
}
