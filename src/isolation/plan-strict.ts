// The part of the plan that level strict has alone: the few folders of the system and the toolchains that an otherwise empty view shows. Used by plan.ts.
import { baseOf, joined, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Facts, Place } from "./plan-facts.ts";
import { rootLeft, type WritableRoot, writableRoots } from "./plan-roots.ts";
import { expand } from "./plan-stores.ts";

/** Splits at white space. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** Directly below `/`: programs and their libraries. Where it is a link there, it is one inside. */
const SYSTEM = words("bin sbin lib lib32 lib64 libx32 libexec usr opt nix gnu snap");

/** Directly below /etc: who is who, names, time, languages, how programs are found and started. Nothing that holds a password. */
const ETC = words(`
  passwd group nsswitch.conf hosts hostname host.conf gai.conf resolv.conf services protocols networks mime.types magic localtime timezone
  locale.conf locale.alias profile profile.d bash.bashrc bashrc zsh fish inputrc terminfo shells os-release lsb-release debian_version
  redhat-release fedora-release alpine-release arch-release ld.so.cache ld.so.conf ld.so.conf.d alternatives ca-certificates crypto-policies
  gnutls fonts gitattributes perl vim vimrc nanorc tmux.conf screenrc static xdg
`);
const ETC_BEGINNINGS = ["java", "python", "ld-musl-", "ImageMagick-"];

/** Further in: the folders around these hold private keys. */
const CERTIFICATE_PLACES = words(`
  /etc/ssl/certs /etc/ssl/cert.pem /etc/ssl/openssl.cnf /etc/pki/tls/certs /etc/pki/tls/cert.pem /etc/pki/tls/openssl.cnf /etc/pki/ca-trust
`);

/** What version managers and installers of languages and agents keep in home: programs, no logins. */
const TOOLCHAINS = words(`
  ~/.nvm ~/.volta ~/.fnm $data/fnm ~/.n ~/.asdf $data/mise ~/.pyenv ~/.rbenv ~/.nodenv ~/.goenv ~/.jenv ~/.tfenv ~/.rustup ~/.cargo/bin
  ~/.bun/bin ~/.deno/bin ~/go/bin ~/sdk ~/.sdkman/candidates ~/.local/bin ~/.local/lib ~/.local/pipx/venvs $data/pipx/venvs $data/uv/tools
  $data/uv/python $data/claude/versions ~/.npm-global ~/.linuxbrew ~/.opencode/bin ~/.amp/bin ~/.claude/local ~/.juliaup ~/.ghcup ~/.elan
  ~/.dotnet ~/.krew/bin ~/.foundry/bin ~/.pixi/bin
`);

/** Beside the `bin` of a toolchain: without them its programs do not run. */
const PREFIX_PARTS = ["bin", "lib", "lib64", "libexec", "include", "pyvenv.cfg"];

/** Shown at strict when its name is in `isolation.allow`; at standard they are there anyway. */
export const STRICT_SHOWS: readonly { readonly name: string; readonly what: string; readonly places: readonly string[] }[] = [
  { name: "git-config", what: "your git name and settings", places: ["~/.gitconfig", "$config/git"] },
];

/** Lists of all keys in the kernel's keyrings that the user may see, by name, and how many each user has: no namespace has its own. */
const KEY_LISTS = ["/proc/keys", "/proc/key-users"];

/** What `planStrict` and `planTools` look at. */
export function strictPlaces(input: IsolationInput): Place[] {
  if (input.level !== "strict") return [];
  const tools = TOOLCHAINS.flatMap((place) => expand(place, input));
  const prefixes = pathFolders(input).flatMap((folder) => PREFIX_PARTS.map((part) => joined(parentOf(folder), part)));
  const shown = STRICT_SHOWS.flatMap(({ places }) => places.flatMap((place) => expand(place, input)));
  return [
    ...["/", "/etc"].map((path) => ({ path, list: true as const })),
    ...[...KEY_LISTS, ...CERTIFICATE_PLACES, ...tools, ...prefixes, ...shown].map((path) => ({ path, alone: true as const })),
  ];
}

/** Nothing is there but what is listed; goes before the rest of the plan, whose entries add to it. */
export function planStrict(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  builder.put({ path: "/", access: "assembled", kind: "folder", reason: "strict: only what is listed is there" });
  for (const home of facts.homes) {
    builder.put({ path: home, access: "empty", kind: "folder", reason: "a home of its own, empty: gone at the end" });
  }
  for (const child of facts.listings.get("/") ?? []) {
    if (SYSTEM.includes(child.name)) show(builder, `/${child.name}`, child, "programs of the system");
  }
  for (const child of facts.listings.get("/etc") ?? []) {
    if (!ETC.includes(child.name) && !ETC_BEGINNINGS.some((text) => child.name.startsWith(text))) continue;
    show(builder, `/etc/${child.name}`, child, "settings of the system, without passwords");
  }
  for (const path of CERTIFICATE_PLACES) showFound(builder, facts, path, "certificates of the system");
  // The kernel gives a sandbox inside a /proc of its own only where nothing in the one around it is covered.
  for (const path of input.nested ? [] : KEY_LISTS) {
    const found = facts.found.get(path);
    if (found) builder.hide(found, "names of keys in the kernel's keyrings", "default");
  }
}

type Shown = { readonly kind: "folder" | "file" } | { readonly kind: "link"; readonly target: string };

function show(builder: PlanBuilder, path: string, child: Shown, reason: string): void {
  if (child.kind === "link") builder.put({ path, access: "link", kind: "file", target: child.target, reason });
  else builder.put({ path, access: "read-only", kind: child.kind, reason });
}

/** Toolchains, what is on PATH, the programs of the run, and what the human asked to see. After stores and own files, which stay hidden. */
export function planTools(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const homes = new Set(facts.homes);
  const roots = writableRoots(input, facts);
  for (const path of TOOLCHAINS.flatMap((place) => expand(place, input))) showFound(builder, facts, path, "a toolchain", roots);
  for (const folder of pathFolders(input)) {
    showFound(builder, facts, folder, "on your PATH", roots);
    const prefix = parentOf(folder);
    if (baseOf(folder) !== "bin" || homes.has(prefix) || builder.isTooWide(prefix)) continue;
    for (const part of PREFIX_PARTS) showFound(builder, facts, joined(prefix, part), "beside what is on your PATH", roots);
  }
  for (const program of input.programs) {
    const real = facts.found.get(program)?.real;
    if (real === undefined) continue;
    showFound(builder, facts, program, "a program of this run");
    const around = surroundings(real);
    const narrow = !builder.isTooWide(around) && ![...homes].some((home) => parentOf(around) === home && !around.startsWith(`${home}/.`));
    showReal(builder, facts, narrow ? around : real, narrow ? "folder" : "file", "a program of this run");
  }
  for (const { name, what, places } of STRICT_SHOWS) {
    if (!input.allow.includes(name)) continue;
    for (const path of places.flatMap((place) => expand(place, input))) {
      showFound(builder, facts, path, `${what}; asked for: isolation.allow = "${name}"`);
    }
  }
}

/** What a program needs beside it: the packages that it was installed with, the prefix of a `bin`, or the folder that it lies in. */
function surroundings(program: string): string {
  const packages = program.indexOf("/node_modules/");
  if (packages > 0) return program.slice(0, packages + "/node_modules".length);
  const folder = parentOf(program);
  return baseOf(folder) === "bin" ? parentOf(folder) : folder;
}

function pathFolders(input: IsolationInput): string[] {
  return [...new Set((input.env["PATH"] ?? "").split(":").filter((path) => path.startsWith("/") && path.length > 1))];
}

function showFound(builder: PlanBuilder, facts: Facts, path: string, reason: string, roots: readonly WritableRoot[] = []): void {
  const found = facts.found.get(path);
  if (!found || found.kind === "socket" || within(path, facts.project) || builder.isTooWide(path)) return;
  if (rootLeft(path, found.real, roots)) return;
  if (builder.shows(path) || builder.forbidden(found.real) !== undefined || builder.hiddenBecause(found.real) !== undefined) return;
  if (found.real !== path && builder.shows(found.real) && !builder.has(path)) {
    builder.put({ path, access: "link", kind: "file", target: found.real, reason });
    return;
  }
  if (builder.isTooWide(found.real)) return;
  builder.put({ path, access: "read-only", kind: found.kind, reason, ...(found.real === path ? {} : { source: found.real }) });
}

function showReal(builder: PlanBuilder, facts: Facts, path: string, kind: "folder" | "file", reason: string): void {
  if (within(path, facts.project) || builder.shows(path) || builder.isTooWide(path)) return;
  if (builder.forbidden(path) !== undefined || builder.hiddenBecause(path) !== undefined) return;
  builder.put({ path, access: "read-only", kind, reason });
}
