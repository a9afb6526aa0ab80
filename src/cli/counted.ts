// A number and what it counts, as a human writes it. Called by the commands that say how many there are.

/** `1 session`, `2 sessions`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
