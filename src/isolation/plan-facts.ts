// What the plan asks of the machine, and what the machine has of that. Filled in by facts.ts and git-folders.ts, read by all that plans.

/** A path to look at before planning. */
export interface Place {
  readonly path: string;
  readonly followLinks?: true;
  /** Its entries are wanted too. */
  readonly list?: true;
  /** It is only ever shown: what lies beside it does not matter. */
  readonly alone?: true;
}

export interface Found {
  readonly kind: "folder" | "file" | "socket";
  /** With all links resolved. */
  readonly real: string;
  /** It belongs to whoever runs the agent. */
  readonly own?: boolean;
}

export type Child =
  | { readonly name: string; readonly kind: "folder" }
  | { readonly name: string; readonly kind: "file"; readonly runs: boolean }
  | { readonly name: string; readonly kind: "link"; readonly target: string };

export interface GitFolder {
  readonly path: string;
  /** `worktree`: of another work tree of the same repository. `nested`: of a repository in the project's folder. */
  readonly kind: "own" | "shared" | "submodule" | "worktree" | "nested";
  readonly config: boolean;
  readonly hooks: boolean;
  readonly worktreeConfig: boolean;
  /** Whether git would read `config.worktree` as soon as there is one: `extensions.worktreeConfig`. */
  readonly readsWorktreeConfig: boolean;
  readonly commonPointer: boolean;
  /** Files that its configuration includes. */
  readonly includes?: readonly { readonly path: string; readonly there: boolean }[];
  /** It includes more than those. */
  readonly includesMore?: true;
  /** The file `.git` of a work tree that leads here. */
  readonly pointer?: string;
  /** Which of those are symbolic links: a mount would be where they lead. */
  readonly links?: readonly string[];
}

/** What the machine has, as far as the plan asks. Paths without remark have their links resolved. */
export interface Facts {
  readonly homes: readonly string[];
  readonly project: string;
  readonly cwd: string;
  /** By the path that was asked for. */
  readonly found: ReadonlyMap<string, Found>;
  /** Where links inside a store lead, by the store's path as asked for. */
  readonly links: readonly { readonly place: string; readonly found: Found }[];
  readonly listings: ReadonlyMap<string, readonly Child[]>;
  readonly sockets: readonly string[];
  readonly git: readonly GitFolder[];
  /** Git folders of the project that are too many to be looked at. */
  readonly gitLeft?: readonly string[];
  /** Folders that may hold git folders, and are closed to the human, who owns them. */
  readonly gitClosed?: readonly string[];
  /** Where the project's `.git` leads, when that does not belong to the project. */
  readonly gitElsewhere?: string | undefined;
  readonly resolver: string | undefined;
  readonly windowsDrives: readonly string[];
}
