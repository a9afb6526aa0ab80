// Bundles test/fixtures/terminal-demo.ts as the product is bundled, so that tests run it as a process of its own. Also a command: prints the path.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..");

/** Builds the demo into a folder of this process and gives the path of its main file. */
export async function demoBundle(): Promise<string> {
  const folder = join(root, "node_modules", ".cache", "terminal-demo", String(process.pid));
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { demo: "test/fixtures/terminal-demo.ts" },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    jsx: "automatic",
    external: ["@lydell/node-pty", "react-devtools-core"],
    define: { "process.env.NODE_ENV": '"production"' },
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: "error",
  });
  return join(folder, "demo.js");
}

if (process.argv[1] === import.meta.filename) console.log(await demoBundle());
