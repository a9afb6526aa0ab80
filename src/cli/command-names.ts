// The first words that are commands, so that main.ts can tell a run from a command without loading either.

export const commandNames = [
  "audit",
  "check",
  "completion",
  "console",
  "credentials",
  "daemon",
  "demo",
  "demo-agent",
  "demo-aws",
  "doctor",
  "env",
  "exec",
  "extend",
  "help",
  "kill",
  "local-cloud",
  "login",
  "logout",
  "policy",
  "profiles",
  "ps",
  "revocations",
  "run",
  "setup",
  "shell-init",
  "status",
  "trust",
] as const;

const FLAGS = ["--help", "-h", "--version", "-V"];

/** Whether a command line names a command; any other is a run: options, then the agent. */
export function namesCommand(first: string | undefined): boolean {
  return first === undefined || FLAGS.includes(first) || commandNames.some((name) => name === first);
}

/** Whether a command line starts an agent or a program: what must begin fast. */
export function startsRun(first: string | undefined): boolean {
  return !namesCommand(first) || first === "run" || first === "exec";
}
