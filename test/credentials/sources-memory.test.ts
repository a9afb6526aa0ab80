// What the sources found is remembered while it is valid, asked for once at a time, and shown to nobody.
import { statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { textOf } from "../../src/credentials/stored/keys.ts";
import { sealFile } from "../../src/credentials/stored/sealed-file.ts";
import { sealedFolder } from "../../src/credentials/stored/stores.ts";
import { ENV_KEYS, human, inAnHour, keyId, processOutput } from "./human.ts";

describe("what was found", () => {
  const countProcess = (more = ""): string =>
    `[profile p]\ncredential_process = echo x >> "$HOME/runs"; ${processOutput(keyId("p"), more)}\n`;
  const runs = (ann: ReturnType<typeof human>): number => (ann.files()[`${ann.home}/runs`] ?? "").split("\n").length - 1;

  it("is remembered while it is valid, and got anew shortly before its end", async () => {
    using ann = human();
    ann.write(".aws/config", countProcess(`,"SessionToken":"t","Expiration":"${inAnHour().toISOString()}"`));
    const base = await ann.find({ awsProfile: "p" });
    await ann.find({ awsProfile: "p" });
    expect(await base.refresh()).toBe(base.credentials);
    expect(runs(ann)).toBe(1);
    await ann.clock.advance(56 * 60_000);
    await base.refresh();
    expect(runs(ann)).toBe(2);
  });

  it("is asked for once by 20 launches at the same time", async () => {
    using ann = human();
    ann.write(".aws/config", countProcess());
    await Promise.all(Array.from({ length: 20 }, () => ann.find({ awsProfile: "p" })));
    expect(runs(ann)).toBe(1);
  });

  it("is forgotten when a file, a variable or the profile changes", async () => {
    using ann = human();
    const config = ann.write(".aws/config", countProcess());
    await ann.find({ awsProfile: "p" });
    ann.env["AWS_REGION"] = "eu-west-1";
    await ann.find({ awsProfile: "p" });
    expect(runs(ann)).toBe(2);
    const later = new Date(statSync(config).mtimeMs + 2000);
    utimesSync(config, later, later);
    await ann.find({ awsProfile: "p" });
    expect(runs(ann)).toBe(3);
  });

  it("is not remembered when it failed", async () => {
    using ann = human({ ".aws/config": "[profile p]\ncredential_process = exit 1\n" });
    await ann.fail({ awsProfile: "p" });
    ann.write(".aws/config", countProcess());
    expect((await ann.find({ awsProfile: "p" })).credentials.accessKeyId).toBe(keyId("p"));
  });

  it("is not remembered where all was forgotten while it was under way: it may be what was there before", async () => {
    using ann = human();
    const slow = `[profile p]\ncredential_process = echo x >> "$HOME/runs"; sleep 0.5; ${processOutput(keyId("p"))}\n`;
    ann.write(".aws/config", slow);
    const finding = ann.find({ awsProfile: "p" });
    while (runs(ann) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    ann.forget();
    const after = ann.find({ awsProfile: "p" });
    await Promise.all([finding, after]);
    expect(runs(ann)).toBe(2);
    ann.forget();
    await ann.find({ awsProfile: "p" });
    expect(runs(ann)).toBe(3);
  });

  it("is asked for anew where it waited for another's human, who is gone", async () => {
    using ann = human();
    const passphrase = "correct horse battery staple";
    const keys = textOf({ accessKeyId: keyId("f"), secretAccessKey: new Secret("x".repeat(40)) });
    await sealFile(join(sealedFolder(join(ann.home, "state")), "dev.sealed"), "dev", keys, new Secret(passphrase));
    const other = Promise.withResolvers<string>();
    const theirs = ann.find({ credentials: "file:dev", passphrase: () => other.promise });
    const ours = ann.find({ credentials: "file:dev", passphrase: async () => passphrase });
    const gone = new AgentRunError("lease", "nobody is there to answer: the launcher is gone");
    other.reject(gone);
    await expect(theirs).rejects.toBe(gone);
    expect((await ours).credentials.accessKeyId).toBe(keyId("f"));
  });

  it("shows no secret in any rendering", async () => {
    using ann = human({}, { ...ENV_KEYS, AWS_SESSION_TOKEN: "envToken" });
    const base = await ann.find();
    expect(inspect(base, { depth: 9, showHidden: true }) + JSON.stringify(base)).not.toMatch(/envSecret|envToken/);
    expect(base.credentials.sessionToken?.reveal()).toBe("envToken");
  });
});
