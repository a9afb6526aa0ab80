// The system keyring as it really is: a gnome-keyring on a bus of its own. An error is never taken for "there is none", and none of them holds us up.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { openKeyring } from "../../src/credentials/stored/keyring.ts";
import { type Bus, hasKeyring, keyringNeeds, keyringPlace } from "./keyring-world.ts";

const SECRET = "not-a-secret-of-anybody-0123456789";

/** On a busy machine everything takes longer. */
const LONG_MS = 20_000;

const failed = (call: Promise<unknown>): Promise<AgentRunError> =>
  call.then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error: unknown) => {
      if (error instanceof AgentRunError) return error;
      throw error;
    },
  );

describe.skipIf(!hasKeyring)(`the keyring${hasKeyring ? "" : ` (needs ${keyringNeeds})`}`, () => {
  const place = hasKeyring ? keyringPlace() : undefined;
  let unlocked: Bus;
  beforeAll(async () => {
    if (place) unlocked = await place.unlocked();
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  });

  it("keeps, gives, lists without secrets, and removes", async () => {
    const keyring = openKeyring(unlocked.env, LONG_MS);
    expect(await keyring.get("a b/ü")).toBeUndefined();
    await keyring.set("a b/ü", new Secret(SECRET));
    await keyring.set("keys dev", new Secret(JSON.stringify({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: SECRET })));
    expect((await keyring.get("a b/ü"))?.reveal()).toBe(SECRET);
    const listed = await keyring.list();
    expect(listed.sort((one, other) => (one.account < other.account ? -1 : 1))).toEqual([
      { account: "a b/ü", accessKeyId: undefined },
      { account: "keys dev", accessKeyId: "AKIAEXAMPLE" },
    ]);
    expect(JSON.stringify(listed)).not.toContain(SECRET);
    expect(await keyring.remove("a b/ü")).toBe(true);
    expect(await keyring.remove("a b/ü")).toBe(false);
    expect(await keyring.get("a b/ü")).toBeUndefined();
  });

  it("holds a text of 60,000 characters, and one of other alphabets", async () => {
    const keyring = openKeyring(unlocked.env, LONG_MS);
    for (const text of ["x".repeat(60_000), "пароль 鍵 🔑\n\0\u0001"]) {
      await keyring.set("long", new Secret(text));
      expect((await keyring.get("long"))?.reveal()).toBe(text);
    }
    await keyring.remove("long");
  });

  it("that is locked, with nobody to ask for its password, is an error and not an absence", async () => {
    await openKeyring(unlocked.env, LONG_MS).set("kept", new Secret(SECRET));
    await using other = keyringPlace();
    const first = await other.unlocked();
    await openKeyring(first.env, LONG_MS).set("kept", new Secret(SECRET));
    await first[Symbol.asyncDispose]();
    const locked = openKeyring((await other.locked()).env, LONG_MS);
    for (const call of [
      () => locked.get("kept"),
      () => locked.set("kept", new Secret("x")),
      () => locked.remove("kept"),
      () => locked.list(),
    ]) {
      const error = await failed(call());
      expect(error).toMatchObject({ code: "keyring", message: "the secret service is locked" });
      expect(error.hint).toContain("--store file");
    }
  });

  it("that is not on the bus is an error", async () => {
    const { env } = await (place as NonNullable<typeof place>).absent();
    const keyring = openKeyring(env, LONG_MS);
    for (const call of [
      () => keyring.get("kept"),
      () => keyring.set("kept", new Secret(SECRET)),
      () => keyring.remove("kept"),
      () => keyring.list(),
    ])
      expect(await failed(call())).toMatchObject({ code: "keyring", message: expect.stringContaining("no program on this D-Bus") });
  });

  it("is an error without a bus, and where the bus has gone", async () => {
    for (const DBUS_SESSION_BUS_ADDRESS of [undefined, "unix:path=/nonexistent/bus"]) {
      const error = await failed(openKeyring({ ...unlocked.env, DBUS_SESSION_BUS_ADDRESS }).get("kept"));
      expect(error).toMatchObject({ code: "keyring", message: expect.stringContaining("no D-Bus session") });
    }
  });

  it("whose program never answers is given up", async () => {
    const { env } = await (place as NonNullable<typeof place>).silent();
    const error = await failed(openKeyring(env, 1000).get("kept"));
    expect(error).toMatchObject({ code: "keyring", message: "the secret service did not answer within 1 s" });
  });

  it("that stops answering in the middle of everything is given up", async () => {
    await using other = keyringPlace();
    const bus = await other.unlocked();
    const keyring = openKeyring(bus.env, 1000);
    await keyring.set("kept", new Secret(SECRET));
    bus.freeze();
    for (const call of [() => keyring.get("kept"), () => keyring.list()])
      expect(await failed(call())).toMatchObject({
        code: "keyring",
        message: expect.stringMatching(/did not answer within 1 s|does not answer/),
      });
  });
});
