// Bundles test/fixtures/terminal-demo.ts as the product is bundled, so that tests run it as a process of its own. Also a command: prints the path.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";

const PREFIX = "terminal-demo-";
const root = join(import.meta.dirname, "..", "..");

/** Builds the demo into a new temporary folder and gives the path of its main file. */
export async function demoBundle(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  await build({
    absWorkingDir: root,
    entryPoints: { demo: "test/fixtures/terminal-demo.ts" },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    jsx: "automatic",
    external: ["react-devtools-core"],
    plugins: [
      {
        name: "native-module",
        setup({ onResolve }) {
          // Node would look for it beside the bundle.
          onResolve({ filter: /^@lydell\/node-pty$/ }, ({ path }) => ({
            path: createRequire(import.meta.url).resolve(path),
            external: true,
          }));
        },
      },
    ],
    define: { "process.env.NODE_ENV": '"production"' },
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: "error",
  });
  return join(folder, "demo.mjs");
}

/** Removes what `demoBundle` made. Nothing else: where the build failed there is no path, and the folder above an empty one is the clone's parent. */
export function removeDemo(demo: string): void {
  const folder = dirname(demo);
  if (basename(folder).startsWith(PREFIX)) rmSync(folder, { recursive: true, force: true });
}

if (process.argv[1] === import.meta.filename) console.log(await demoBundle());
