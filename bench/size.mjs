// How large an installation is: the files that npm packs and the packages that come with them on this platform, without development dependencies.
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { installedPackages, packedFiles } from "../scripts/packed-files.mjs";

const root = dirname(import.meta.dirname);
const GOAL_MB = 60;

function sizeOf(path) {
  const stat = lstatSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size;
}
const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

const own = packedFiles(root).map((path) => sizeOf(join(root, path)));
const others = installedPackages(root).map(({ folder, manifest: { name, version } }) => ({
  name,
  version,
  bytes: sizeOf(join(root, folder)),
}));
const total = [...own, ...others.map(({ bytes }) => bytes)].reduce((sum, bytes) => sum + bytes, 0);
console.log(
  `agent-run itself: ${mb(own.reduce((sum, bytes) => sum + bytes, 0))} in ${own.length} files, of which what a launch reads first ${mb(sizeOf(join(root, "dist", "main.cjs")))}`,
);
for (const { name, version, bytes } of others) console.log(`${name} ${version}: ${mb(bytes)}`);
console.log(`installed: ${mb(total)} (goal: at most ${GOAL_MB} MB)`);
if (!existsSync(join(root, "dist", "main.cjs")) || total > GOAL_MB * 1e6) process.exitCode = 1;
