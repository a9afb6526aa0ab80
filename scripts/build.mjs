// Bundles src/ into dist/: one small entry for the launcher, with everything heavy in chunks that load when they are needed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`, { recursive: true });

const result = await build({
  absWorkingDir: root,
  entryPoints: { main: "src/main.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifySyntax: true,
  jsx: "automatic",
  external: ["@lydell/node-pty", "react-devtools-core"],
  define: { "process.env.NODE_ENV": '"production"', AGENT_RUN_VERSION: JSON.stringify(version) },
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  chunkNames: "chunks/[name]-[hash]",
  metafile: true,
  logLevel: "warning",
});

writeFileSync(`${root}dist/meta.json`, JSON.stringify(result.metafile));
