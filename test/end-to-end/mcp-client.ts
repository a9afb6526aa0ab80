// The client's side of an MCP server over stdio: starts what a configuration names, as a client does, and asks in JSON-RPC. Used by exec.test.ts.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** An entry of `mcpServers`, as in `.mcp.json`. */
export interface McpServer {
  readonly command: string;
  readonly args: readonly string[];
}

export interface McpClient extends AsyncDisposable {
  /** All that the server wrote, and all of what it said on stderr. */
  readonly written: { stdout: string; stderr: string };
  /** Which pipes its stdin and stdout are, where the system tells. */
  readonly pid: number;
  readonly exited: Promise<number | null>;
  request(method: string, params?: object): Promise<unknown>;
  /** Closes the server's stdin, which is how a client ends it. */
  close(): Promise<number | null>;
}

const LIMIT_MS = 15_000;

/** Starts the server and shakes hands with it. @param env only these: clients hand on a few variables */
export async function startMcp(server: McpServer, env: Record<string, string>, cwd: string): Promise<McpClient> {
  const child = spawn(server.command, [...server.args], { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
  const written = { stdout: "", stderr: "" };
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    written.stderr += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: { message: string } };
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (code) => resolve(code));
  });
  child.stdin.on("error", () => {});
  let last = 0;
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const request = async (method: string, params: object = {}): Promise<unknown> => {
    last += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(last, answer);
    send({ id: last, method, params });
    const late = setTimeout(() => answer.reject(new Error(`no answer to ${method}: ${written.stderr}`)), LIMIT_MS);
    void exited.then((code) => answer.reject(new Error(`the server left with ${code}: ${written.stderr}`)));
    return answer.promise.finally(() => clearTimeout(late));
  };
  await request("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } });
  send({ method: "notifications/initialized" });
  const close = (): Promise<number | null> => {
    child.stdin.end();
    return exited;
  };
  return {
    written,
    pid: child.pid ?? 0,
    exited,
    request,
    close,
    async [Symbol.asyncDispose]() {
      const late = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
      await close();
      clearTimeout(late);
    },
  };
}
