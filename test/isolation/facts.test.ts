// What is seen of the machine for a plan, where it changes while it is looked at.
import { spawn } from "node:child_process";
import { chownSync, linkSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gatherFacts } from "../../src/isolation/facts.ts";

describe.skipIf(process.platform !== "linux")("the facts (needs Linux)", () => {
  it("list a folder without a link that goes away meanwhile, and with all else that is in it", () => {
    // One of its links is the descriptor that it is listed by, and gone as soon as it was listed.
    const folder = "/proc/self/fd";
    const { listings } = gatherFacts({ homes: [], project: "/", cwd: "/", places: [{ path: folder, list: true }] });
    expect(listings.get(realpathSync(folder))?.map(({ kind }) => kind)).toContain("link");
  });

  describe("of sockets that somebody listens on", () => {
    const sockets = (): readonly string[] => gatherFacts({ homes: [], project: "/", cwd: "/", places: [] }).sockets;
    const folder = (): string => realpathSync(mkdtempSync(join(tmpdir(), "facts-")));
    const listen = (path: string): Promise<Server & AsyncDisposable> =>
      new Promise((resolve, reject) => {
        const server = createServer();
        server.once("error", reject).listen(path, () => resolve(server));
      });

    it("are by the name that each has, whatever it was bound by: linked, as OpenSSH does, and renamed", async () => {
      const own = folder();
      await using _linked = await listen(join(own, "mux.x"));
      linkSync(join(own, "mux.x"), join(own, "mux"));
      unlinkSync(join(own, "mux.x"));
      await using _renamed = await listen(join(own, "new"));
      renameSync(join(own, "new"), join(own, "control"));
      expect(sockets()).toEqual(expect.arrayContaining([join(own, "mux"), join(own, "control")]));
      rmSync(own, { recursive: true });
    });

    it("are also those that a program bound by a name below its folder", async () => {
      const own = folder();
      const script = 'require("net").createServer().listen("rel.sock", () => console.log("listens"))';
      const program = spawn(process.execPath, ["-e", script], { cwd: own, stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => program.stdout.once("data", resolve));
      expect(sockets()).toContain(join(own, "rel.sock"));
      program.kill("SIGKILL");
      rmSync(own, { recursive: true });
    });

    it.skipIf(process.getuid?.() !== 0)("are none that root reaches by its privileges alone, which its agent has not", async () => {
      const own = folder();
      mkdirSync(join(own, "closed"), { mode: 0o700 });
      await using _server = await listen(join(own, "closed/x.sock"));
      expect(sockets()).toContain(join(own, "closed/x.sock"));
      chownSync(join(own, "closed"), 65534, 65534);
      expect(sockets()).not.toContain(join(own, "closed/x.sock"));
      rmSync(own, { recursive: true });
    });
  });
});
