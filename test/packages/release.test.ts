// What a release is made of: the bill of materials, the Homebrew formula, and workflows that call what is there.
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { call, has, ROOT } from "./toolbox.ts";

const base = mkdtempSync(join(tmpdir(), "ar-release-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string; scripts: Record<string, string> };

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly scope: string;
  readonly hashes: readonly { readonly content: string }[];
  readonly properties: readonly { readonly value: string }[];
}

describe("the bill of materials", () => {
  const sbom = (): string =>
    call(process.execPath, [join(ROOT, "scripts", "sbom.mjs")], { env: { ...process.env, SOURCE_DATE_EPOCH: "1700000000" } });
  const text = sbom();
  const { components, metadata, dependencies } = JSON.parse(text) as {
    components: Component[];
    metadata: { timestamp: string };
    dependencies: { dependsOn: string[] }[];
  };
  const names = (how: string): string[] =>
    components.filter((each) => each.properties[0]?.value === how).map(({ name, version }) => `${name} ${version}`);

  it("lists what is installed, on every platform, and all that the bundles hold, each with the hash that the lock has", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dev?: boolean; version: string; integrity?: string }>;
    };
    const installed = Object.entries(lock.packages).filter(([folder, { dev }]) => folder !== "" && !dev);
    expect(names("installed").sort()).toEqual(
      installed.map(([folder, { version }]) => `${folder.replace(/^.*node_modules\//, "")} ${version}`).sort(),
    );
    const [head = ""] = readFileSync(join(ROOT, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8").split(/\n={80}\n/);
    expect(names("bundled").sort()).toEqual([...head.matchAll(/^ {2}(\S+ \S+) \(/gm)].map(([, each]) => each).sort());
    for (const { name, hashes } of components) expect(hashes[0]?.content, name).toMatch(/^[0-9a-f]{128}$/);
    expect(dependencies[0]?.dependsOn).toHaveLength(components.length);
  });

  it("is the same each time, and dated by SOURCE_DATE_EPOCH", () => {
    expect(metadata.timestamp).toBe("2023-11-14T22:13:20Z");
    expect(sbom()).toBe(text);
  });

  const python = join(ROOT, ".venv", "bin", "python");
  const validator =
    "from cyclonedx.validation.json import JsonStrictValidator as V; from cyclonedx.schema import SchemaVersion as S; import sys";
  const able = has(python) && canImport(python, validator);
  it.skipIf(!able)("is valid CycloneDX 1.6 (needs .venv: pip install 'cyclonedx-python-lib[json-validation]')", () => {
    expect(call(python, ["-c", `${validator}; print(V(S.V1_6).validate_str(sys.stdin.read()))`], { input: text }).trim()).toBe("None");
  });
});

function canImport(python: string, what: string): boolean {
  try {
    call(python, ["-c", what]);
    return true;
  } catch {
    return false;
  }
}

describe("the Homebrew formula", () => {
  const tarball = join(base, "agent-run-0.0.0.tgz");
  writeFileSync(tarball, "what was packed");
  const formula = (...args: string[]): string => call(process.execPath, [join(ROOT, "scripts", "formula.mjs"), ...args]);
  const url = "https://example.com/releases/v1/agent-run-0.0.0.tgz";

  it("names the tarball, its hash, and what it runs on", () => {
    const text = formula("--url", url, "--homepage", "https://example.com/agent-run", tarball);
    expect(text).toContain(`url "${url}"`);
    expect(text).toContain(`sha256 "${createHash("sha256").update("what was packed").digest("hex")}"`);
    expect(text).toContain(`version "${manifest.version}"`);
    expect(text).toMatch(/depends_on "node"[\s\S]*on_linux do\s+depends_on "bubblewrap"/);
    expect(text).toContain("generate_completions_from_executable");
    expect(text).toContain("man1.install_symlink");
  });

  it.skipIf(!has("ruby"))("is Ruby (needs ruby)", () => {
    const file = join(base, "agent-run.rb");
    formula("--url", url, "--homepage", "https://example.com", tarball, file);
    expect(call("ruby", ["-c", file])).toContain("Syntax OK");
  });

  it.each(["http://example.com/a.tgz", 'https://example.com/"+`id`+"', "#{1}"])("refuses the URL %j", (bad) => {
    expect(() => formula("--url", bad, "--homepage", "https://example.com", tarball)).toThrow(/is no https URL/);
  });
});

describe.each(globSync(".github/workflows/*.yml", { cwd: ROOT }).sort())("%s", (file) => {
  const text = readFileSync(join(ROOT, file), "utf8");

  it("calls scripts that are there", () => {
    for (const [, name = ""] of text.matchAll(/npm run ([\w:-]+)/g)) expect(manifest.scripts, name).toHaveProperty(name);
    for (const [, path = ""] of text.matchAll(/(?:node|bash) (?:\.\.\/)?((?:scripts|\.ci)\/[\w.-]+)/g))
      expect(globSync(path, { cwd: ROOT }), path).toHaveLength(1);
  });

  it("uses actions of one commit each, keeps no token, and may by default only read", () => {
    const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, each = ""]) => each);
    expect(uses.length).toBeGreaterThan(0);
    for (const each of uses) expect(each).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    expect(text.match(/actions\/checkout@/g)?.length).toBe(text.match(/persist-credentials: false/g)?.length);
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    expect(text).not.toMatch(/secrets\.|pull_request_target/);
    // What others name, such as a tag, is never put into a script.
    for (const [, script = ""] of text.matchAll(/run: (.*)$/gm)) expect(script).not.toContain("${{");
  });
});

describe("a release", () => {
  const text = readFileSync(join(ROOT, ".github", "workflows", "release.yml"), "utf8");
  it("is published with provenance, a bill of materials and checksums, after all checks", () => {
    expect(text).toMatch(/npm publish \S+ --provenance/);
    expect(text).toMatch(/id-token: write/);
    expect(text).toContain("sbom-path: release/agent-run.cdx.json");
    expect(text).toContain("SHA256SUMS");
    expect(text).toContain("needs: [check, pack]");
  });
});
