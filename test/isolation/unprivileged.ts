// Runs a function as a user whom modes of folders hold off, also where the tests run as root. Used by the tests of what is looked at in a project.

const NOBODY = 65_534;

/** What it makes there belongs to that user: the folders it works in must be open to all. */
export function unprivileged<Value>(run: () => Value): Value {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(NOBODY);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}
