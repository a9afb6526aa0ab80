// What the tests of packages share: a PATH with everything of this machine but compilers, and a way to run a program that must succeed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, realpathSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

/** What npm would build a native package with. */
const COMPILERS =
  /^(cc|gcc|c\+\+|g\+\+|clang|make|gmake|cmake|ld|as|ar|python|node-gyp|pkg-config|rustc|cargo|go)([\d.+-].*)?$|-(gcc|g\+\+|ld|as)(-[\d.]+)?$/;

/** Makes `folder` hold a link to each program of the system that is no compiler, and to this very Node; gives it as a PATH. */
export function pathWithoutCompilers(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const taken = new Set(["node", "agent-run"]);
  symlinkSync(process.execPath, join(folder, "node"));
  for (const from of ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    for (const name of names(from).filter((each) => !taken.has(each) && !COMPILERS.test(each))) {
      symlinkSync(join(from, name), join(folder, name));
      taken.add(name);
    }
  }
  return folder;
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The npm of whoever runs the tests, to be started with `process.execPath`. */
export function npmScript(): string {
  const running = process.env["npm_execpath"];
  if (running?.endsWith(".js")) return running;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      return realpathSync(join(folder, "npm"));
    } catch {}
  }
  throw new Error("no npm on PATH");
}

/** How this machine reaches the registry, for a program whose environment is otherwise empty. */
export function registryEnvironment(): Record<string, string> {
  const names =
    /^((https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(registry|cafile|ca|https?_proxy|noproxy|strict_ssl))$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (names.test(name) && value !== undefined ? [[name, value]] : [])),
  );
}

export interface CallOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  readonly input?: string;
}

/** stdout of a program that must end with 0. */
export function call(program: string, args: readonly string[], options: CallOptions = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    input: options.input ?? "",
    timeout: 120_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  });
  if (status !== 0)
    throw new Error(`${[program, ...args].join(" ")}: ${error?.message ?? signal ?? `status ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

export const has = (program: string, flag = "--version"): boolean => spawnSync(program, [flag], { stdio: "ignore" }).status === 0;

/** Packs the built package; gives the tarball's path. */
export function pack(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const [packed] = JSON.parse(
    call(process.execPath, [npmScript(), "pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT }),
  ) as { filename: string }[];
  return join(folder, packed?.filename ?? "");
}
