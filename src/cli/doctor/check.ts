// One line of `agent-run doctor`: what was looked at, how it is, and what mends it. Made by machine.ts, account.ts and agent.ts, printed by doctor.ts.

export type CheckState = "ok" | "warning" | "error" | "unknown";

export interface Check {
  /** Short and stable: `bubblewrap`, `clock`, `may revoke`. */
  readonly name: string;
  readonly state: CheckState;
  readonly text: string;
  /** A command or a setting; there wherever the state is not `ok`. */
  readonly fix?: string;
}

export const ok = (name: string, text: string): Check => ({ name, state: "ok", text });
export const warning = (name: string, text: string, fix: string): Check => ({ name, state: "warning", text, fix });
export const failing = (name: string, text: string, fix: string): Check => ({ name, state: "error", text, fix });
/** Could not be found out, which is no fault in itself. */
export const unknown = (name: string, text: string, fix: string): Check => ({ name, state: "unknown", text, fix });
