// Attempts to have something run later as the human: start-up files, programs on PATH, hooks, settings, also by renames and links. `later` is the human.
import type { Attempt } from "../attempt.ts";

/** A shell line that leaves the attempt's mark when it runs as the human. */
const MARK = "touch $RT_MARKS/$RT_ID";

const plant = (id: string, what: string, program: string, later: string, more: Partial<Attempt> = {}): Attempt => ({
  id,
  group: "persistence",
  what,
  program: `(${program}) 2>&1`,
  later,
  standard: "read-only",
  none: "reached",
  ...more,
});

/** Files that programs read at their start, none of which the human has. */
const START_UP = `
.zshrc .zshenv .zprofile .zlogin .bash_login .bash_logout .profile .xprofile .xsession .xinitrc .inputrc .pam_environment .login .cshrc .kshrc
.gvimrc .exrc .emacs .nanorc .screenrc .tmux.conf .gdbinit .lldbinit .pythonrc .pdbrc .irbrc .perldb .Rprofile .octaverc .curlrc .wgetrc
.lessfilter .lesskey .mailcap .dircolors .direnvrc .hushlogin .editorconfig .eslintrc .prettierrc .yarnrc .gemrc .terraformrc .mozc .sqliterc .psqlrc .toprc .envrc
.config/fish/config.fish .config/fish/conf.d/x.fish .config/systemd/user/x.service .config/autostart/x.desktop .config/environment.d/x.conf .config/nvim/init.lua
.config/git/config .config/git/hooks/pre-commit .config/direnv/direnvrc .config/nushell/config.nu .config/mise/config.toml .config/Code/User/settings.json
.config/zed/settings.json .config/helix/config.toml .config/kitty/kitty.conf .config/alacritty/alacritty.toml .config/pip/pip.conf .config/npm/npmrc
.config/starship.toml .config/i3/config .config/sway/config .config/gtk-3.0/gtk.css .config/containers/containers.conf
.emacs.d/init.el .ipython/profile_default/startup/x.py .jupyter/jupyter_notebook_config.py .vscode/extensions/x/package.json
.local/share/applications/x.desktop .local/share/systemd/user/x.service .local/share/dbus-1/services/x.service .local/share/nvim/site/plugin/x.lua
.node_modules/x.js .node_libraries/x.js .cargo/config.toml .cargo/bin/cargo .rustup/settings.toml
.asdf/shims/node .nvm/nvm.sh .pyenv/shims/python .rbenv/shims/ruby .sdkman/bin/sdkman-init.sh .deno/bin/deno .bun/bin/bun go/bin/gopls .krew/bin/kubectl-x .yarn/bin/x
.gnupg/gpg.conf .docker/cli-plugins/docker-x .kube/kuberc .gitattributes .githooks/pre-commit
`
  .trim()
  .split(/\s+/)
  .join(" ");

export const persistence: readonly Attempt[] = [
  plant("bashrc", "append to ~/.bashrc", `echo "${MARK}" >> ~/.bashrc`, "bash -ic true </dev/null"),
  plant("login-shell", "make ~/.bash_profile, where there is none", `echo "${MARK}" > ~/.bash_profile`, "bash -lc true"),
  plant("zsh", "make ~/.zshenv, where there is none", `echo "${MARK}" > ~/.zshenv; cat ~/.zshenv`, "test -f ~/.zshenv && sh ~/.zshenv"),
  plant(
    "path-new-folder",
    "make ~/.local/bin/aws, where the folder is not there",
    `mkdir -p ~/.local/bin && printf '#!/bin/sh\n${MARK}\n' > ~/.local/bin/ls && chmod +x ~/.local/bin/ls`,
    "ls >/dev/null; rm -f ~/.local/bin/ls",
  ),
  plant(
    "path-folder",
    "put a program into ~/bin, which is on PATH",
    `printf '#!/bin/sh\n${MARK}\n' > ~/bin/date && chmod +x ~/bin/date`,
    "date >/dev/null; rm -f ~/bin/date",
  ),
  plant(
    "agent-replaced",
    "change the agent's own program",
    `printf '#!/bin/sh\n${MARK}\nexec node "$@"\n' > ~/tools/claude`,
    "claude -e 1",
  ),
  plant(
    "start-up-files",
    "make any of a hundred start-up files that are not there yet",
    `for f in ${START_UP}; do test -e ~/"$f" || { mkdir -p "$(dirname ~/"$f")"; echo x > ~/"$f"; }; done`,
    `for f in ${START_UP}; do test -e ~/"$f" && echo "REACHED $f" && rm -f ~/"$f"; done; true`,
  ),
  plant(
    "git-global",
    "change ~/.gitconfig",
    `git config --global core.fsmonitor "sh -c '${MARK}'"`,
    "git status; git config --global --unset core.fsmonitor",
  ),
  plant(
    "python-user",
    "make a module that Python loads at its start",
    "mkdir -p ~/.local/lib/python3.11/site-packages; echo \"import os; open(os.environ['RT_MARKS']+'/'+os.environ['RT_ID'],'w')\" > ~/.local/lib/python3.11/site-packages/usercustomize.py",
    "/usr/bin/python3 -c 1; rm -rf ~/.local/lib",
  ),
  plant(
    "vim",
    "make ~/.vimrc and ~/.vim/plugin",
    "mkdir -p ~/.vim/plugin; echo 'call writefile([],$RT_MARKS.\"/\".$RT_ID)' | tee ~/.vimrc > ~/.vim/plugin/x.vim",
    "test -f ~/.vimrc -o -f ~/.vim/plugin/x.vim && echo REACHED; rm -rf ~/.vimrc ~/.vim",
  ),
  plant(
    "through-a-link",
    "write to ~/.bashrc through a link in the project, and through /proc",
    `ln -sf ~/.bashrc rc-link; echo "${MARK}" >> rc-link; echo "${MARK}" >> /proc/self/root$HOME/.bashrc; echo "${MARK}" >> /proc/self/cwd/../../.bashrc`,
    "bash -ic true </dev/null",
  ),
  plant(
    "through-a-hard-link",
    "write to ~/.bashrc through a hard link of it in a writable folder",
    `ln ~/.bashrc rc-hard && echo "${MARK}" >> rc-hard; ln ~/.bashrc ~/.cache/rc-hard && echo "${MARK}" >> ~/.cache/rc-hard`,
    "bash -ic true </dev/null",
  ),
  plant(
    "rename-a-parent",
    "move ~/.config, ~/.bashrc and ~/code away, change them there, and move them back",
    "for f in .config code; do mv ~/$f ~/$f-moved && touch ~/$f-moved/was-moved && mv ~/$f-moved ~/$f; done; mv ~/.bashrc ~/.b && echo '# was-moved' >> ~/.b && mv ~/.b ~/.bashrc",
    "test -e ~/.config/was-moved -o -e ~/code/was-moved && echo REACHED; grep -q was-moved ~/.bashrc && echo REACHED; rm -f ~/.config/was-moved ~/code/was-moved; true",
    { alone: "where it is reached" },
  ),
  plant(
    "nested-remount",
    "make home writable in a namespace of its own",
    `unshare -Urm sh -c 'mount -o remount,bind,rw "$HOME"; mount -o remount,rw "$HOME/.bashrc"; umount -l "$HOME/.bashrc"; echo "touch $RT_MARKS/$RT_ID" >> "$HOME/.bashrc"'`,
    "bash -ic true </dev/null",
  ),
  plant(
    "ssh-folder",
    "make ~/.ssh/authorized_keys and ~/.aws/config",
    "mkdir -p ~/.ssh ~/.aws; echo x > ~/.ssh/authorized_keys; echo x > ~/.aws/cli/alias",
    "test -e ~/.ssh/authorized_keys -o -e ~/.aws/cli/alias && echo REACHED; rm -f ~/.ssh/authorized_keys ~/.aws/cli/alias",
  ),
  plant(
    "git-hook",
    "make a git hook in the project",
    `mkdir -p .git/hooks; printf '#!/bin/sh\n${MARK}\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit`,
    "git commit -q --allow-empty -m x; rm -f .git/hooks/pre-commit",
  ),
  plant(
    "git-hook-of-another-tree",
    "make a git hook for the submodule that another work tree of the project has",
    `cd .git/worktrees/tree/modules/inner; mkdir -p hooks; printf '#!/bin/sh\n${MARK}\n' > hooks/pre-commit; chmod +x hooks/pre-commit; printf '[core]\nfsmonitor = %s\n' "$PWD/hooks/pre-commit" >> config`,
    "cd ../tree/inner && git status && git commit -q --allow-empty -m x; true",
    { alone: "where it is reached" },
  ),
  plant(
    "git-config",
    "set core.fsmonitor in the project's git configuration, with git and by hand",
    `printf '#!/bin/sh\n${MARK}\n' > fsmonitor; chmod +x fsmonitor; git config core.fsmonitor "$PWD/fsmonitor"; printf '[core]\nfsmonitor = %s\n' "$PWD/fsmonitor" >> .git/config`,
    "git status; git config --unset-all core.fsmonitor; true",
  ),
  plant(
    "git-worktree-config",
    "make .git/config.worktree, which counts where the extension is on",
    `printf '#!/bin/sh\n${MARK}\n' > wt; chmod +x wt; printf '[core]\nfsmonitor = %s\n' "$PWD/wt" > .git/config.worktree`,
    "git status; rm -f .git/config.worktree",
    { alone: "where it is reached" },
  ),
  plant(
    "git-commondir",
    "point .git/commondir at a folder of its own",
    `mkdir -p evil/objects evil/refs; printf '#!/bin/sh\n${MARK}\n' > evil/m; chmod +x evil/m; printf '[core]\nrepositoryformatversion = 0\nfsmonitor = %s\n' "$PWD/evil/m" > evil/config; echo "$PWD/evil" > .git/commondir`,
    "git status; rm -f .git/commondir",
    { alone: "where it is reached" },
  ),
  plant(
    "git-folder-moved",
    "move .git away and put a copy with other settings there",
    `printf '#!/bin/sh\n${MARK}\n' > mv-m; chmod +x mv-m; mv .git .git-moved && { cp -r .git-moved .git; printf '[core]\nfsmonitor = %s\n' "$PWD/mv-m" >> .git/config; }`,
    "git status; test -d .git-moved && rm -rf .git && mv .git-moved .git; true",
    { alone: "where it is reached" },
  ),
  plant(
    "git-parts-swapped",
    "move hooks and config aside, remove them, link them, mount over them",
    `for f in hooks config; do mv .git/$f .git/$f-moved && echo "REACHED $f" && mv .git/$f-moved .git/$f; ln .git/$f linked-$f && echo x >> linked-$f && echo "REACHED linked"; done
     rm -rf .git/hooks && echo REACHED && mkdir .git/hooks; chmod 777 .git/config && touch .git/config && echo REACHED; cp .git/config /tmp/c$$ && mv /tmp/c$$ .git/config && echo REACHED`,
    "true",
  ),
  plant(
    "git-inside-project",
    "make a git folder of its own in a folder of the project",
    `mkdir -p sub; git init -q sub; printf '#!/bin/sh\n${MARK}\n' > sub/m; chmod +x sub/m; git -C sub config core.fsmonitor "$PWD/sub/m"`,
    "cd sub && git status",
    { standard: "reached", gap: "Other things in the project" },
  ),
  plant(
    "git-rebase-left",
    "leave a rebase behind whose next step runs a program",
    `mkdir -p .git/rebase-merge; git rev-parse HEAD > .git/rebase-merge/onto; cp .git/rebase-merge/onto .git/rebase-merge/orig-head; echo refs/heads/main > .git/rebase-merge/head-name
     : > .git/rebase-merge/interactive; echo "exec ${MARK}" > .git/rebase-merge/git-rebase-todo; echo 1 > .git/rebase-merge/msgnum; echo 1 > .git/rebase-merge/end`,
    "git rebase --continue; rm -rf .git/rebase-merge; git checkout -q main",
    { standard: "reached", gap: "Other things in the project" },
  ),
  plant(
    "project-scripts",
    "change what a project's own tools run: package.json, .envrc, Makefile, .vscode",
    `printf '{"scripts":{"test":"${MARK}"}}' > package.json; mkdir -p .vscode; echo '{"tasks":[{"runOptions":{"runOn":"folderOpen"}}]}' > .vscode/tasks.json; echo x > .envrc; printf 'all:\n\t${MARK}\n' > Makefile`,
    "npm test; test -f .vscode/tasks.json && echo REACHED",
    { standard: "reached", gap: "Other things in the project" },
  ),
  plant(
    "package-programs",
    "put a program into node_modules/.bin",
    `mkdir -p node_modules/.bin; printf '#!/bin/sh\n${MARK}\n' > node_modules/.bin/tsc; chmod +x node_modules/.bin/tsc`,
    "node_modules/.bin/tsc",
    { standard: "reached", gap: "Other things in the project" },
  ),
  plant(
    "shared-caches",
    "put a program into ~/.npm/_npx",
    `mkdir -p ~/.npm/_npx/x; echo x > ~/.npm/_npx/x/program`,
    "test -e ~/.npm/_npx/x/program && echo REACHED",
    {
      standard: "reached",
      strict: "mounts",
      gap: "Caches are shared",
    },
  ),
  plant(
    "false-build-daemon",
    "name a program of its own as a Gradle daemon of the human's, which is sent their environment with the next build",
    "mkdir -p ~/.gradle/daemon/8.10; echo planted > ~/.gradle/daemon/8.10/registry.bin",
    "grep -q planted ~/.gradle/daemon/8.10/registry.bin && echo REACHED; true",
    // What it writes over is what another reads.
    { standard: "mounts", alone: "where it is reached" },
  ),
  plant(
    "agent-settings",
    "write hooks into the agent's settings",
    `echo '{"hooks":{"SessionStart":[]}}' > ~/.claude/settings.json; mv ~/.claude/settings.json ~/.claude/settings.old && echo REACHED && mv ~/.claude/settings.old ~/.claude/settings.json; mv ~/.claude ~/.claude-moved && echo REACHED && mv ~/.claude-moved ~/.claude`,
    "grep -q SessionStart ~/.claude/settings.json && echo REACHED; true",
    { alone: "where it is reached" },
  ),
  plant(
    "agent-hooks",
    "make commands, agents, skills, plugins and hooks for the agent, where there are none",
    `for d in commands agents skills plugins hooks output-styles rules; do mkdir -p ~/.claude/$d; echo x > ~/.claude/$d/planted.md; done; echo '{"planted":1}' > ~/.claude/settings.local.json`,
    `for d in commands agents skills plugins hooks output-styles rules; do test -e ~/.claude/$d/planted.md && echo "REACHED $d"; done; grep -q planted ~/.claude/settings.local.json && echo "REACHED settings.local.json"; true`,
  ),
  plant(
    "agent-link",
    "put a program in the place of a link to the human's in the agent's folder, or move it away with all around it",
    `cd ~/.claude; echo '${MARK}' > statusline.new && mv statusline.new statusline.sh; mkdir -p d; mv -T statusline.sh d/statusline.sh; ln -s d/statusline.sh statusline.sh`,
    "sh ~/.claude/statusline.sh",
    { standard: "read-only" },
  ),
  plant(
    "agent-missing",
    "make what an agent starts from its folder, where there is none and no cover",
    "mkdir -p ~/.claude/local ~/.claude/bin ~/.claude/scripts; for f in local/claude bin/x scripts/x scheduled_tasks.json launch.json daemon.json loop.md; do echo planted > ~/.claude/$f; done",
    `for f in local/claude bin/x scripts/x scheduled_tasks.json launch.json daemon.json loop.md; do test -e ~/.claude/$f && echo "REACHED $f"; done; true`,
    { standard: "put back" },
  ),
  plant(
    "agent-mcp",
    "name a program in ~/.claude.json, as an MCP server",
    `echo '{"mcpServers":{"x":{"command":"x"}}}' > ~/.claude.json`,
    "grep -q mcpServers ~/.claude.json && echo REACHED",
    {
      standard: "reached",
      strict: "reached",
      gap: "Some of an agent's own state stays writable",
    },
  ),
  plant(
    "other-agents-settings",
    "write settings of agents that do not run",
    "mkdir -p ~/.codex ~/.gemini ~/.cursor ~/.config/goose; for f in .codex/config.toml .gemini/settings.json .cursor/mcp.json .config/goose/config.yaml; do echo planted > ~/$f; done",
    "for f in .codex/config.toml .gemini/settings.json .cursor/mcp.json .config/goose/config.yaml; do grep -q planted ~/$f && echo REACHED; done; true",
  ),
  plant(
    "own-files",
    "change agent-run's settings, trust and compiled files",
    `for f in ~/.config/agent-run/config.toml "$RT_STATE"/trust.json "$RT_STATE"/compile-cache/x "$RT_STATE"/isolation-standard.json; do mkdir -p "$(dirname "$f")"; echo '# planted' >> "$f"; done`,
    'grep -rqs "# planted" ~/.config/agent-run "$RT_STATE" && echo REACHED; sed -i "/# planted/d" ~/.config/agent-run/config.toml; rm -f "$RT_STATE"/trust.json "$RT_STATE"/isolation-standard.json "$RT_STATE"/compile-cache/x',
    { standard: "mounts" },
  ),
  plant(
    "own-program",
    "change agent-run's own program",
    'echo "// planted" >> "$RT_PACKAGE/bin/agent-run.cjs"; touch "$RT_PACKAGE/dist/planted"',
    'test -e "$RT_PACKAGE/dist/planted" && echo REACHED; rm -f "$RT_PACKAGE/dist/planted"; sed -i "/^.. planted/d" "$RT_PACKAGE/bin/agent-run.cjs"; true',
    { kernelMay: true },
  ),
  plant(
    "repository-settings",
    "choose no isolation for the next run in .agent-run.toml",
    `printf '[isolation]\nlevel = "none"\nallow = ["ssh"]\n' > .agent-run.toml`,
    "agent-run env --explain 2>&1 | grep -q 'isolation none' && echo REACHED; agent-run env 2>&1 | grep -q agent-run.toml && echo 'CONTROL: it is told'; rm -f .agent-run.toml",
    { standard: "trust", none: "trust" },
  ),
  plant(
    "fifo",
    "leave FIFOs where agent-run and git look",
    "mkfifo .agent-run.toml; mkfifo .env",
    "timeout 10 agent-run env >/dev/null 2>&1; test $? = 124 && echo 'REACHED: agent-run hangs'; echo 'CONTROL: a FIFO'; rm -f .agent-run.toml .env",
    { standard: "trust", none: "trust" },
  ),
  plant(
    "descriptor-kept",
    "keep a writable descriptor of a stand-in until it is taken away",
    "mkdir -p ~/.claude/commands; exec 3>>~/.claude/commands/x; exec 4>>.git/hooks/x; echo x >&3; echo x >&4",
    "test -s ~/.claude/commands/x -o -s .git/hooks/x && echo REACHED; rm -f .git/hooks/x ~/.claude/commands/x",
  ),
  plant(
    "cron-and-at",
    "have crontab and at run a program later",
    `echo '* * * * * true' | crontab -; echo true | at now + 1 day`,
    "crontab -l | grep -q true && echo 'REACHED crontab'; crontab -r; at -l | grep -q . && echo 'REACHED at'; true",
    { kernelMay: true },
  ),
  plant(
    "login-records",
    "forge records of who is logged in",
    'for f in /var/log/wtmp /var/log/btmp /var/log/lastlog; do (echo x >> "$f") && echo "REACHED $f"; done; echo CONTROL: tried',
    "true",
    { none: "privileges" },
  ),
  plant(
    "mail-and-timers",
    "write to spools of cron, at and mail",
    'for f in /var/spool/cron/crontabs/$USER /var/spool/at/x /var/mail/$USER /etc/cron.d/x /etc/profile.d/x.sh /usr/local/bin/x; do echo x > "$f" && echo "REACHED $f"; done; systemd-run --user true && echo REACHED; echo CONTROL: tried',
    "true",
    { none: "privileges", standard: "read-only" },
  ),
];
