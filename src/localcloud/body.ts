// Reads request bodies within a limit. Called by pipeline.ts.
import type { IncomingMessage } from "node:http";
import { AwsFault } from "./fault.ts";

/**
 * The whole body.
 * @param limit bytes
 * @param tooLarge makes the answer to a larger one
 * @throws AwsFault `tooLarge`, or `IncompleteBody` when the client goes away in the middle
 */
export async function readBody(request: IncomingMessage, limit: number, tooLarge: () => AwsFault): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limit) throw tooLarge();
  if (declared === 0 && request.headers["transfer-encoding"] === undefined) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request) {
      size += (part as Buffer).length;
      if (size > limit) throw tooLarge();
      parts.push(part as Buffer);
    }
  } catch (error) {
    if (error instanceof AwsFault) throw error;
    throw new AwsFault("IncompleteBody", 400, "The request body terminated unexpectedly");
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}
