// What a daemon loads ahead for a revocation: where it is not there any more, as after an upgrade under a daemon that runs, nothing may end.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("what a revocation needs and is not there any more ends no daemon when it is loaded ahead", async () => {
  const program = `
    require("node:module").registerHooks({
      resolve(name, context, next) {
        if (!name.startsWith("@aws-sdk/")) return next(name, context);
        console.log("missed " + name);
        throw Object.assign(new Error("there is no " + name), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
    import(process.argv[1]).then(({ loadAhead }) => loadAhead());
    const began = Date.now();
    process.on("exit", () => console.log("went on"));
    const waiting = setInterval(() => { if (Date.now() - began > 2500) clearInterval(waiting); }, 50);`;
  const module = join(import.meta.dirname, "../../src/session/revocation.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program, module]);
  expect(stdout).toMatch(/^missed @aws-sdk\/client-iam$/m);
  expect(stdout).toContain("went on");
});
