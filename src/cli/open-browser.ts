// Brings a browser to an address, where there is one. Called by login.ts.
import { spawn } from "node:child_process";
import type { Environment } from "../core/paths.ts";

/** Whether a browser here could be seen by who asks: none over SSH or without a display, unless BROWSER names one. */
export function hasBrowser(env: Environment): boolean {
  if (env["BROWSER"]) return true;
  if (env["SSH_CONNECTION"] || env["SSH_TTY"]) return false;
  return process.platform === "darwin" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
}

/** Starts BROWSER, else what the desktop opens addresses with. Whether one comes up is not known: the address is shown as well. */
export function openBrowser(url: string, env: Environment): void {
  const [file = "", ...args] = (env["BROWSER"] ?? "").split(":")[0]?.split(/\s+/).filter(Boolean) ?? [];
  const usual = process.platform === "darwin" ? "open" : "xdg-open";
  const places = args.some((arg) => arg.includes("%s")) ? args.map((arg) => arg.replaceAll("%s", url)) : [...args, url];
  const child = spawn(file || usual, places, {
    env: Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("AWS_")),
    ),
    stdio: "ignore",
    detached: true,
  });
  child.on("error", () => undefined);
  child.unref();
}
