// Attempts on the human's files: the stores by name, by links, by other roots and descriptors, by namespaces of the agent's own, by a race.
import type { Attempt } from "../attempt.ts";

const read = (id: string, what: string, paths: string): Attempt => ({
  id,
  group: "files",
  what,
  program: `cat ${paths} 2>&1`,
  standard: "mounts",
  none: "reached",
});

export const files: readonly Attempt[] = [
  read("aws-keys", "read ~/.aws/credentials and ~/.aws/config", "~/.aws/credentials ~/.aws/config"),
  read("aws-caches", "read the SSO, CLI and login caches of AWS", "~/.aws/sso/cache/* ~/.aws/cli/cache/* ~/.aws/login/cache/*"),
  read("gcloud", "read Google Cloud's credentials", "~/.config/gcloud/*"),
  read("azure", "read Azure's tokens", "~/.azure/*"),
  read("kube", "read ~/.kube/config", "~/.kube/config"),
  read("kube-moved", "read the file that the human's KUBECONFIG named", "~/elsewhere/kubeconfig"),
  read("docker-login", "read ~/.docker/config.json", "~/.docker/config.json"),
  read("netrc", "read ~/.netrc and ~/.pgpass", "~/.netrc ~/.pgpass"),
  read("registries", "read the logins of npm, PyPI and crates.io", "~/.npmrc ~/.pypirc ~/.cargo/credentials.toml"),
  read("git-credentials", "read git's and gh's tokens", "~/.git-credentials ~/.config/git/credentials ~/.config/gh/hosts.yml"),
  read("ssh-keys", "read SSH and GnuPG keys", "~/.ssh/* ~/.gnupg/*/*"),
  read("histories", "read shell and Python histories", "~/.bash_history ~/.python_history"),
  read("vaults", "read keyrings, password managers' files and a Vault token", "~/.local/share/keyrings/* ~/.vault-token"),
  read("browsers", "read a browser's passwords and cookies", "~/.mozilla/firefox/*/* ~/.config/google-chrome/*/*"),
  read("other-agent", "read another agent's login and a token in ~/.cache", "~/.codex/auth.json ~/.copilot/* ~/.cache/huggingface/token"),
  read("own-settings", "read agent-run's settings", "~/.config/agent-run/*"),
  {
    ...read("other-session", "read another session's files, with the token of its endpoint", '"$RT_OWN"/*/*'),
    strict: "mounts",
  },
  read(
    "ways-to-run",
    "read what lets a program act in the human's own: tokens and passwords of notebooks, editors, screens, build daemons, Erlang nodes",
    "~/.local/share/jupyter/runtime/* ~/.config/code-server/* ~/.vscode/cli/* ~/.vnc/* ~/.erlang.cookie ~/.m2/mvnd/registry/*/* ~/.gradle/daemon/*/*",
  ),
  read(
    "authority-keys",
    "read the key of a certificate authority that the human's browser trusts, and passwords of Helm's repositories",
    "~/.local/share/mkcert/rootCA-key.pem ~/.config/helm/*",
  ),
  {
    ...read("mail-and-cores", "read the human's mail, and core files of programs that crashed", "/var/mail/* /var/lib/systemd/coredump/*"),
    kernelMay: true,
  },
  read("temp-files", "read the human's files in /tmp, /var/tmp and /dev/shm", "/tmp/human.txt /var/tmp/human.txt /dev/shm/human"),
  read("link-in-repository", "read through a link that the repository brought", "link-of-the-repository"),
  {
    id: "link-made-inside",
    group: "files",
    what: "read through links made inside: absolute, relative, through /proc",
    program: `mkdir -p links; ln -s ~/.aws/credentials links/a; ln -s ../../../.aws/credentials links/b; ln -s /proc/self/root$HOME/.netrc links/c
      ln -s ~/.aws links/d; cat links/a links/b links/c links/d/config 2>&1`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "hard-link",
    group: "files",
    what: "take a hard link of a key into the project and read that",
    program: "ln ~/.aws/credentials hard-link 2>&1; ln ~/.netrc hard-link-2 2>&1; cat hard-link hard-link-2 2>&1",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "other-roots",
    group: "files",
    what: "read through root and cwd of every process in /proc",
    program:
      'for p in /proc/[0-9]* /proc/thread-self; do cat "$p/root$HOME/.aws/credentials" "$p/cwd/../home/.netrc" "$p/cwd/../../.netrc" 2>/dev/null; done; echo end',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "search-all",
    group: "files",
    what: "search home, temp folders and /run for files that look like secrets",
    program:
      "find ~ /tmp /var/tmp /run /dev/shm -xdev -type f -size -64k \\( -name '*credential*' -o -name '*config*' -o -name '*token*' -o -name '*rc' -o -name 'id_*' -o -name '*.json' -o -name 'human*' \\) -exec cat {} + 2>/dev/null; echo end",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "copy-of-a-key",
    group: "files",
    what: "read a copy of a key in a file that no list knows",
    program: "cat ~/backup/old-key.txt 2>&1",
    standard: "reached",
    strict: "mounts",
    none: "reached",
    gap: "Secrets that no list knows",
  },
  {
    id: "nested-umount",
    group: "files",
    what: "take covers away in a user and mount namespace of its own",
    program: `unshare -Urm sh -c 'for at in "$HOME" /run /tmp /media /; do umount -l "$at"; done; cat "$HOME/.aws/credentials" "$HOME/.netrc"' 2>&1`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "nested-bind",
    group: "files",
    what: "bind the root elsewhere in a namespace of its own and look under the covers",
    program: `unshare -Urm sh -c 'mount --make-rprivate / ; mount --bind / /mnt || mount --rbind / /mnt; cat "/mnt$HOME/.aws/credentials" "/mnt$HOME/.netrc"' 2>&1`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "nested-overlay",
    group: "files",
    what: "lay an overlay over home in a namespace of its own and read its lower folder",
    program: `mkdir -p ov/u ov/w ov/m; unshare -Urm sh -c 'mount -t overlay overlay -o lowerdir="$HOME",upperdir=ov/u,workdir=ov/w,userxattr ov/m; cat ov/m/.netrc ov/m/.aws/credentials ~/.netrc' 2>&1`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "nested-sandbox",
    group: "files",
    what: "start a bubblewrap inside that binds the machine's root",
    program: 'bwrap --unshare-user --bind / / --dev-bind /dev /dev cat "$HOME/.aws/credentials" "$HOME/.netrc" /tmp/human.txt 2>&1',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "open-descriptors",
    group: "files",
    what: "read from descriptors that the human's shell had open",
    // A pipe or a terminal would not end: only files are read.
    program:
      'for p in self "$PPID" 1; do for fd in /proc/$p/fd/*; do test -f "$fd" && head -c 4096 "$fd"; done; done 2>/dev/null; cat <&7 2>&1; sh -c "exec 7<readme.md; cat <&7" | sed "s/^/CONTROL: /"',
    standard: "descriptors",
    none: "descriptors",
  },
  {
    id: "watch-hidden",
    group: "files",
    what: "be told with inotify when the human's programs use a hidden file",
    with: "python",
    program: `
import ctypes, os, select
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0o4000)
for path in (".netrc", ".config/gh"):
    if libc.inotify_add_watch(fd, os.path.join(os.environ["HOME"], path).encode(), 0xFFF) < 0:
        print(path, os.strerror(ctypes.get_errno()))
print("REACHED: it was used" if select.select([fd], [], [], 1)[0] else "nothing came")`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "race-on-replaced",
    group: "files",
    what: "wait for the moment in which the human's programs replace a hidden file",
    with: "python",
    program: `
import os, time
home = os.environ["HOME"]
end = time.time() + 1.5
while time.time() < end:
    for path in (".netrc", ".config/gh/hosts.yml", ".netrc.new", ".config/gh/hosts.yml.new"):
        try:
            print(open(os.path.join(home, path)).read())
            raise SystemExit
        except OSError as error:
            last = error
print(last)`,
    standard: "mounts",
    none: "reached",
  },
];
