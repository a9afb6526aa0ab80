// Makes a failing stream as short as it can be while it still fails, for whoever has to find out why. Used by fuzz-command.ts.
import type { Step, Stream } from "./streams.ts";

/** `cut`: the output comes in two writes here. */
type Piece = Step | "cut";
/** What is taken away as a whole, since half of a sequence or character would be another fault: one of these with what came within it, or what came between two. */
type Atom = readonly Piece[];

const UNIT = /\x1b\[[ -?]*[@-~]|\x1b[\]P_^X][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b[ -/]*[0-~]|./gsu;
const LENGTHS = [64, 16, 4, 3, 2, 1];

/** @param fails whether a stream still shows the fault */
export function shrunk(stream: Stream, fails: (stream: Stream) => boolean): Stream {
  let best = atomsOf(stream.steps);
  const streamOf = (atoms: readonly Atom[]): Stream => ({ ...stream, steps: stepsOf(atoms) });
  const attempt = (atoms: readonly Atom[]): boolean => {
    const shorter = fails(streamOf(atoms));
    if (shorter) best = atoms;
    return shorter;
  };
  for (let before = -1; before !== best.flat().length; ) {
    before = best.flat().length;
    attempt(best.map((atom) => atom.filter(isWrite)));
    for (const length of LENGTHS) {
      for (let at = 0; at < best.length; ) if (!attempt(best.toSpliced(at, length))) at += length;
    }
    for (let at = 0; at < best.length; at++) {
      const atom = best[at] ?? [];
      const whole = atom.filter(isWrite);
      if (whole.length > 0 && whole.length < atom.length) attempt(best.with(at, whole));
    }
  }
  return streamOf(best);
}

const isWrite = (piece: Piece): piece is Extract<Step, { kind: "write" }> => piece !== "cut" && piece.kind === "write";

function atomsOf(steps: readonly Step[]): readonly Atom[] {
  const pieces = steps.flatMap((step): Piece[] =>
    step.kind === "write" ? ["cut", ...Array.from(step.bytes, (byte) => ({ ...step, bytes: Buffer.of(byte) }))] : [step],
  );
  const atoms: Atom[] = [];
  for (const unit of Buffer.concat(pieces.filter(isWrite).map(({ bytes }) => bytes))
    .toString()
    .match(UNIT) ?? []) {
    while (!isWrite(pieces[0] ?? "cut")) atoms.push(pieces.splice(0, 1));
    const atom: Piece[] = [];
    for (let left = Buffer.byteLength(unit); left > 0; ) {
      const [piece = "cut"] = pieces.splice(0, 1);
      atom.push(piece);
      if (isWrite(piece)) left--;
    }
    atoms.push(atom);
  }
  return [...atoms, ...pieces.map((piece) => [piece])];
}

function stepsOf(atoms: readonly Atom[]): Step[] {
  const steps: Step[] = [];
  let joins = false;
  for (const piece of atoms.flat()) {
    const last = steps.at(-1);
    if (piece === "cut") joins = false;
    else if (piece.kind === "write" && joins && last?.kind === "write")
      steps[steps.length - 1] = { ...piece, bytes: Buffer.concat([last.bytes, piece.bytes]) };
    else steps.push(piece);
    joins ||= piece !== "cut";
  }
  return steps;
}
