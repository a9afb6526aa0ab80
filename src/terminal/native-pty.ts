// What node-pty opens and resizes PTYs with, which its declarations leave out: it starts no program and keeps nothing open. Used by channel-pty.ts and private-output.ts.
import * as nodePty from "@lydell/node-pty";

interface Native {
  /** Both descriptors do not block, and are the caller's to close. */
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(master: number, cols: number, rows: number, pixelWidth: number, pixelHeight: number): void;
}

export const { native } = nodePty as unknown as { readonly native: Native };
