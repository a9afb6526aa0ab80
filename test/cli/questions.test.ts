// A question at the prompt, and what is said while it is open.
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { Streams } from "../../src/cli/command.ts";
import { Questions } from "../../src/cli/questions.ts";

it("says nothing on the row of an open question, and all of it below when it is answered or given up", async () => {
  const stdin = Object.assign(new PassThrough(), { isRaw: false, setRawMode: () => undefined });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const questions = new Questions({ atTerminal: true, inTerminal: true }, { stdin, stderr } as unknown as Streams, () => Promise.resolve());
  let all = "";
  let seen = 0;
  stderr.on("data", (bytes: Buffer) => {
    all += bytes.toString();
  });
  const appears = (what: string) => expect.poll(() => all.slice(seen)).toBe(what);
  const next = (): void => {
    seen = all.length;
  };
  const warn = (text: string): void => questions.beside(() => stderr.write(`${text}\n`));

  warn("before");
  const answer = questions.ask("mfa", "MFA code");
  await appears("before\nMFA code: ");
  next();
  warn("one");
  warn("two");
  stdin.write("123456\r");
  expect(await answer).toBe("123456");
  await appears("123456\none\ntwo\n");
  next();

  const second = questions.ask("passphrase", "passphrase");
  await appears("passphrase: ");
  next();
  warn("three");
  stdin.write("\x03");
  await expect(second).rejects.toMatchObject({ code: "usage", exitStatus: 130 });
  warn("after");
  await appears("\nthree\nafter\n");
});
