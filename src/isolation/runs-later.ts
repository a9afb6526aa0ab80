// Files of a project that run, or steer what runs, when the human next works there: which names those are. PURE. Used by left-behind.ts.

/** By name, in any folder. */
const NAMES = new Set([
  ...[".envrc", ".env", "mise.toml", ".mise.toml", ".tool-versions", ".autoenv", ".agent-run.toml"],
  ...[".mcp.json", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", ".pnp.cjs", "package.json", "bunfig.toml", "deno.json"],
  ...[
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Taskfile.yml",
    "lefthook.yml",
    ".pre-commit-config.yaml",
    ".gitmodules",
    ".gitconfig",
  ],
  ...["conftest.py", "setup.py", "noxfile.py", "build.rs", ".gdbinit", ".lldbinit", ".exrc", ".nvimrc", ".vimrc", ".dir-locals.el"],
  ...[".devcontainer.json", "docker-compose.yml", "compose.yaml", "CLAUDE.md", "AGENTS.md", "GEMINI.md", ".cursorrules"],
]);

/** Everything inside a folder of that name. */
const FOLDERS = [
  ...[".vscode", ".idea", ".fleet", ".zed", ".devcontainer", ".husky", ".githooks", ".claude", ".codex", ".gemini", ".cursor", ".opencode"],
  ...[".github/workflows", ".yarn/plugins", ".cargo", ".mise"],
].map((folder) => `/${folder}/`);

/** Of a git folder: `/hooks/` and these. */
const GIT_FILES = ["config", "config.worktree", "commondir", "rebase-merge/git-rebase-todo"];

/** Folders in which nothing is looked at: what builds and package managers fill, and what git keeps. */
export const NOT_LOOKED_AT: ReadonlySet<string> = new Set([
  ...["node_modules", "target", "dist", "build", "out", ".venv", "venv", "vendor", "__pycache__", ".cache", ".next", ".turbo", ".gradle"],
  ...["objects", "refs", "logs", "lfs", "modules", "worktrees", "info"].map((name) => `.git/${name}`),
]);

/** Whether the file at `path`, relative to the project, is one of them. */
export function runsLater(path: string): boolean {
  const whole = `/${path}`;
  const git = whole.lastIndexOf("/.git/");
  if (git >= 0) {
    const inside = whole.slice(git + "/.git/".length);
    return GIT_FILES.includes(inside) || (inside.startsWith("hooks/") && !inside.endsWith(".sample"));
  }
  return NAMES.has(path.slice(path.lastIndexOf("/") + 1)) || FOLDERS.some((folder) => whole.includes(folder));
}
