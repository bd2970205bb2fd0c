/** An open element of the message and how far its content is. One per depth, used again and again. */
import type { Place } from '../paths/path-tree.ts';
import type { CompiledElement, CompiledType } from './compiled-types.ts';

export class ElementFrame {
  element!: CompiledElement;
  type!: CompiledType;
  /** Index of the last child; -1: none yet. */
  cursor = -1;
  /** How often that child has occurred in a row. */
  count = 0;
  line = 0;
  column = 0;
  offset = 0;
  /** Of the first text in it; the length is 0 where there is none, or where it goes over a line end. */
  textLine = 0;
  textColumn = 0;
  textOffset = 0;
  textLength = 0;
  hasWrongText = false;
  /** Where it is among what is learned of the message; null: nothing is learned, or no more. */
  place: Place | null = null;
  /** Index in the source of its tag. */
  tagAt = 0;
}

/** `Document` and the elements to `depth`, as an XPath. Elements that may be repeated have their number. */
export function pathOf(root: string, frames: readonly ElementFrame[], depth: number): string {
  let path = root;
  for (let index = 0; index <= depth; index++) {
    const { element } = frames[index]!;
    const position = element.max > 1 && index > 0 ? `[${frames[index - 1]!.count}]` : '';
    path += `/${element.tag}${position}`;
  }
  return path;
}
