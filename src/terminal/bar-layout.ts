// What stands on the bar, and what gives way when it gets narrow: data and one pure function. Used by bar.tsx and plain-bar.ts.
import { formatLeft } from "../core/duration.ts";
import { cleanText, columns, shorten } from "./clean-text.ts";

export interface BarState {
  readonly agent: string;
  readonly role: string;
  readonly account: string;
  readonly session: string;
  readonly profile: string;
  /** `label` says what happens then: `left`, `renews in`. */
  readonly left: { readonly label: string; readonly ms: number } | undefined;
  readonly onExpiry: string;
  readonly delivery: string;
  readonly isolation: string;
  /** What is wrong right now. */
  readonly trouble?: string;
  /** What holds for the whole session and the human should know; of `what: why` a narrow bar shows what. */
  readonly caveats: readonly string[];
  /** A short message that takes the place of the details for a while. */
  readonly notice?: string;
}

/** How a part is drawn. `loud` is what the human must not miss. */
export type Tone = "strong" | "plain" | "faint" | "good" | "warning" | "loud";

export interface Part {
  readonly name: PartName;
  readonly text: string;
  readonly tone: Tone;
}

export interface BarParts {
  /** From the left edge, and from the right edge; with a column between them at least. */
  readonly left: readonly Part[];
  readonly right: readonly Part[];
}

type PartName = "agent" | "role" | "session" | "profile" | "notice" | "trouble" | "caveat" | "delivery" | "isolation" | "time" | "hint";

const LEFT: readonly PartName[] = ["agent", "role", "session", "profile", "notice", "trouble", "caveat"];
const RIGHT: readonly PartName[] = ["delivery", "isolation", "time", "hint"];

/**
 * What gives way, first to last: a part and the form it is brought down to. Form 0 is the fullest of `forms`; the form behind the last is
 * nothing. What is never taken away wholly: the time, `not isolated`, and a sign of trouble.
 */
function givingWay({ role, profile, delivery, notice }: BarState): readonly (readonly [PartName, number])[] {
  // `agent-run setup` names roles so: who reads the role knows the profile.
  const profileFirst = role === `agent-${profile}`;
  // Keys that nobody can stop or renew are worth more room than the usual delivery.
  const deliveryLast = delivery === "env";
  return [
    ["hint", 1],
    ["profile", 1],
    ["session", 1],
    ["caveat", 1],
    ...(profileFirst ? ([["profile", 2]] as const) : []),
    ["isolation", 1],
    ["time", 1],
    ...(deliveryLast ? [] : ([["delivery", 1]] as const)),
    ["profile", 2],
    ["session", 2],
    ["caveat", 2],
    ...(deliveryLast ? ([["delivery", 1]] as const) : []),
    // A message goes by itself, and says what cannot be read elsewhere: the role is back in some seconds.
    ...(notice === undefined
      ? []
      : ([
          ["role", 1],
          ["hint", 2],
          ["role", 2],
        ] as const)),
    ["notice", 1],
    ["trouble", 1],
    ...(notice === undefined
      ? ([
          ["role", 1],
          ["hint", 2],
        ] as const)
      : []),
    ["notice", 2],
    ["trouble", 2],
    ...(notice === undefined ? ([["role", 2]] as const) : []),
    ["agent", 1],
    ["isolation", 2],
    ["hint", 3],
    ["caveat", 3],
    ["agent", 2],
    ["notice", 3],
    ["trouble", 3],
  ];
}

export const WARNING_MS = 5 * 60_000;
export const LAST_CALL_MS = 60_000;

/** The parts that fit in `width` columns, in order. */
export function layoutBar(state: BarState, killKey: string, width: number): BarParts {
  const forms = formsOf(state, killKey);
  const chosen = new Map<PartName, number>();
  const pick = (name: PartName): Part[] => {
    const form = forms[name]?.[chosen.get(name) ?? 0];
    return form === undefined || form[0] === "" ? [] : [{ name, text: form[0], tone: form[1] }];
  };
  const parts = (): BarParts => ({ left: LEFT.flatMap(pick), right: RIGHT.flatMap(pick) });
  for (const [name, form] of [["hint", 0] as const, ...givingWay(state)]) {
    chosen.set(name, form);
    if (widthOf(parts()) <= width) return parts();
  }
  return narrowest(parts(), width);
}

/** Columns that the parts need: one between neighbours, one at each edge. */
export function widthOf({ left, right }: BarParts): number {
  return [...left, ...right].reduce((sum, { text }) => sum + columns(text) + GAP, 0) - GAP + 2;
}

/** Columns between two parts. */
export const GAP = 2;

type Form = readonly [string, Tone];

function formsOf(state: BarState, killKey: string): Partial<Record<PartName, readonly Form[]>> {
  const [agent, role, account, session, profile, delivery, isolation] = [
    state.agent,
    state.role,
    state.account,
    state.session,
    state.profile,
    state.delivery,
    state.isolation,
  ].map(cleanText) as [string, string, string, string, string, string, string];
  const { left } = state;
  const tone: Tone = left === undefined || left.ms > WARNING_MS ? "good" : left.ms > LAST_CALL_MS ? "warning" : "loud";
  const time = left === undefined ? "" : formatLeft(left.ms);
  const label = cleanText(left?.label ?? "");
  const labelled = label === "left" ? `${time} left` : `${label} ${time}`;
  const caveats = state.caveats.map(cleanText);
  const count = caveats.length > 1 ? ` (+${caveats.length - 1})` : "";
  return {
    agent: [
      [agent, "strong"],
      [shorten(agent, 8), "strong"],
    ],
    role:
      role === ""
        ? []
        : [
            [`${role}@${account}`, "plain"],
            [role, "plain"],
          ],
    session: [
      [session, "faint"],
      [session.replace(/^sess_/, ""), "faint"],
    ],
    profile: [
      [`profile ${profile}`, "faint"],
      [profile, "faint"],
    ],
    ...(state.notice === undefined ? {} : { notice: shrinking(cleanText(state.notice), "warning", 30, 16) }),
    ...(state.trouble === undefined ? {} : { trouble: [...shrinking(`! ${cleanText(state.trouble)}`, "loud", 30, 16), ["!", "loud"]] }),
    ...(caveats[0] === undefined
      ? {}
      : {
          caveat: [
            [`${caveats[0]}${count}`, "warning"],
            [`${shorten(caveats[0].split(": ")[0] ?? "", 24)}${count}`, "warning"],
            ["*", "warning"],
          ],
        }),
    delivery: [[delivery, delivery === "env" ? "warning" : "faint"]],
    isolation:
      isolation === "none"
        ? LOUD_ISOLATION
        : [
            [`isolated: ${isolation}`, "good"],
            [isolation, "good"],
          ],
    time:
      left === undefined
        ? []
        : [
            [labelled, tone],
            [time, tone],
          ],
    hint: [
      [`${killKey} ends it`, "faint"],
      [killKey, "faint"],
      [killKey.replace(/^ctrl-(.)$/, (_, key: string) => `^${key.toUpperCase()}`), "faint"],
    ],
  };
}

/** It has no shorter form: none would be as plain. */
const LOUD_ISOLATION: readonly Form[] = [0, 1, 2].map((): Form => ["NOT ISOLATED", "loud"]);

function shrinking(text: string, tone: Tone, ...widths: readonly number[]): Form[] {
  return [[text, tone], ...widths.map((width): Form => [shorten(text, width), tone])];
}

/** When even the shortest forms do not fit: what must not be lost, from the most important on, cut at the edge. */
function narrowest(parts: BarParts, width: number): BarParts {
  const all = [...parts.left, ...parts.right];
  const order: readonly PartName[] = ["isolation", "trouble", "time"];
  const kept: Part[] = [];
  let room = width - 2;
  for (const name of order) {
    const part = all.find((candidate) => candidate.name === name);
    if (part === undefined || room <= 0) continue;
    const text = shorten(part.text, room);
    kept.push({ ...part, text });
    room -= columns(text) + GAP;
  }
  return { left: kept.sort((a, b) => LEFT.concat(RIGHT).indexOf(a.name) - LEFT.concat(RIGHT).indexOf(b.name)), right: [] };
}
