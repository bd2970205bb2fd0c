/**
 * Takes the reader of a large message along what it has read before. It learns steps while texts are read element by element; at a
 * text from which it knows steps it lets `path-module.ts` walk, tells rules and lines what they would have heard, in the same
 * order and with the same places, and leaves everything as if each element had been read for itself.
 */
import type { FlowLines } from '../flow/flow-lines.ts';
import { flowPlaces } from '../flow/flow-places.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import type { RoleListener } from '../schema/role-listener.ts';
import type { XmlSource } from '../xml/xml-source.ts';
import { LineWalk } from './line-walk.ts';
import { countsAt, eventsAt, eventWord, eventWords, openedAt, reasons, stateAt, stateWord, stepsAt, windowAt } from './path-layout.ts';
import type { PathMemory } from './path-memory.ts';
import { PathTree, type Place, type Step } from './path-tree.ts';

export interface WalkerParts {
  readonly memory: PathMemory;
  readonly source: XmlSource;
  readonly frames: readonly ElementFrame[];
  readonly listener: RoleListener;
  readonly flow: FlowLines | null;
}

/** What was looked at in vain so often in a row is looked at rarely, until it is worth while again. */
const missesMax = 32;
const rarely = 32;

export class PathWalker {
  readonly tree: PathTree;
  /** Of the text where it stopped. */
  currency = -1;
  readonly #parts: WalkerParts;
  readonly #words: Int32Array;
  /** From the end of the text that was read last: its place, and where its end tag begins. Null: nothing can be learned now. */
  #from: Place | null = null;
  #markupFrom = 0;
  #generation = 0;
  #findings = 0;
  /** The depth of what stayed open since then. */
  #lowest = 0;
  #misses = 0;
  #deepest = 0;
  /** Frames to this depth are those of one path. */
  #fitted = -1;
  readonly #value = Buffer.alloc(4_096);
  readonly #checked = { bytes: this.#value, length: 0, currency: -1, isValid: true };
  readonly #lines: LineWalk | null;

  constructor(parts: WalkerParts) {
    this.#parts = parts;
    this.tree = new PathTree(parts.memory, parts.flow !== null);
    this.#words = parts.memory.words;
    this.#lines = parts.flow === null ? null : new LineWalk(parts.memory, parts.flow);
  }

  /** An element of `frame` is opened. */
  entered(frame: ElementFrame): void {
    frame.tagAt = this.#parts.source.cursor;
  }

  /** The text of `place` was read; its end tag is at the cursor. `findings`: how many there are so far. */
  left(place: Place | null, findings: number): void {
    const { source } = this.#parts;
    this.#from = place;
    this.#markupFrom = source.cursor;
    this.#generation = source.generation;
    this.#findings = findings;
    this.#lowest = Number.MAX_SAFE_INTEGER;
  }

  /** `depth` is what is open after an element was closed. */
  closed(depth: number): void {
    if (depth < this.#lowest) this.#lowest = depth;
  }

  /** At the text of the element at `depth`, which begins at the cursor. True: it went on, and stands at another one now. */
  atText(depth: number, currency: number, findings: number): Place | null {
    const { source, frames, memory } = this.#parts;
    const { place } = frames[depth]!;
    if (place === null) return null;
    this.#learn(place, findings);
    if (source.bytes !== memory.window || !this.tree.hasSteps(place)) return null;
    if (this.#misses > missesMax && this.#misses++ % rarely !== 0) return null;
    return this.#walk(place, currency);
  }

  #learn(to: Place, findings: number): void {
    const from = this.#from;
    const { source, frames } = this.#parts;
    this.#from = null;
    if (from === null || findings !== this.#findings || source.generation !== this.#generation) return;
    const pivot = this.#lowest;
    if (pivot >= to.depth || pivot >= from.depth) return;
    const opened: number[] = [];
    for (let depth = pivot + 1; depth <= to.depth; depth++) opened.push(frames[depth]!.tagAt - this.#markupFrom);
    const markup = source.bytes.subarray(this.#markupFrom, source.cursor);
    const isAgain = from.path[pivot + 1]!.index === to.path[pivot + 1]!.index;
    if (to.depth > this.#deepest) this.#deepest = to.depth;
    this.tree.learn({ from, to, markup, pivot, isAgain, opened });
  }

  #walk(start: Place, startCurrency: number): Place | null {
    const { source, frames, memory } = this.#parts;
    const words = this.#words;
    this.#fitted = -1;
    this.#fitPath(start);
    for (let depth = 0; depth < start.depth; depth++) words[countsAt / 4 + depth] = frames[depth]!.count;
    words.fill(0, openedAt / 4, openedAt / 4 + this.#deepest + 1);
    if (this.#lines !== null && !this.#lines.begin(source)) return null;
    words[stateAt / 4 + stateWord.line] = source.line;
    words[stateAt / 4 + stateWord.lineFrom] = 0;
    const first = windowAt + source.cursor;
    const end = windowAt + source.length;
    let at = first;
    let place = start;
    let currency = startCurrency;
    let isFull = true;
    while (isFull) {
      const events = memory.exports.walk(at, end, place.address, currency);
      if (events > 0) this.#tell(events);
      this.#lines?.take();
      at = words[stateAt / 4 + stateWord.at]!;
      place = this.tree.placeAt(words[stateAt / 4 + stateWord.place]!);
      currency = words[stateAt / 4 + stateWord.currency]!;
      isFull = words[stateAt / 4 + stateWord.reason] === reasons.full;
    }
    if (at === first) {
      this.#misses++;
      return null;
    }
    this.#misses = 0;
    this.#lines?.end();
    this.currency = currency;
    this.#stopAt(place, first, at);
    return place;
  }

  /** Makes the open elements what they would be had each been opened for itself. */
  #stopAt(place: Place, first: number, at: number): void {
    const { source, frames, memory } = this.#parts;
    const words = this.#words;
    const line = words[stateAt / 4 + stateWord.line]!;
    for (const [depth, each] of place.path.entries()) {
      const frame = frames[depth]!;
      takePlace(frame, each);
      frame.cursor = depth < place.depth ? place.path[depth + 1]!.index : -1;
      frame.count = depth < place.depth ? words[countsAt / 4 + depth]! : 0;
      const tag = words[openedAt / 4 + depth]!;
      if (tag === 0) continue;
      const feed = memory.all.subarray(first, tag).lastIndexOf(0x0a);
      this.#placeOf(frame, tag, line - memory.exports.countFeeds(tag, at), feed < 0 ? 0 : first + feed + 1);
      frame.textLength = 0;
      frame.hasWrongText = false;
    }
    source.jump(at - windowAt, line, this.#lineStart(words[stateAt / 4 + stateWord.lineFrom]!));
    this.#from = null;
  }

  /** Offset in the file of a line that begins at `lineFrom`; 0: of that in which the walk began. */
  #lineStart(lineFrom: number): number {
    const { source } = this.#parts;
    return lineFrom === 0 ? source.lineStart : source.offsetOf(lineFrom - windowAt);
  }

  #placeOf(frame: ElementFrame, tag: number, line: number, lineFrom: number): void {
    frame.line = line;
    frame.offset = this.#parts.source.offsetOf(tag - windowAt);
    frame.column = frame.offset - this.#lineStart(lineFrom) + 1;
  }

  #tell(events: number): void {
    const words = this.#words;
    for (let event = eventsAt / 4; event < eventsAt / 4 + events * eventWords; event += eventWords) {
      const what = words[event + eventWord.what]!;
      if (what >= stepsAt) this.#tellStep(this.tree.stepAt(what), event);
      else this.#tellValue(this.tree.placeAt(what), event);
    }
  }

  /** `event`: where its words are. */
  #tellValue(place: Place, event: number): void {
    const { frames, listener, memory, source } = this.#parts;
    const words = this.#words;
    const at = words[event + eventWord.at]!;
    const to = words[event + eventWord.to]!;
    const { role } = place.element;
    const checked = this.#checked;
    checked.length = to - at;
    checked.currency = words[event + eventWord.currency]!;
    copy(memory.all, at, to, this.#value);
    this.#fitPath(place);
    const frame = frames[place.depth]!;
    frame.textLine = words[event + eventWord.line]!;
    frame.textOffset = source.offsetOf(at - windowAt);
    frame.textColumn = frame.textOffset - this.#lineStart(words[event + eventWord.lineFrom]!) + 1;
    frame.textLength = to - at;
    listener.valued(role, checked, frame);
  }

  #tellStep({ to, pivot, isAgain, endings, beginnings }: Step, event: number): void {
    const { frames, listener, flow } = this.#parts;
    const at = this.#words[event + eventWord.at]!;
    const before = this.#words[event + eventWord.line]!;
    const beforeFrom = this.#words[event + eventWord.lineFrom]!;
    for (const { role, place, depth } of endings) {
      if (role !== 0) listener.ended(role, frames[depth]!);
      if (place === flowPlaces.record) flow?.setOpen(false);
    }
    this.#fitPath(to);
    frames[pivot]!.count = isAgain ? frames[pivot]!.count + 1 : 1;
    for (let depth = pivot + 1; depth <= to.depth; depth++) frames[depth]!.count = depth < to.depth ? 1 : 0;
    for (const { role, place, depth, tag, feeds, lineFrom } of beginnings) {
      const frame = frames[depth]!;
      this.#placeOf(frame, at + tag, before + feeds, lineFrom === 0 ? beforeFrom : at + lineFrom);
      if (place === flowPlaces.record) flow?.setOpen(true);
      if (role !== 0) listener.started(role, frame);
    }
  }

  /** From the innermost outwards, as far as they differ: two paths with the same place have the same places above it. */
  #fitPath({ path, depth: last }: Place): void {
    const { frames } = this.#parts;
    for (let depth = this.#fitted + 1; depth <= last; depth++) takePlace(frames[depth]!, path[depth]!);
    for (let depth = Math.min(last, this.#fitted); depth >= 0 && frames[depth]!.place !== path[depth]; depth--)
      takePlace(frames[depth]!, path[depth]!);
    this.#fitted = last;
  }
}

function takePlace(frame: ElementFrame, place: Place): void {
  if (frame.place === place) return;
  frame.place = place;
  frame.element = place.element;
  frame.type = place.element.type;
}

function copy(from: Buffer, start: number, end: number, to: Buffer): void {
  if (end - start > 48) from.copy(to, 0, start, end);
  else for (let at = start, into = 0; at < end; at++, into++) to[into] = from[at]!;
}
