// What is mounted and unmounted on the machine while a sandbox stands: in mount namespaces of the test's own, where mounts are handed on as on a machine with systemd.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sandboxInitFile } from "../../src/isolation/own-programs.ts";
import { has, ROOT } from "./own-program.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const isRoot = process.getuid?.() === 0;
/** Whoever is no root becomes it there. */
const UNSHARE = ["unshare", ...(isRoot ? ["--mount"] : ["--mount", "--user", "--map-root-user"])];
const canMount = has("unshare") && spawnSync("unshare", [...UNSHARE.slice(1), "mount", "-t", "tmpfs", "x", "/mnt"]).status === 0;
const whyNot = hasBubblewrap ? (canMount ? "" : " (skipped: needs unshare of util-linux and a kernel that lets it mount)") : missing;

/** By the user: in a user namespace of their own there is nobody else. */
const whoever = users.filter(({ prefix }) => isRoot || prefix.length === 0);

describe.skipIf(!(hasBubblewrap && canMount)).each(whoever)(`in a sandbox of $name${whyNot}`, (user) => {
  /** What is to be seen inside, before and after `meanwhile`, in which `$H` is home and `$P` the project. */
  const seen = (prepare: string, meanwhile: string, more: Partial<IsolatedRun> & { readonly by?: "bwrap" } = {}): string[] => {
    using world = new World(user);
    for (const name of ["shown", "shown/drive", "other", "code/project/folder"]) mkdirSync(join(world.home, name), { recursive: true });
    const look = "for each in ~/shown/drive ~/shown/new ~/other /mnt ./folder; do test -e $each/file && echo $each | sed s,$HOME,~,; done";
    const waits = "until [ -e over ]; do sleep 0.05; done";
    const inside = `${look}; echo --; : > ready; ${waits}; ${look}; for each in ~/shown/new ~/other /mnt; do touch $each/planted; done 2>/dev/null; exit 0`;
    const { by, ...run } = more;
    // A program before bubblewrap that makes no mounts.
    const own = by && { packageFolder: join(world.home, "own") };
    if (by) {
      chmodSync(world.plant(`own/dist/prelude-${process.arch}`, "#!/bin/sh\nexit 125\n"), 0o755);
      copyFileSync(sandboxInitFile(ROOT, process.arch) ?? "", join(world.home, `own/dist/sandbox-init-${process.arch}`));
    }
    const argv = world.argv(["/bin/sh", "-c", inside], { checked: true, allow: ["session-keyring"], ...run, ...own });
    world.settle();
    const script = [
      "mount --make-rshared /",
      'drive() { mount -t tmpfs -o mode=1777 drive "$1"; : > "$1/file"; }',
      prepare,
      '"$@" & agent=$!',
      'for each in $(seq 400); do [ -e "$P/ready" ] && break; sleep 0.05; done',
      meanwhile,
      ': > "$P/over"; wait $agent || exit',
      'for each in "$H/shown/new" "$H/other" /mnt; do if [ -e "$each/planted" ]; then echo "planted in $each" | sed "s,$H,~,"; fi; done',
    ].join("\n");
    const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, H: world.home, P: world.project };
    const done = spawnSync("unshare", [...UNSHARE.slice(1), "sh", "-ec", script, "sh", ...argv], {
      encoding: "utf8",
      env,
      timeout: 60_000,
    });
    expect(done.status, done.stderr).toBe(0);
    return done.stdout.trim().split("\n");
  };

  it("what is mounted meanwhile is not there, neither in home nor in the project nor elsewhere", () => {
    const late = 'mkdir "$H/shown/new"; for each in "$H/shown/new" "$H/other" /mnt "$P/folder"; do drive "$each"; done';
    for (const level of ["standard", "strict"] as const) expect(seen(":", late, { level })).toEqual(["--"]);
  });

  it("what was mounted before is there to read, and is gone when it is unmounted, with what came beside it since", () => {
    const [before, late] = ['drive "$H/shown/drive"', 'umount "$H/shown/drive"; mkdir "$H/shown/new"; drive "$H/shown/new"'];
    expect(seen(before, late)).toEqual(["~/shown/drive", "--", "~/shown/new", "planted in ~/shown/new"]);
  });

  it("what is mounted meanwhile is there, and can be written, where bubblewrap makes the mounts", () => {
    const late = 'mkdir "$H/shown/new"; for each in "$H/shown/new" /mnt; do drive "$each"; done';
    expect(seen(":", late, { by: "bwrap" })).toEqual(["--", "~/shown/new", "/mnt", "planted in ~/shown/new", "planted in /mnt"]);
  });
});
