// The bar, drawn by Ink. Imported by screen.ts after the agent was spawned, since Ink and React take longer to load than an agent to start.
import { Box, renderToString, Text } from "ink";
import { type BarState, GAP, layoutBar, type Part } from "./bar-layout.ts";
import { toned } from "./bar-style.ts";
import { columns } from "./clean-text.ts";

interface BarProps {
  readonly state: BarState;
  readonly killKey: string;
  readonly width: number;
  readonly colour: boolean;
}

function Bar({ state, killKey, width, colour }: BarProps) {
  const { left, right } = layoutBar(state, killKey, width);
  const used = [...left, ...right].reduce((sum, { text }) => sum + columns(text), 0);
  const gaps = Math.max(0, left.length - 1) + Math.max(0, right.length - 1);
  const edges = Math.min(2, Math.max(0, width - used - gaps * GAP));
  const middle = Math.max(0, width - used - gaps * GAP - edges);
  const blank = (count: number): string => (count > 0 ? toned("plain", " ".repeat(count), colour) : "");
  const side = (parts: readonly Part[]) =>
    parts.map(({ name, tone, text }, index) => (
      <Text key={name} wrap="truncate">
        {index > 0 ? blank(GAP) : ""}
        {toned(tone, text, colour)}
      </Text>
    ));
  return (
    <Box width={width} height={1} overflow="hidden">
      <Text>{blank(Math.ceil(edges / 2))}</Text>
      {side(left)}
      <Text>{blank(middle)}</Text>
      {side(right)}
      <Text>{blank(Math.floor(edges / 2))}</Text>
    </Box>
  );
}

/** One line of `width` columns: text and SGR. */
export function drawBar(state: BarState, killKey: string, width: number, colour: boolean): string {
  return renderToString(<Bar state={state} killKey={killKey} width={width} colour={colour} />, { columns: width });
}
