// The difference of two texts by lines, for plans that a human reads. Pure. Called by steps.ts.

/** Unchanged lines that are shown around a change. */
const AROUND = 2;

/**
 * Lines with `- ` (only before), `+ ` (only after) or two blanks (both), by the longest common subsequence; long unchanged stretches are one `  …`.
 * Takes texts of some hundred lines: time and memory grow with the product of their lengths.
 */
export function lineDiff(before: readonly string[], after: readonly string[]): string[] {
  if (before.length === 0) return after.map((line) => `+ ${line}`);
  const lengths = common(before, after);
  const lines: string[] = [];
  let left = 0;
  let right = 0;
  while (left < before.length || right < after.length) {
    const [old, fresh] = [before[left], after[right]];
    if (old !== undefined && old === fresh) {
      lines.push(`  ${old}`);
      left += 1;
      right += 1;
    } else if (fresh === undefined || (old !== undefined && at(lengths, left + 1, right) >= at(lengths, left, right + 1))) {
      lines.push(`- ${old}`);
      left += 1;
    } else {
      lines.push(`+ ${fresh}`);
      right += 1;
    }
  }
  return shortened(lines);
}

const at = (lengths: readonly Uint32Array[], row: number, column: number): number => lengths[row]?.[column] ?? 0;

/** `[i][j]`: the length of the longest common subsequence of what follows line i before and line j after. */
function common(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] ?? new Uint32Array();
    for (let j = after.length - 1; j >= 0; j -= 1) {
      row[j] = before[i] === after[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  }
  return lengths;
}

function shortened(lines: readonly string[]): string[] {
  const changed = lines.map((line) => !line.startsWith("  "));
  const near = lines.map((_, index) => changed.slice(Math.max(0, index - AROUND), index + AROUND + 1).includes(true));
  return lines.flatMap((line, index) => (near[index] ? [line] : index === 0 || near[index - 1] ? ["  …"] : []));
}
