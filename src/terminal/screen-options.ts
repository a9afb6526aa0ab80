// What a screen needs of the launcher. Filled in by attach.ts; warm-up.ts does so once more, for screens that nobody sees.
import type { BarState } from "./bar-layout.ts";
import type { ConsoleReader } from "./console-reader.ts";
import type { Guard } from "./guard.ts";
import type { InnerVoice } from "./inner-run.ts";
import type { KillKey } from "./kill-key.ts";
import type { Details } from "./overlay-views.ts";
import type { Size } from "./pty.ts";
import type { TerminalKind } from "./terminal-look.ts";
import type { TerminalOutput } from "./terminal-output.ts";

export interface ScreenOptions {
  /** Of the human. */
  readonly output: TerminalOutput;
  readonly guard: Pick<Guard, "protect">;
  readonly size: Size;
  /** Undefined: no line is reserved. */
  readonly bar: BarState | undefined;
  readonly agent: string;
  readonly killKey: KillKey;
  readonly kind: TerminalKind;
  /** Where it is the Linux console. */
  readonly console: typeof ConsoleReader | undefined;
  /** As in compositor.ts. */
  readonly closed: boolean;
  /** What is known of the session, for the human who asks. */
  readonly details: () => Details;
  /** Set inside another agent-run, which is to know of us. */
  readonly voice: InnerVoice | undefined;
  /** Whether a marker of ours may be in output, of which `before` came before; so that an overlay never hides the agent's end. */
  readonly saysEnd: (chunk: Buffer, before?: Buffer) => boolean;
  readonly marker: (payload: string) => boolean;
  readonly toAgent: (bytes: Uint8Array) => void;
  readonly resizeAgent: (size: Size) => void;
  /** Too much is held: the agent's output should wait. */
  readonly hold: (why: "overlay" | "size", on: boolean) => void;
  readonly onKill: () => void;
  /** Whether the human may sign in anew, and what begins it. */
  readonly signIn: { needed(): boolean; begin(): void };
}
