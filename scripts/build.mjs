// Bundles src/ into dist/: one small entry for the launcher, with everything heavy in chunks that load when they are needed.
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { thirdPartyLicenses } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

// Tells two builds of one version apart, so that a launcher never talks to a daemon of other code: the hash of all sources.
const hash = createHash("sha256");
for (const file of globSync("src/**/*.{ts,tsx}", { cwd: root }).sort()) hash.update(readFileSync(`${root}${file}`));
const buildId = hash.digest("hex").slice(0, 8);

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`, { recursive: true });

const settings = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifySyntax: true,
  jsx: "automatic",
  // The AWS SDK's ES modules: named exports survive a dynamic import, and what is not used is left out.
  mainFields: ["module", "main"],
  external: ["@lydell/node-pty", "react-devtools-core"],
  define: { "process.env.NODE_ENV": '"production"', AGENT_RUN_VERSION: JSON.stringify(`${version}+${buildId}`) },
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  logLevel: "warning",
  metafile: true,
};

// Two bundles. What a run loads before its agent starts is one file and no more: each further file costs about a millisecond. Everything else is the
// other bundle, in as many chunks as it likes. No module is used in both by one process, so that nothing exists twice.
const otherBundle = {
  name: "other-bundle",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/cli\/cli\.ts$/ }, () => ({ path: "./cli.js", external: true }));
  },
};
const bundles = [
  await build({ ...settings, entryPoints: { main: "src/main.ts" }, chunkNames: "run/[name]-[hash]", plugins: [otherBundle] }),
  await build({ ...settings, entryPoints: { cli: "src/cli/cli.ts" }, chunkNames: "chunks/[name]-[hash]" }),
];

const licenses = thirdPartyLicenses(
  root,
  bundles.map(({ metafile }) => metafile),
);
writeFileSync(`${root}dist/THIRD-PARTY-LICENSES.txt`, licenses);
