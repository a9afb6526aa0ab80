// `npm run sbom [file]`: the software bill of materials (CycloneDX 1.6, JSON) of a release: what its bundles hold and what is installed with it, on every
// platform. From package-lock.json and the licences that the build wrote. The same for every run on one commit.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildData } from "./build-data.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
function sbom() {
  const { name, version, description, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { date } = buildData(root);
  const installed = Object.entries(packages)
    .filter(([folder, entry]) => folder !== "" && !entry.dev)
    .map(([folder, entry]) => component("installed", folder.replace(/^.*node_modules\//, ""), entry));
  const bundled = bundledPackages().map(([each, of]) => component("bundled", each, locked(packages, each, of)));
  const components = [...installed, ...bundled].sort((left, right) => (left["bom-ref"] < right["bom-ref"] ? -1 : 1));
  const self = {
    type: "application",
    "bom-ref": purl(name, version),
    name,
    version,
    description,
    licenses: licensesOf(license),
    purl: purl(name, version),
  };
  const hash = createHash("sha256")
    .update(JSON.stringify([self, components]))
    .digest("hex");
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    // Of its content, in the form of a UUID of version 8 (RFC 9562).
    serialNumber: `urn:uuid:${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
    version: 1,
    metadata: { ...(date === null ? {} : { timestamp: date }), component: self },
    components,
    dependencies: [{ ref: self["bom-ref"], dependsOn: components.map((each) => each["bom-ref"]) }],
  };
}

/** Name and version of each package with code or data in dist. */
function bundledPackages() {
  const [head] = readFileSync(join(root, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8").split(/\n={80}\n/);
  return [...head.matchAll(/^ {2}(\S+) (\S+) \(.+\)$/gm)].map(([, each, version]) => [each, version]);
}

/** @throws Error for a package that the lock does not know, which nothing could vouch for */
function locked(packages, name, version) {
  const found = Object.entries(packages).find(([folder, entry]) => folder.endsWith(`node_modules/${name}`) && entry.version === version);
  if (found === undefined) throw new Error(`package-lock.json has no ${name} ${version}`);
  return found[1];
}

function component(how, name, { version, license, integrity, optional }) {
  return {
    type: "library",
    "bom-ref": purl(name, version),
    name,
    version,
    scope: optional ? "optional" : "required",
    hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex") }],
    licenses: licensesOf(license),
    purl: purl(name, version),
    properties: [{ name: "agent-run:how", value: how }],
  };
}

/** An SPDX name, or an expression of several. */
const licensesOf = (license) => (/ (OR|AND|WITH) /.test(license) ? [{ expression: license }] : [{ license: { id: license } }]);
const purl = (name, version) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

const text = `${JSON.stringify(sbom(), null, 2)}\n`;
if (process.argv[2] === undefined) process.stdout.write(text);
else writeFileSync(process.argv[2], text);
