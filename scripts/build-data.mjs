// What `agent-run --version` tells of a build: the commit and its time. The same for every build of one commit, so that anyone can build it again and compare.
// Called by scripts/build.mjs and the packaging scripts.
import { spawnSync } from "node:child_process";

/**
 * SOURCE_DATE_EPOCH (reproducible-builds.org) goes before the commit's time. Both are null in a tree that is no clone, such as an unpacked archive.
 * @param {string} root
 * @returns {{ commit: string | null, date: string | null }} the date as `2026-11-27T12:00:00Z`
 * @throws Error for a SOURCE_DATE_EPOCH that is no number of seconds
 */
export function buildData(root) {
  // Also in a clone of another user, as in a container's build.
  const { status, stdout } = spawnSync("git", ["-c", "safe.directory=*", "-C", root, "log", "-1", "--format=%H %ct", "--", "."], {
    encoding: "utf8",
  });
  const [commit, seconds] = status === 0 ? stdout.trim().split(" ") : [];
  const epoch = process.env.SOURCE_DATE_EPOCH || seconds;
  if (epoch !== undefined && !/^\d{1,12}$/.test(epoch)) throw new Error(`SOURCE_DATE_EPOCH: '${epoch}' is no number of seconds`);
  const date = epoch === undefined ? null : new Date(Number(epoch) * 1000).toISOString().replace(".000Z", "Z");
  return { commit: commit || null, date };
}
