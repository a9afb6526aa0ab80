// Checks the folder of the control socket before anything in it is used. Called by whoever connects and by the daemon that listens.
import { isAbsolute } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { privateFolder } from "../core/folder.ts";
import { controlSocket, type Paths } from "../core/paths.ts";

/** Room for a path in `sun_path` without its final NUL: 108 bytes on Linux (unix(7)), 104 on macOS and the BSDs (unix(4)). */
const LONGEST_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/**
 * Makes the runtime folder where it is absent and gives the path of the control socket in it. A launcher tells the daemon how to reach the
 * human's credentials, so it must not talk to a socket in a folder that another user could have filled.
 * @throws AgentRunError `runtime-folder`
 */
export function checkedSocket(paths: Paths): string {
  const socket = controlSocket(paths);
  if (!isAbsolute(socket)) {
    throw new AgentRunError("runtime-folder", `the runtime folder '${paths.runtime}' is not an absolute path`, {
      hint: "set AGENT_RUN_HOME or XDG_RUNTIME_DIR to an absolute path",
    });
  }
  const length = Buffer.byteLength(socket);
  if (length > LONGEST_SOCKET_PATH) {
    throw new AgentRunError(
      "runtime-folder",
      `the path of the control socket is too long: ${socket} has ${length} bytes, the system takes ${LONGEST_SOCKET_PATH}`,
      { hint: "set AGENT_RUN_HOME or XDG_RUNTIME_DIR to a shorter path" },
    );
  }
  privateFolder(paths.runtime, "runtime-folder");
  return socket;
}
