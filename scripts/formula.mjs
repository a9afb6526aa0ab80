// `npm run formula -- --url <url> --homepage <url> <tarball> [file]`: the Homebrew formula of a release, for the tarball that npm packed and where it will be.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { url: { type: "string" }, homepage: { type: "string" } } });
const [tarball, file] = positionals;
if (tarball === undefined) throw new Error("which tarball? npm run formula -- --url <url> --homepage <url> <tarball> [file]");
const { url, homepage } = values;
for (const [name, value] of Object.entries({ url, homepage }))
  if (!/^https:\/\/[\w.-]+(\/[\w./-]*)?$/.test(value ?? "")) throw new Error(`--${name}: '${value ?? ""}' is no https URL`);

const { version, description, license } = JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8"));
const sha256 = createHash("sha256").update(readFileSync(tarball)).digest("hex");
const text = `class AgentRun < Formula
  desc "${description}"
  homepage "${homepage}"
  url "${url}"
  version "${version}"
  sha256 "${sha256}"
  license "${license}"

  depends_on "node"

  on_linux do
    depends_on "bubblewrap"
  end

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec/"bin/agent-run"
    man1.install_symlink Dir[libexec/"share/man/man1/*.1"]
    generate_completions_from_executable(bin/"agent-run", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/agent-run --version")
    ENV["AGENT_RUN_HOME"] = testpath/"home"
    assert_match "agent-demo", shell_output("#{bin}/agent-run demo --isolation none demo-aws sts get-caller-identity")
  end
end
`;
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
