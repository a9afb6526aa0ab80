// Every attempt of the red team, in the order of the table. Read by range.ts, red-team.test.ts and table.ts.
import type { Attempt } from "./attempt.ts";
import { audit } from "./attempts/audit.ts";
import { files } from "./attempts/files.ts";
import { kernel } from "./attempts/kernel.ts";
import { network } from "./attempts/network.ts";
import { nextSession } from "./attempts/next-session.ts";
import { persistence } from "./attempts/persistence.ts";
import { processes } from "./attempts/processes.ts";
import { project } from "./attempts/project.ts";
import { sandbox } from "./attempts/sandbox.ts";
import { sockets } from "./attempts/sockets.ts";
import { terminal } from "./attempts/terminal.ts";

export const attempts: readonly Attempt[] = [
  ...files,
  ...processes,
  ...kernel,
  ...sandbox,
  ...sockets,
  ...network,
  ...persistence,
  ...project,
  // After those whose plants would keep the next session from starting.
  ...nextSession,
  ...terminal,
  ...audit,
];
