// Path arithmetic on absolute POSIX paths, without the file system: the plan is pure. Used inside this folder.

/** Whether `path` is `folder` or lies in it. */
export function within(path: string, folder: string): boolean {
  // Asked some thousand times in a launch: a text made for each would be work for the collector.
  return path === folder || folder === "/" || (path[folder.length] === "/" && path.startsWith(folder));
}

/** The folder that holds `path`; of `/` it is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The last part of `path`. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function joined(folder: string, rest: string): string {
  return folder === "/" ? `/${rest}` : `${folder}/${rest}`;
}

/** How many folders deep: `/` is 0, `/a` is 1. */
export function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}

/** Makes a text that names a path absolute and plain: `~` is `home`, relative means from `from`, `.` and `..` are taken out. */
export function absolute(text: string, home: string, from: string): string {
  const expanded = text === "~" || text.startsWith("~/") ? `${home}${text.slice(1)}` : text;
  const whole = expanded.startsWith("/") ? expanded : `${from}/${expanded}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The nearest of `paths` that holds `path` and is not `path` itself. */
export function nearestAbove<Value>(path: string, paths: ReadonlyMap<string, Value>): Value | undefined {
  for (let above = path; above !== "/"; ) {
    above = parentOf(above);
    const found = paths.get(above);
    if (found !== undefined) return found;
  }
  return undefined;
}
