// What the kernel says of itself in files of one line. Used by probe.ts and try-out.ts.
import { readFileSync } from "node:fs";

/** Empty where it says nothing. */
export const setting = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
};

export const APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
export const CLONE = "/proc/sys/kernel/unprivileged_userns_clone";
export const MOST = "/proc/sys/user/max_user_namespaces";
export const MOST_NETWORKS = "/proc/sys/user/max_net_namespaces";
