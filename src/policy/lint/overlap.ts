// Whether two resource patterns have an ARN in common. Called by the checks for statements that can never apply.

/** One character, any one, or a run; a run inside a name that has no slash stays before the next one. */
type Token = number | "one" | "run" | "name";

/** Names in which no slash can stand: with it, `bucket/*` would be taken for a bucket. */
const PLAIN_NAMES = /^(?:BucketName|TableName|QueueName|TopicName|FunctionName|ClusterName|KeyId|InstanceId|Account|Region|Partition)$/;

/** A pattern of the policy: wildcards, and variables as runs. */
function policyTokens(pattern: string): Token[] {
  return tokens(pattern.replace(/\$\{[^}]*\}/g, "*"));
}

/** A pattern of the reference: `arn:${Partition}:s3:::${BucketName}`. */
function referenceTokens(pattern: string): Token[] {
  return pattern.split(/(\$\{\w+\})/).flatMap((part): Token[] => {
    const name = /^\$\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return tokens(part);
    return [PLAIN_NAMES.test(name) ? "name" : "run"];
  });
}

function tokens(text: string): Token[] {
  return [...text].map((one) => (one === "*" ? "run" : one === "?" ? "one" : (one.codePointAt(0) ?? 0)));
}

const SLASH = 47;
const isRun = (token: Token | undefined): boolean => token === "run" || token === "name";

/** Whether one character can be read by both. */
function meet(left: Token, right: Token): boolean {
  if (typeof left === "number" && typeof right === "number") return left === right;
  if (left === SLASH) return right !== "name";
  if (right === SLASH) return left !== "name";
  return true;
}

/**
 * Whether some ARN fits the policy's pattern and the reference's. Walks both at once over all that each could be reading next, so the time is at
 * most proportional to the product of their lengths.
 */
export function overlaps(policyPattern: string, referencePattern: string): boolean {
  const left = policyTokens(policyPattern);
  const right = referenceTokens(referencePattern);
  const width = right.length + 1;
  const seen = new Set<number>();
  const open: number[] = [0];
  const go = (row: number, column: number): void => {
    const at = row * width + column;
    if (seen.has(at)) return;
    seen.add(at);
    open.push(at);
  };
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const row = Math.floor(at / width);
    const column = at % width;
    const one = left[row];
    const other = right[column];
    if (one === undefined && other === undefined) return true;
    if (isRun(one)) go(row + 1, column);
    if (isRun(other)) go(row, column + 1);
    if (one === undefined || other === undefined || !meet(one, other)) continue;
    go(isRun(one) ? row : row + 1, isRun(other) ? column : column + 1);
  }
  return false;
}
