// Bundles src/ into dist/: one file for the launcher, with everything heavy in others that load when they are needed.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { preludeFile, sandboxInitFile } from "../src/isolation/own-programs.ts";
import { preludeProgram } from "../src/isolation/prelude.ts";
import { sandboxInitProgram } from "../src/isolation/sandbox-init.ts";
import { buildData } from "./build-data.mjs";
import { compactIamData, iamDataFolder } from "./iam-data.mjs";
import { thirdPartyLicenses } from "./licenses.mjs";
import { manPages, visibleCommands } from "./manual.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

// Tells two builds of one version apart, so that a launcher never talks to a daemon of other code: the hash of all sources.
const hash = createHash("sha256");
for (const file of globSync("src/**/*.{ts,tsx}", { cwd: root }).sort()) hash.update(readFileSync(`${root}${file}`));
const buildId = hash.digest("hex").slice(0, 8);
const { commit, date } = buildData(root);

// npm packs the modes that it finds.
process.umask(0o022);

// Built aside and put in place as a whole, so that nobody ever runs half of it.
const fresh = `dist.${process.pid}`;
rmSync(`${root}${fresh}`, { recursive: true, force: true });
mkdirSync(`${root}${fresh}`, { recursive: true });

const settings = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  platform: "node",
  // This lowers `using` too, as it must: before 24.5, Node never disposes what a function holds.
  target: "node24",
  minifySyntax: true,
  jsx: "automatic",
  // The AWS SDK's ES modules: named exports survive a dynamic import, and what is not used is left out.
  mainFields: ["module", "main"],
  external: ["@lydell/node-pty", "@napi-rs/keyring", "react-devtools-core"],
  define: { "process.env.NODE_ENV": '"production"', AGENT_RUN_VERSION: JSON.stringify(`${version}+${buildId}`) },
  logLevel: "warning",
  metafile: true,
};

const modules = {
  ...settings,
  splitting: true,
  format: "esm",
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
};

/** A dynamic import that stays one: of a file that another bundle holds. */
const elsewhere = (filter, path) => ({
  name: `elsewhere ${filter}`,
  setup({ onResolve }) {
    onResolve({ filter }, ({ path: asked, kind }) => (kind === "dynamic-import" ? { path: path(asked), external: true } : undefined));
  },
});

/**
 * Sources without their comments, which each launch would read. The bundle itself is printed as it reads best in an error, and lowered as a whole, so that
 * what stands in for `using` is there once, not once a file.
 */
const uncommented = {
  name: "uncommented",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "ts", minifyWhitespace: true, tsconfigRaw });
      // Where a line begins with a blank by now, it is one of a list of words.
      return { contents: code.replace(/\n +/g, "\n"), loader: "js" };
    });
  },
};

/**
 * The same program without what each of its modules says again: its name, which the comment above it gives too, that it is strict, which the whole file is,
 * and names of its own for Node's modules, of which there is one each, whose functions are called as theirs, as everybody does.
 */
function lean(code) {
  const wrappers = code.replace(/__esm\(\{\n {2}"[^"\n]+"\(\) \{\n {4}"use strict";/g, "__esm({\n  _() {");
  const modules = new Set([...wrappers.matchAll(/\bimport_node_([a-z_]+?)\d*\b/g)].map(([, name]) => name));
  for (const name of modules)
    if (new RegExp(`\\b${name}_\\b|__toESM\\(require\\("node:`).test(wrappers))
      throw new Error(`the launcher's file has a name '${name}_' already`);
  const own = wrappers.replace(/\bimport_node_([a-z_]+?)\d*\b/g, "$1_").replace(/\(0, ([a-z_]+_\.\w+)\)\(/g, " $1(");
  // What a module's first use runs has a number instead of its name.
  if (/\bm\d+_/.test(own)) throw new Error("the launcher's file has such a name already");
  const first = [...new Set(own.match(/\binit_\w+\b/g))];
  const numbers = new Map(first.map((name, index) => [name, `m${index}_`]));
  return own.replace(/\binit_\w+\b/g, (name) => numbers.get(name) ?? name);
}

/** The same program with no blank too many, in short lines, with the comments that name it and its sources; or an error. */
async function compact(code) {
  const narrow = async (part) => (await transform(part, { minifyWhitespace: true, lineLimit: 240 })).code;
  const parts = code.split(/^(\/\/ (?:(?:src|node_modules)\/|\d+\.\d+\.\d+\S*\+).*\n)/m);
  const bare = (await Promise.all(parts.map((part, index) => (index % 2 === 1 ? part : narrow(part))))).join("");
  const [before, after] = await Promise.all([code, bare].map((text) => transform(text, { minifyWhitespace: true })));
  if (before.code !== after.code) throw new Error("without its blanks the launcher's file is another program");
  return bare;
}

// Three bundles. What a run loads before its agent starts is one CommonJS file: Node's loader of ES modules, and each file more, take milliseconds. What
// draws on the screen once the agent runs (Ink, the emulator) is the second, with what few launches need, all other commands and the daemon the third. No process uses a class of two
// of them, so that nothing that is compared exists twice.
const bundles = await Promise.all([
  build({
    ...settings,
    format: "cjs",
    entryPoints: { main: "src/main.ts" },
    outExtension: { ".js": ".cjs" },
    // bin/agent-run.cjs knows the build by it.
    banner: { js: `// ${version}+${buildId}` },
    plugins: [
      uncommented,
      elsewhere(/^\.\/(?:cli\/)?cli\.ts$/, () => "./cli.js"),
      elsewhere(/^\.\/dry-run\.ts$/, () => "./dry-run.js"),
      elsewhere(
        /^\.\/(bar|overlays)\.tsx$|^\.\/(shadow|console-reader|end-notice|known-actions|forwarder|seatbelt|try-out|warm-up)\.ts$/,
        (asked) => `./screen/${asked.replace(/^\.\//, "").replace(/\.tsx?$/, ".js")}`,
      ),
    ],
  }),
  build({
    ...modules,
    outdir: `${fresh}/screen`,
    // The layout engine reads its own code with it where it is there, and so loads all of undici: 8 MB and 50 ms for a text that it holds anyway.
    define: { ...settings.define, fetch: "undefined" },
    entryPoints: {
      bar: "src/terminal/bar.tsx",
      overlays: "src/terminal/overlays.tsx",
      shadow: "src/terminal/shadow.ts",
      "warm-up": "src/terminal/warm-up.ts",
      "console-reader": "src/terminal/console-reader.ts",
      "end-notice": "src/cli/end-notice.ts",
      "known-actions": "src/cli/known-actions.ts",
      seatbelt: "src/isolation/seatbelt.ts",
      forwarder: "src/isolation/forwarder.ts",
      "try-out": "src/isolation/try-out.ts",
    },
    chunkNames: "[name]-[hash]",
  }),
  build({
    ...modules,
    entryPoints: { cli: "src/cli/cli.ts", "dry-run": "src/cli/dry-run.ts" },
    chunkNames: "chunks/[name]-[hash]",
    // Not in the launcher's bundle, which is the same for every commit of the same sources.
    define: { ...modules.define, AGENT_RUN_COMMIT: JSON.stringify(commit), AGENT_RUN_DATE: JSON.stringify(date) },
  }),
]);

// Compiled by bin/agent-run.cjs, the launcher's file cannot import: the function for it is handed in. Its lines are short, for errors; blanks are an eighth
// of what each launch would read.
const main = `${root}${fresh}/main.cjs`;
const code = (await compact(lean(readFileSync(main, "utf8")))).replaceAll('import("./', '__import("./');
writeFileSync(main, code.replace('"use strict";', '"use strict"; var __import = module.importer || ((path) => import(path));'));
writeFileSync(`${root}${fresh}/esm.cjs`, "module.exports = (path) => import(path);\n");

const licenses = thirdPartyLicenses(
  root,
  bundles.map(({ metafile }) => metafile),
  [iamDataFolder],
);
writeFileSync(`${root}${fresh}/iam-data.json`, await compactIamData());
writeFileSync(`${root}${fresh}/THIRD-PARTY-LICENSES.txt`, licenses);

mkdirSync(`${root}${fresh}/man`);
const pages = manPages(await visibleCommands(), { version, date: date?.slice(0, 10) ?? "" });
for (const [name, page] of pages) writeFileSync(`${root}${fresh}/man/${name}`, page);

for (const arch of ["x64", "arm64"]) {
  writeFileSync(`${root}${fresh}/${basename(preludeFile("", arch))}`, preludeProgram(arch), { mode: 0o755 });
  writeFileSync(`${root}${fresh}/${basename(sandboxInitFile("", arch))}`, sandboxInitProgram(arch), { mode: 0o755 });
}

// What is there goes away when the new one is in its place: whoever starts agent-run meanwhile finds one of them.
const old = `${root}dist.${process.pid}.old`;
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, old);
renameSync(`${root}${fresh}`, `${root}dist`);
rmSync(old, { recursive: true, force: true });
