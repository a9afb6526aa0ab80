// The licences of what the bundles hold: name, version, licence and full text of each package. Called by scripts/build.mjs, held by test/licenses.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** SPDX names. Each lets anybody use, change and pass on the code if its text comes along, which is what this file sees to. */
const ALLOWED = new Set(["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense"]);

const LICENSE_FILE = /^(licen[cs]e|copying|unlicense)([.-].*)?$/i;
const NOTICE_FILE = /^notice([.-].*)?$/i;
const CODE_FILE = /\.[cm]?[jt]s$/;
const PACKAGE = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\/(.+)$/;

/** How much of a source file is searched for its copyright lines. */
const HEAD = 2000;
const RULE = "=".repeat(80);

/**
 * The text of THIRD-PARTY-LICENSES.txt.
 * @param {string} root folder that the metafiles' paths start from, with our own LICENSE in it
 * @param {readonly { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> }[]} metafiles esbuild's, one a bundle
 * @param {readonly string[]} data folders of packages, below `root`, whose data is in an output of its own
 * @throws Error that names every package whose licence is not allowed, or whose text or copyright cannot be found
 */
export function thirdPartyLicenses(root, metafiles, data = []) {
  const problems = [];
  const sections = [...bundledPackages(metafiles), ...data.map((folder) => [folder, new Set()])]
    .map(([folder, files]) => describe(root, folder, files, problems))
    .sort((left, right) => (left.title < right.title ? -1 : left.title > right.title ? 1 : 0));
  if (problems.length > 0) throw new Error(`licences of what is bundled:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
  // One package may be there twice, in the same version, below two others; and many packages come with the very same text.
  const titles = [...new Set(sections.map(({ title }) => title))];
  const byText = new Map();
  for (const { title, text } of sections) byText.set(text, (byText.get(text) ?? new Set()).add(title));
  const head = [
    "The files in this folder hold code of these packages. Each is used under its own licence; the texts follow below the names.",
    "",
    ...titles.map((title) => `  ${title}`),
  ];
  const texts = [...byText].map(([text, names]) => `${RULE}\n${[...names].join("\n")}\n${RULE}\n\n${text}`);
  return `${[head.join("\n"), ...texts].join("\n\n")}\n`;
}

/** Folder of each package with code in an output, and the files of it that are. */
function bundledPackages(metafiles) {
  const packages = new Map();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const [, folder, file] = PACKAGE.exec(path) ?? [];
        if (folder === undefined || bytesInOutput === 0) continue;
        packages.set(folder, (packages.get(folder) ?? new Set()).add(file));
      }
    }
  }
  return packages;
}

function describe(root, folder, files, problems) {
  const place = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
  const title = `${name} ${version} (${license})`;
  if (!isAllowed(license)) problems.push(`${title}: the licence is none of ${[...ALLOWED].join(", ")}`);
  const names = readdirSync(place).sort();
  const texts = names.filter((each) => LICENSE_FILE.test(each)).map((each) => readText(join(place, each)));
  if (texts.length === 0) texts.push(...standardText(root, place, license, files));
  if (texts.length === 0) problems.push(`${title}: it has no licence file, and no copyright line beside its code`);
  const notices = names.filter((each) => NOTICE_FILE.test(each)).map((each) => readText(join(place, each)));
  return { title, text: [...texts, ...notices].join("\n\n") };
}

/** An SPDX expression without exceptions: `MIT`, `(MIT OR GPL-2.0)`, `MIT AND ISC`. */
function isAllowed(license) {
  if (typeof license !== "string") return false;
  const choices = license.replace(/^\((.*)\)$/, "$1").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((part) => ALLOWED.has(part.trim())));
}

/**
 * For a package that ships no licence file: the licence's standard text, for MIT under the copyright lines of the code. A bundled file may have
 * lost them to a minifier while the other build of it beside it has them, so its folder is searched.
 */
function standardText(root, place, license, files) {
  if (license === "Apache-2.0") return [readText(join(root, "LICENSE"))];
  if (license !== "MIT") return [];
  const folders = new Set([...files].map((file) => dirname(join(place, file))));
  const code = [...folders].flatMap((folder) => readdirSync(folder).flatMap((name) => (CODE_FILE.test(name) ? [join(folder, name)] : [])));
  const heads = code.map((file) => readFileSync(file, "utf8").slice(0, HEAD));
  const lines = heads.flatMap((head) => head.match(/Copyright \(c\)[^\r\n]*/gi) ?? []);
  return lines.length === 0 ? [] : [`MIT License\n\n${[...new Set(lines)].map((line) => line.trim()).join("\n")}\n\n${MIT}`];
}

const readText = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n").trim();

/** https://spdx.org/licenses/MIT.html */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to
deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or
sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.`;
