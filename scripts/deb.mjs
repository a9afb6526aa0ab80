// `npm run deb [folder]`: builds agent-run_<version>_<architecture>.deb with dpkg-deb from the build and the installed packages of this machine's platform.
// Needs no network and no root. Two runs on one commit give the same bytes.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { buildData } from "./build-data.mjs";
import { installedPackages, packedFiles } from "./packed-files.mjs";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };
const HOME = "usr/lib/agent-run";
/** Programs that are built for each machine: one joins a session keyring, one is the first process of a sandbox. */
const OWN_PROGRAM = /\/(?:prelude|sandbox-init)-[^/]+$/;
const LONGEST_LICENSE = 15_000;
const DOC = "usr/share/doc/agent-run";
/** Where each shell looks for completions that a package brings. */
const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/agent-run",
  zsh: "usr/share/zsh/vendor-completions/_agent-run",
  fish: "usr/share/fish/vendor_completions.d/agent-run.fish",
};

const architecture = ARCHITECTURES[process.arch];
if (architecture === undefined) throw new Error(`no Debian architecture is known for ${process.arch}`);
const { version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
// 0.2.0-beta.1 comes before 0.2.0.
const debianVersion = version.replace("-", "~");
const { date } = buildData(root);
const seconds = date === null ? 0 : Date.parse(date) / 1000;

const files = packedFiles(root);
const installed = installedPackages(root);
// As Debian's own tools have it.
const maintainer = `${process.env.DEBFULLNAME || "the agent-run authors"} <${process.env.DEBEMAIL || "agent-run@localhost"}>`;

const staging = mkdtempSync(join(tmpdir(), "agent-run-deb-"));
try {
  program();
  completions();
  manual();
  documentation();
  control();
  settle(staging);
  const out = resolve(process.argv[2] ?? ".");
  mkdirSync(out, { recursive: true });
  const file = join(out, `agent-run_${debianVersion}_${architecture}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zxz", "-z3", "--build", staging, file], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds), LC_ALL: "C" },
  });
  console.log(file);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function write(path, content) {
  mkdirSync(dirname(join(staging, path)), { recursive: true });
  writeFileSync(join(staging, path), content);
}

/** The package as npm has it, with what it depends on; the command is a link to it. */
function program() {
  for (const path of files) {
    if (/^(docs\/|man\/|dist\/man\/|[A-Z]+(\.md)?$)/.test(path) || isForeign(path)) continue;
    cpSync(join(root, path), join(staging, HOME, path));
  }
  for (const { folder } of installed) cpSync(join(root, folder), join(staging, HOME, folder), { recursive: true });
  // Not the first node of whoever calls it, which may be any version.
  const bin = join(staging, HOME, "bin", "agent-run.cjs");
  writeFileSync(bin, readFileSync(bin, "utf8").replace(/ n=\S+node;.* exec "\$n" /, " exec /usr/bin/node "));
  mkdirSync(join(staging, "usr", "bin"), { recursive: true });
  symlinkSync("../lib/agent-run/bin/agent-run.cjs", join(staging, "usr", "bin", "agent-run"));
}

/** Of our own programs, those of another machine. */
function isForeign(path) {
  return OWN_PROGRAM.test(path) && !path.endsWith(`-${process.arch}`);
}

function completions() {
  for (const [shell, path] of Object.entries(COMPLETIONS))
    write(path, readFileSync(join(root, "shell", `completion.${shell}`), "utf8").replaceAll("@AGENT_RUN@", "agent-run"));
}

function manual() {
  for (const name of readdirSync(join(root, "dist", "man")))
    write(`usr/share/man/man1/${name}.gz`, compressed(readFileSync(join(root, "dist", "man", name))));
}

function documentation() {
  for (const path of files.filter((each) => each.startsWith("docs/") || /^(README|CHANGELOG)\.md$/.test(each)))
    write(`${DOC}/${path}`, readFileSync(join(root, path)));
  const when = new Date(seconds * 1000).toUTCString().replace("GMT", "+0000");
  write(
    `${DOC}/changelog.gz`,
    compressed(`agent-run (${debianVersion}) unstable; urgency=medium\n\n  * See ${DOC}/CHANGELOG.md.\n\n -- ${maintainer}  ${when}\n`),
  );
  symlinkSync("../../../lib/agent-run/dist/THIRD-PARTY-LICENSES.txt", join(staging, DOC, "THIRD-PARTY-LICENSES.txt"));
  const texts = installed.map(({ folder, manifest: { name, version: each, license } }) => {
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name}: no licence file`);
    const text = readFileSync(join(root, folder, file), "utf8").trim();
    // A long one holds the licences of all that was built into a program; it is installed beside it.
    return `${name} ${each} (${license})\n\n${text.length > LONGEST_LICENSE ? `See /${HOME}/${folder}/${file}` : text}\n`;
  });
  write(
    `${DOC}/copyright`,
    [
      readFileSync(join(root, "NOTICE"), "utf8").split("\n\n").slice(0, 2).join("\n"),
      "The full text of that licence is in /usr/share/common-licenses/Apache-2.0.",
      "What the bundled code of others is under is in THIRD-PARTY-LICENSES.txt beside this file.",
      `/${HOME}/node_modules holds:\n`,
      ...texts,
    ].join("\n"),
  );
  // The program of the terminal library is as its authors publish it, so that anyone can compare it. Our own need no library.
  write("usr/share/lintian/overrides/agent-run", "agent-run: unstripped-binary-or-object\nagent-run: statically-linked-binary\n");
}

function control() {
  write(
    "DEBIAN/control",
    `${[
      "Package: agent-run",
      `Version: ${debianVersion}`,
      `Architecture: ${architecture}`,
      `Maintainer: ${maintainer}`,
      `Installed-Size: ${Math.ceil(sizeOf(staging) / 1024)}`,
      "Depends: nodejs (>= 24), libc6 (>= 2.28)",
      "Recommends: bubblewrap",
      "Suggests: awscli",
      "Section: admin",
      "Priority: optional",
      `Description: ${description.charAt(0).toLowerCase()}${description.slice(1)}`,
      " An agent that is started through agent-run gets the credentials of a role made",
      " for agents, tagged with the session and cut down by a session policy, and",
      " nothing else of the human's access. A status bar shows who it is and how long",
      " it has left; Ctrl-K ends it.",
    ].join("\n")}\n`,
  );
}

function sizeOf(path) {
  const stat = lstatSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 4096) : stat.size;
}

/** Modes and times that do not depend on who builds it, and when. */
function settle(path) {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return lutimesSync(path, seconds, seconds);
  if (stat.isDirectory()) for (const name of readdirSync(path)) settle(join(path, name));
  const runs = stat.isDirectory() || OWN_PROGRAM.test(path) || readFileSync(path).subarray(0, 2).toString() === "#!";
  chmodSync(path, runs ? 0o755 : 0o644);
  return utimesSync(path, seconds, seconds);
}

/** As `gzip -9n`. */
function compressed(content) {
  return gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
}
