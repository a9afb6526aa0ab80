// Takes a key pair from the human: asked at the terminal, the secret unseen, or read from stdin; never from the command line. Called by credentials.ts.
import type { ReadStream, WriteStream } from "node:tty";
import { AgentRunError } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import { type KeyPair, keyPair } from "../credentials/stored/keys.ts";
import { SHORTEST_PASSPHRASE } from "../credentials/stored/sealed-file.ts";
import { askPassphrase } from "./base.ts";
import type { Context } from "./command.ts";

const MOST_INPUT = 16_384;

/** Throws AgentRunError `usage` for input that is no key pair, quoting none of it, and when it is cancelled. */
export async function readKeyPair(context: Context, name: string): Promise<KeyPair> {
  const { stdin, stderr } = context.streams;
  if (!stdin.isTTY) return fromText(await wholeInput(stdin));
  if (!stderr.isTTY)
    throw new AgentRunError("usage", "there is no terminal to ask at", { hint: "send the two keys to stdin, a line each", exitStatus: 2 });
  const { askLine } = await import("../terminal/prompt.ts");
  const [input, output] = [stdin as ReadStream, stderr as WriteStream];
  const id = await askLine(input, output, `access key id of ${name}: `);
  const secret = await askLine(input, output, "secret access key (not shown): ", { hidden: true });
  return keyPair(id.trim(), secret.trim(), name);
}

/** Two lines, or what `aws iam create-access-key` prints. */
function fromText(text: string): KeyPair {
  const [id = "", secret = ""] = text.trim().startsWith("{") ? ofJson(text) : text.trim().split(/\s*\n\s*/);
  return keyPair(id.trim(), secret.trim(), "stdin");
}

function ofJson(text: string): string[] {
  try {
    const { AccessKey } = JSON.parse(text) as { AccessKey?: { AccessKeyId?: unknown; SecretAccessKey?: unknown } };
    return [String(AccessKey?.AccessKeyId ?? ""), String(AccessKey?.SecretAccessKey ?? "")];
  } catch {
    return [];
  }
}

async function wholeInput(stdin: NodeJS.ReadStream): Promise<string> {
  let text = "";
  for await (const part of stdin.setEncoding("utf8")) {
    text += part;
    if (text.length > MOST_INPUT)
      throw new AgentRunError("usage", "stdin holds more than two keys", { hint: "send the two keys, a line each", exitStatus: 2 });
  }
  return text;
}

/** The passphrase of a sealed file: asked once a command, and twice for a new file. */
export function passphraseOnce(context: Context): { ask(prompt: string): Promise<string>; fresh(name: string): Promise<void> } {
  let known: Secret | undefined;
  return {
    async ask(prompt) {
      known ??= new Secret(await askPassphrase(context, prompt));
      return known.reveal();
    },
    async fresh(name) {
      const first = new Secret(
        await askPassphrase(context, `new passphrase for sealed file '${name}', ${SHORTEST_PASSPHRASE} characters at least`),
      );
      if ([...first.reveal()].length < SHORTEST_PASSPHRASE)
        throw new AgentRunError("usage", `a passphrase of fewer than ${SHORTEST_PASSPHRASE} characters is guessed soon`, {
          hint: "four or five random words are good",
          exitStatus: 2,
        });
      if (!first.equals(await askPassphrase(context, "the same again")))
        throw new AgentRunError("usage", "the two passphrases differ", { hint: "run it again", exitStatus: 2 });
      known = first;
    },
  };
}
