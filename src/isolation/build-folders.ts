// Folders in which nothing is looked at: what builds and package managers fill. Pure. Used by git-folders.ts before a launch, and by runs-later.ts after it.

export const NOT_LOOKED_AT: ReadonlySet<string> = new Set([
  "node_modules",
  "target",
  "dist",
  "build",
  "out",
  ".venv",
  "venv",
  "vendor",
  "__pycache__",
  ".cache",
  ".next",
  ".turbo",
  ".gradle",
]);
