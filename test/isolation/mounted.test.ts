// What bubblewrap mounted is held against the plan before the agent starts: by the tables of mounts, and in real sandboxes whose folders are swapped for links.
import { chmodSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { misplacedMounts } from "../../src/isolation/mounted.ts";
import { preludeFile, sandboxInitFile } from "../../src/isolation/own-programs.ts";
import type { Access, PlanEntry } from "../../src/isolation/plan.ts";
import { ROOT } from "./own-program.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const entry = (path: string, access: Access, kind: "folder" | "file" = "folder"): PlanEntry => ({ path, access, kind, reason: "x" });
const ENTRIES = [
  entry("/run", "hidden"),
  entry("/home/dev", "assembled"),
  entry("/home/dev/bin", "read-only"),
  entry("/home/dev/code", "read-only"),
  entry("/home/dev/code/app", "writable"),
  entry("/home/dev/.config", "read-only"),
  entry("/home/dev/.config/gcloud", "hidden"),
  entry("/home/dev/.config/token", "hidden", "file"),
];
const BLANK = "/run/user/1000/agent-run/sess_1/isolation-1.blank";
const OUTSIDE = `
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 0:20 / /run rw - tmpfs tmpfs rw
22 20 8:2 /dev /home rw - ext4 /dev/sda2 rw
23 20 8:3 / /mnt/other\\040disk rw - ext4 /dev/sda3 rw
24 22 8:4 / /home/dev/code/app/data rw - ext4 /dev/sda4 rw
25 22 8:5 / /home/dev/.config/gcloud/disk rw shared:5 - ext4 /dev/sda5 rw
`;
const INSIDE = [
  "100 50 0:90 /newroot / rw - tmpfs tmpfs rw",
  "101 100 8:1 / / ro,nosuid,nodev - ext4 /dev/sda1 rw",
  "102 101 0:20 / /run ro,nosuid,nodev - tmpfs tmpfs rw",
  "103 101 8:2 /dev /home ro,nosuid,nodev - ext4 /dev/sda2 rw",
  "104 101 8:3 / /mnt/other\\040disk ro,nosuid,nodev - ext4 /dev/sda3 rw",
  "105 103 8:4 / /home/dev/code/app/data ro,nosuid,nodev - ext4 /dev/sda4 rw",
  "110 102 0:91 / /run ro,nosuid,nodev - tmpfs tmpfs rw",
  "111 103 0:92 / /home/dev ro,nosuid,nodev - tmpfs tmpfs rw",
  "112 111 8:2 /dev/dev/bin /home/dev/bin ro,nosuid,nodev - ext4 /dev/sda2 rw",
  "113 111 8:2 /dev/dev/code /home/dev/code ro,nosuid,nodev - ext4 /dev/sda2 rw",
  "114 113 8:2 /dev/dev/code/app /home/dev/code/app rw,nosuid,nodev - ext4 /dev/sda2 rw",
  "115 114 8:4 / /home/dev/code/app/data rw,nosuid,nodev - ext4 /dev/sda4 rw",
  "116 111 8:2 /dev/dev/.config /home/dev/.config ro,nosuid,nodev - ext4 /dev/sda2 rw",
  "117 116 0:93 / /home/dev/.config/gcloud ro,nosuid,nodev - tmpfs tmpfs rw",
  "118 116 0:20 /user/1000/agent-run/sess_1/isolation-1.blank /home/dev/.config/token ro,nosuid,nodev - tmpfs tmpfs rw",
  "119 101 0:94 / /dev rw,nosuid,nodev - tmpfs tmpfs rw",
  "120 119 8:1 /dev/null /dev/null rw,nosuid - ext4 /dev/sda1 rw",
];
const wrong = (...more: string[]): string | undefined => misplacedMounts(ENTRIES, OUTSIDE)([...INSIDE, ...more].join("\n"), [BLANK]);
const without = (id: string, line: string): string | undefined =>
  misplacedMounts(ENTRIES, OUTSIDE)([...INSIDE.filter((each) => !each.startsWith(`${id} `)), line].join("\n"), [BLANK]);

describe("the mounts of a sandbox", () => {
  it("are right as planned: binds, empty folders, blanks, mounts that came along, what lies under others", () => {
    expect(wrong()).toBeUndefined();
  });

  it.each([
    ["where the plan has none", "130 112 8:2 /dev/dev/bin /home/dev/bin/x rw,nosuid,nodev - ext4 /dev/sda2 rw", "/home/dev/bin/x"],
    [
      "over what is to be read only, of another folder",
      "130 112 8:2 /dev/dev/.ssh /home/dev/bin rw,nosuid,nodev - ext4 /dev/sda2 rw",
      "/home/dev/bin",
    ],
    [
      "in a hidden folder",
      "130 117 8:2 /dev/dev/.config/gcloud/db /home/dev/.config/gcloud/db ro,nosuid,nodev - ext4 /dev/sda2 rw",
      "/home/dev/.config/gcloud/db",
    ],
    [
      "over a hidden folder",
      "130 117 8:2 /dev/dev/.config/gcloud /home/dev/.config/gcloud ro,nosuid,nodev - ext4 /dev/sda2 rw",
      "/home/dev/.config/gcloud",
    ],
    [
      "over a hidden file",
      "130 118 8:2 /dev/dev/.config/token /home/dev/.config/token ro,nosuid,nodev - ext4 /dev/sda2 rw",
      "/home/dev/.config/token",
    ],
    [
      "in a hidden folder, also where it is a disk of the machine's",
      "130 117 8:5 / /home/dev/.config/gcloud/disk ro,nosuid,nodev master:5 - ext4 /dev/sda5 rw",
      "/home/dev/.config/gcloud/disk",
    ],
    ["over another disk", "130 104 8:2 /dev/dev/.ssh /mnt/other\\040disk ro,nosuid,nodev - ext4 /dev/sda2 rw", "/mnt/other disk"],
  ])("are wrong %s", (_where, line, path) => {
    expect(wrong(line)).toBe(path);
  });

  it("are wrong where they show another part of the file system, and right where that was replaced by the human since", () => {
    const bin = (root: string, device = "8:2"): string => `112 111 ${device} ${root} /home/dev/bin ro,nosuid,nodev - ext4 /dev/sda2 rw`;
    expect(without("112", bin("/dev/dev/.ssh"))).toBe("/home/dev/bin");
    expect(without("112", bin("/dev/dev/bin", "8:9"))).toBe("/home/dev/bin");
    expect(without("112", bin("/dev/dev/bin//deleted"))).toBeUndefined();
  });

  it("are not judged by what is around a root that is no mount of its own, for nobody knows it there", () => {
    const inside = INSIDE.filter((line) => /^1(00|01|11|12) /.test(line))
      .join("\n")
      .replace("111 103", "111 101");
    const known = (outside: string): string | undefined => misplacedMounts(ENTRIES.slice(1, 3), outside)(inside, []);
    expect(known("21 20 0:20 / /run rw - tmpfs tmpfs rw")).toBeUndefined();
    expect(known("20 1 8:1 / / rw - ext4 /dev/sda1 rw")).toBe("/home/dev/bin");
  });

  it("are wrong where one is not there, and right where what it would only show is gone", () => {
    const gone = (id: string, entries = ENTRIES): string | undefined =>
      misplacedMounts(entries, OUTSIDE)(INSIDE.filter((each) => !each.startsWith(`${id} `)).join("\n"), [BLANK]);
    expect(["110", "114", "117", "118"].map((id) => gone(id))).toEqual([
      "/run",
      "/home/dev/code/app",
      "/home/dev/.config/gcloud",
      "/home/dev/.config/token",
    ]);
    expect(gone("112")).toBeUndefined();
    expect(gone("0", [...ENTRIES, entry("/home/dev/code/app/.git/hooks", "read-only")])).toBe("/home/dev/code/app/.git/hooks");
    expect(gone("0", [...ENTRIES, entry("/proc/keys", "hidden", "file")])).toBe("/proc/keys");
  });

  it.each([
    ["101", "/"],
    ["110", "/run"],
    ["111", "/home/dev"],
    ["112", "/home/dev/bin"],
    ["117", "/home/dev/.config/gcloud"],
  ])("are wrong where number %s, at %s, takes writes, or programs and devices with rights of their own", (id, path) => {
    const line = INSIDE.find((each) => each.startsWith(`${id} `)) ?? "";
    for (const [held, loose] of [
      [" ro,", " rw,"],
      [",nosuid", ""],
      [",nodev", ""],
    ] as const)
      expect(without(id, line.replace(held, loose))).toBe(path);
    expect(without(id, line)).toBeUndefined();
  });
});

const makers = users.flatMap((user) => (["bwrap", "our program"] as const).map((first) => ({ name: user.name, user, first })));

describe.skipIf(!hasBubblewrap).each(makers)(
  `a sandbox that $name has made by $first while links are put into it${missing}`,
  ({ user, first }) => {
    /** Somebody swaps what was looked at already, before the first mount is made. */
    const run = (swap: string, prepare: (world: World) => void) => {
      const world = new World(user);
      world.plant(".config/gcloud/credentials.db");
      world.plant("bin/tool", "x");
      world.git("init", "-q", "-b", "main");
      const swaps = `cd ${world.home}; ${swap}`;
      if (first === "bwrap")
        program(world, "tools/bwrap", `#!/bin/sh\ncase "$*" in *--args*) ${swaps};; esac\nPATH=/usr/bin:/bin exec bwrap "$@"\n`);
      // In place of our program before bwrap; the probe lets it make no mounts.
      const before =
        first === "bwrap" ? "exit 125" : `case "$*" in *" -c :") ;; *) ${swaps};; esac\nexec ${preludeFile(ROOT, process.arch)} "$@"`;
      program(world, `own/dist/prelude-${process.arch}`, `#!/bin/sh\n${before}\n`);
      copyFileSync(sandboxInitFile(ROOT, process.arch) ?? "", join(world.home, `own/dist/sandbox-init-${process.arch}`));
      prepare(world);
      world.settle();
      const { stdout, stderr } = world.run("cat ~/.config/gcloud/credentials.db; echo planted > ~/bin/planted; echo ran", {
        agent: "cursor-agent",
        checked: true,
        allow: ["session-keyring"],
        packageFolder: join(world.home, "own"),
        env: { ...world.env, PATH: `${world.home}/tools:${world.env["PATH"]}` },
      });
      const planted = existsSync(join(world.home, "bin/planted"));
      world[Symbol.dispose]();
      return { ran: stdout, said: stderr.trim(), planted };
    };
    /** An executable file below home. */
    const program = (world: World, path: string, text: string): void => chmodSync(world.plant(path, text), 0o755);

    it("starts where nothing was swapped", () => {
      const { ran, said } = run(":", () => {});
      expect(said).toMatch(/^cat: .*No such file or directory\n.*Read-only file system$/);
      expect(ran).toBe("ran\n");
    });

    it("has no agent where a file of the agent's became a link to a key", () => {
      const { ran, said } = run("rm .cursor/hook.sh; ln -s ../.config/gcloud/credentials.db .cursor/hook.sh", (world) =>
        program(world, ".cursor/hook.sh", "#!/bin/sh\n"),
      );
      expect(ran).toBe("");
      expect(said).toMatch(
        /home\/(\.config\/gcloud\/credentials\.db|\.cursor\/hook\.sh) is not as planned\nagent-run: hint: end other agents in this project/,
      );
    });

    it("has no agent where a git folder became a link to a folder on PATH", () => {
      const { ran, said, planted } = run(
        "mv code/project/.git/modules/x away; ln -s ../../../../bin code/project/.git/modules/x; touch bin/commondir bin/config; mkdir bin/hooks",
        (world) => {
          mkdirSync(join(world.project, ".git/modules/x/hooks"), { recursive: true });
          for (const [name, text] of Object.entries({ HEAD: "x", config: "", commondir: ".\n" }))
            world.plant(join(world.project, ".git/modules/x", name), text);
        },
      );
      expect(ran).toBe("");
      expect(said).toMatch(
        // The kernel itself moves no folder onto a link.
        first === "bwrap"
          ? /home\/bin(\/\w+)? is not as planned\nagent-run: hint: end other agents in this project/
          : /^agent-run: error: .*\/modules\/x cannot be put into the sandbox \(.*\): the kernel ended it with errno 022\nagent-run: error: the sandbox could not be started, and no agent was\nagent-run: hint: agent-run doctor$/,
      );
      expect(planted).toBe(false);
    });
  },
);
