// What the package holds: our own files as npm packs them, and the packages that are installed with it. Called by scripts/deb.mjs and scripts/sbom.mjs.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * Paths below `root`, sorted: what `npm pack` would put into the tarball.
 * @param {string} root
 * @returns {string[]}
 */
export function packedFiles(root) {
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(text)[0]
    .files.map(({ path }) => path)
    .sort();
}

/**
 * Folders below `root` of the packages that users get installed, of this machine's platform, each with its package.json.
 * @param {string} root
 * @returns {{ folder: string, manifest: { name: string, version: string, license: string } }[]}
 */
export function installedPackages(root) {
  const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8"));
  // npm lists what is there, by the tree; the lock knows which of that is for development alone.
  const text = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return text
    .trim()
    .split("\n")
    .map((path) => relative(root, path))
    .filter((folder) => folder !== "" && packages[folder] !== undefined && !packages[folder].dev)
    .sort()
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(`${root}/${folder}/package.json`, "utf8")) }));
}
