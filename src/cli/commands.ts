// The one sorted list of commands. A command's file is loaded only when it is used, so that a run starts fast.
import type { Command } from "./command.ts";
import type { commandNames } from "./command-names.ts";

export interface CommandEntry {
  readonly name: Exclude<(typeof commandNames)[number], "help">;
  readonly summary: string;
  /** Started by agent-run itself, not by people. */
  readonly hidden?: boolean;
  load(): Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: "audit",
    summary: "what happened in a session, and whether its record is whole",
    load: async () => (await import("./audit.ts")).audit,
  },
  { name: "check", summary: "the go-live checklist: a score out of six", load: async () => (await import("./check.ts")).check },
  {
    name: "completion",
    summary: "completion of commands, options, profiles and sessions, for your shell",
    load: async () => (await import("./completion.ts")).completion,
  },
  {
    name: "console",
    summary: "the AWS console as a session's role, where its profile allows it",
    load: async () => (await import("./console.ts")).consoleCommand,
  },
  {
    name: "credentials",
    summary: "an IAM user's keys in the system keyring instead of ~/.aws",
    load: async () => (await import("./credentials.ts")).credentials,
  },
  {
    name: "daemon",
    summary: "the background process that holds the credentials",
    load: async () => (await import("./daemon.ts")).daemon,
  },
  { name: "demo", summary: "try everything on a local cloud, no AWS account needed", load: async () => (await import("./demo.ts")).demo },
  {
    name: "demo-agent",
    summary: "the scripted agent of the demo",
    hidden: true,
    load: async () => (await import("./demo-agent.ts")).demoAgent,
  },
  {
    name: "demo-aws",
    summary: "a few aws calls for a demo without the AWS CLI",
    hidden: true,
    load: async () => (await import("./demo-aws.ts")).demoAws,
  },
  {
    name: "doctor",
    summary: "check this machine, your account and your agents, with what mends each",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "env",
    summary: "the environment an agent would get, with a reason for each change",
    load: async () => (await import("./env.ts")).env,
  },
  {
    name: "exec",
    summary: "run a program in a script, in CI or as an MCP server: no bar, no questions",
    load: async () => (await import("./exec.ts")).exec,
  },
  {
    name: "extend",
    summary: "ask for more time for a session, at its own terminal",
    load: async () => (await import("./extend.ts")).extend,
  },
  {
    name: "kill",
    summary: "end a session now, from anywhere, and deny its keys at AWS",
    load: async () => (await import("./kill.ts")).kill,
  },
  {
    name: "local-cloud",
    summary: "the cloud that the demo runs on",
    hidden: true,
    load: async () => (await import("./local-cloud.ts")).localCloud,
  },
  {
    name: "login",
    summary: "sign in at IAM Identity Center (SSO); the session is kept in the keyring",
    load: async () => (await import("./login.ts")).login,
  },
  {
    name: "logout",
    summary: "end a sign-in at IAM Identity Center",
    load: async () => (await import("./logout.ts")).logout,
  },
  { name: "policy", summary: "lint, test and explain IAM policies", load: async () => (await import("./policy.ts")).policy },
  {
    name: "profiles",
    summary: "the profiles there are, what each allows, and a new one",
    load: async () => (await import("./profiles.ts")).profiles,
  },
  { name: "ps", summary: "the sessions that run now", load: async () => (await import("./ps.ts")).ps },
  {
    name: "revocations",
    summary: "the sessions that are denied at AWS, and what can be removed",
    load: async () => (await import("./revocations.ts")).revocations,
  },
  { name: "run", summary: "run an agent; the same as agent-run <agent>", load: async () => (await import("./run.ts")).run },
  { name: "setup", summary: "make the role of a profile in your account", load: async () => (await import("./setup.ts")).setup },
  {
    name: "shell-init",
    summary: "agents through agent-run and a prompt segment, for your shell",
    load: async () => (await import("./shell-init.ts")).shellInitCommand,
  },
  {
    name: "status",
    summary: "the session you are in, or those that run, in one line",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "trust",
    summary: "let a repository's .agent-run.toml choose a profile or narrow it",
    load: async () => (await import("./trust.ts")).trust,
  },
];
