// A human with a home of their own in a temporary folder: AWS files, environment, and a resolver that looks there. Used by the tests of the sources.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AgentRunError } from "../../src/core/error.ts";
import { type Base, type BaseRequest, createBaseResolver } from "../../src/credentials/sources.ts";
import { manualClock } from "./manual-clock.ts";

/** No service is at these addresses, so that a test never asks a real one. */
export const NOBODY = "http://127.0.0.1:9";

export interface Human extends Disposable {
  readonly home: string;
  readonly env: Record<string, string>;
  readonly clock: ReturnType<typeof manualClock>;
  write(path: string, text: string): string;
  /** Every file below home with its content. */
  files(): Record<string, string>;
  find(request?: Partial<BaseRequest>): Promise<Base>;
  /** The resolver's own. */
  forget(): void;
  /** What `find` throws. */
  fail(request?: Partial<BaseRequest>): Promise<AgentRunError>;
}

export function human(files: Record<string, string> = {}, env: Record<string, string> = {}): Human {
  const home = mkdtempSync(join(tmpdir(), "agent-run-"));
  const clock = manualClock(Date.now());
  const resolver = createBaseResolver(clock);
  const made: Human = {
    home,
    env: { HOME: home, PATH: "/usr/bin:/bin", AWS_EC2_METADATA_DISABLED: "true", ...env },
    clock,
    write(path, text) {
      const full = join(home, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
      return full;
    },
    files: () =>
      Object.fromEntries(
        readdirSync(home, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "utf8")]),
      ),
    find: (request = {}) =>
      resolver.resolve({
        env: made.env,
        endpointUrl: NOBODY,
        state: join(home, "state"),
        mfa: () => Promise.reject(new Error("no mfa was expected")),
        passphrase: () => Promise.reject(new Error("no passphrase was expected")),
        ...request,
      }),
    forget: () => resolver.forget(),
    fail: (request) =>
      made.find(request).then(
        (base) => Promise.reject(new Error(`found ${base.source}`)),
        (thrown) => thrown,
      ),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
  for (const [path, text] of Object.entries(files)) made.write(path, text);
  return made;
}

export const keyPair = (id: string): string => `aws_access_key_id = ${id}\naws_secret_access_key = secretOf${id}\n`;
/** 20 characters, as AWS's are. */
export const keyId = (name: string): string =>
  `AKIA${name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "")
    .padEnd(16, "0")
    .slice(0, 16)}`;

export const ENV_KEYS = { AWS_ACCESS_KEY_ID: keyId("env"), AWS_SECRET_ACCESS_KEY: "envSecret" };

export const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

/** A command of `credential_process` that prints the keys of `id`, and `more` members. */
export const processOutput = (id: string, more = ""): string =>
  `printf '{"Version":1,"AccessKeyId":"${id}","SecretAccessKey":"processSecret"${more}}'`;
