/**
 * What is learned of a message while it is read: the elements by their path, and the markup that led from one text to the next
 * without anything to say against it. Whether it may be there does not depend on more than the path and, where an element may
 * come several times, on its number: so the same markup at the same place is right again.
 */
import { flowPlaces } from '../flow/flow-places.ts';
import { lowerLevel } from '../rules/roles.ts';
import type { CompiledElement, CompiledType } from '../schema/compiled-types.ts';
import type { ValueCheck } from '../values/value-problem.ts';
import type { XmlName } from '../xml/xml-names.ts';
import * as layout from './path-layout.ts';
import { kinds, placeWord, stepWord } from './path-layout.ts';
import type { PathMemory } from './path-memory.ts';

/** An element by its path and the names as they are written. */
export class Place {
  readonly above: Place | null;
  readonly element: CompiledElement;
  readonly name: XmlName;
  readonly depth: number;
  /** Index of the element among the children of the type above. */
  readonly index: number;
  /** Itself and all above it, by depth. */
  readonly path: readonly Place[];
  /** Of texts, once a step begins or ends there; 0: not yet. */
  address = 0;
  readonly children: Place[] = [];
  readonly steps: Step[] = [];
  /** How often what led on from there was more than markup. */
  refused = 0;

  constructor(above: Place | null, element: CompiledElement, name: XmlName) {
    this.above = above;
    this.element = element;
    this.name = name;
    this.depth = above === null ? 0 : above.depth + 1;
    this.index = above === null ? 0 : above.element.type.children.indexOf(element);
    this.path = above === null ? [this] : [...above.path, this];
  }
}

/** An element that a step opens or closes and that somebody wants to hear of. */
interface ToldElement {
  readonly role: number;
  readonly place: number;
  readonly depth: number;
  /** Where its tag is in the markup, if it opens it. */
  readonly tag: number;
  /** Line feeds before its tag, and what follows the last of them; 0: there is none. */
  readonly feeds: number;
  readonly lineFrom: number;
}

/** What was read from one text to the next. */
export interface Passage {
  readonly from: Place;
  readonly to: Place;
  readonly markup: Buffer;
  /** Depth of the element that stays open. */
  readonly pivot: number;
  /** Whether its child is of the same kind as the one before. */
  readonly isAgain: boolean;
  /** By place in the markup: the tags that it opens, from the depth after `pivot` on. */
  readonly opened: readonly number[];
}

export interface Step extends Passage {
  /** Where in the markup any currency may be; 0: none is. */
  readonly currencyAt: number;
  /** From the innermost to the outermost. */
  readonly endings: readonly ToldElement[];
  readonly beginnings: readonly ToldElement[];
}

/** End tags, then start tags without attributes but one currency at the end; nothing else between two texts is learned. */
const plainMarkup = /^(?:<\/[^<>\s/]+>[ \t\r\n]*)+(?:<[^<>\s/!?]+>[ \t\r\n]*)*<[^<>\s/!?]+(?: Ccy="[A-Z]{3}")?>$/;
const currencyMark = ' Ccy="';
const vectorBytes = 16;
const lineFeed = 0x0a;
/** From a place that is left in so many ways that are not learned nothing more is. */
const refusedMax = 64;

function isMarkupOf({ markup, currencyAt }: Step, bytes: Buffer): boolean {
  if (markup.length !== bytes.length) return false;
  for (let index = 0; index < bytes.length; index++) {
    const isCurrency = currencyAt > 0 && index >= currencyAt && index < currencyAt + 3;
    if (markup[index] !== bytes[index] && !isCurrency) return false;
  }
  return true;
}

function feedsBefore(markup: Buffer, end: number): number {
  let feeds = 0;
  for (let at = 0; at < end; at++) if (markup[at] === lineFeed) feeds++;
  return feeds;
}

export class PathTree {
  readonly #memory: PathMemory;
  /** Whether lines of a flow are written, which want to hear of its fields. */
  readonly #hasFlow: boolean;
  readonly #places: Place[] = [];
  readonly #steps: Step[] = [];
  /** By type, whether somebody hears of what is in it. */
  readonly #heard = new Map<CompiledType, boolean>();
  #markupAt = layout.markupAt;
  #root: Place | null = null;
  #count = 0;

  constructor(memory: PathMemory, hasFlow: boolean) {
    this.#memory = memory;
    this.#hasFlow = hasFlow;
  }

  /** Null: too many are known. */
  child(above: Place | null, element: CompiledElement, name: XmlName): Place | null {
    if (above === null && this.#root !== null) return this.#root;
    if (above !== null) for (const known of above.children) if (known.name === name) return known;
    if (this.#count >= layout.placesMax || (above !== null && above.depth + 1 >= layout.depthsMax - 1)) return null;
    this.#count++;
    const made = new Place(above, element, name);
    if (above === null) this.#root = made;
    else above.children.push(made);
    return made;
  }

  placeAt(address: number): Place {
    return this.#places[(address - layout.placesAt) / (4 * layout.placeWords)]!;
  }

  stepAt(address: number): Step {
    return this.#steps[(address - layout.stepsAt) / (4 * layout.stepWords)]!;
  }

  /** Whether there is anywhere to go from there. */
  hasSteps(place: Place): boolean {
    return place.steps.length > 0;
  }

  /** Takes a step up, unless it is known, is more than markup, or there is no room. */
  learn(passage: Passage): void {
    const { from, to, markup } = passage;
    if (from.steps.some((known) => known.to === to && isMarkupOf(known, markup))) return;
    if (from.refused >= refusedMax || from.steps.length >= layout.stepsOfPlaceMax || this.#steps.length >= layout.stepsMax) return;
    const isSmall = markup.length <= layout.markupBytesMax && passage.opened.length <= layout.openedMax;
    const text = isSmall ? markup.toString('latin1') : '';
    if (!plainMarkup.test(text) || (this.#hasFlow && this.#isForReader(passage))) {
      from.refused++;
      return;
    }
    const currencyAt = text.includes(currencyMark) ? text.indexOf(currencyMark) + currencyMark.length : 0;
    const mask = Buffer.alloc(markup.length, 0xff);
    if (currencyAt > 0) mask.fill(0, currencyAt, currencyAt + 3);
    const bare = Buffer.from(markup.map((byte, index) => byte & mask[index]!));
    const markupEnd = this.#keepMarkup(bare, mask);
    if (markupEnd === 0) return;
    this.#write(this.#stepOf({ ...passage, markup: bare }, currencyAt), markupEnd);
  }

  /** Of a flow: the header has its line written by the reader, and what a rule says of an element belongs to the line that is open. */
  #isForReader({ from, to, pivot }: Passage): boolean {
    const isHeader = ({ element: { place } }: Place): boolean => place === flowPlaces.header || place === flowPlaces.lastHeader;
    const opened = to.path.slice(pivot + 1);
    return [...from.path.slice(pivot + 1), ...opened].some(isHeader) || opened.some(({ element: { role } }) => role >= lowerLevel);
  }

  #write(step: Step, markupEnd: number): void {
    const { from, to, pivot, opened, currencyAt } = step;
    const { words } = this.#memory;
    const source = this.#addressOf(from);
    const target = this.#addressOf(to);
    const address = layout.stepsAt + 4 * layout.stepWords * this.#steps.length;
    const at = address / 4;
    const { max } = to.path[pivot + 1]!.element;
    const vectors = Math.ceil(step.markup.length / vectorBytes);
    // After an element that may come several times, an XPath of what somebody hears of has another number.
    const isNumbered = ({ element }: Place): boolean => element.max > 1 && this.#isHeardWithin(element);
    const isTold = step.endings.length + step.beginnings.length > 0 || to.path.slice(pivot + 1).some(isNumbered);
    words[at + stepWord.next] = 0;
    words[at + stepWord.markup] = markupEnd - vectors * 2 * vectorBytes;
    words[at + stepWord.markupEnd] = markupEnd;
    words[at + stepWord.length] = step.markup.length;
    words[at + stepWord.target] = target;
    words[at + stepWord.counter] = pivot;
    words[at + stepWord.isAgain] = step.isAgain ? 1 : 0;
    words[at + stepWord.countMax] = Math.min(max, 0x7fff_fffe);
    words[at + stepWord.openedCount] = opened.length;
    words[at + stepWord.isTold] = isTold ? 1 : 0;
    words[at + stepWord.currencyAt] = currencyAt;
    const begun = (wanted: number): number => to.path.findIndex(({ element }, depth) => depth > pivot && element.place === wanted);
    const record = begun(flowPlaces.record);
    words[at + stepWord.endsRecord] = from.path.some(({ element }, depth) => depth > pivot && element.place === flowPlaces.record) ? 1 : 0;
    words[at + stepWord.beginsGroup] = begun(flowPlaces.group) >= 0 ? 1 : 0;
    const recordTag = record < 0 ? 0 : opened[record - pivot - 1]!;
    words[at + stepWord.beginsRecord] = record < 0 ? 0 : recordTag + 1;
    words[at + stepWord.recordFeeds] = feedsBefore(step.markup, recordTag);
    words[at + stepWord.feeds] = feedsBefore(step.markup, step.markup.length);
    words[at + stepWord.lineFrom] = step.markup.lastIndexOf(lineFeed) + 1;
    for (const [index, tag] of opened.entries()) words[at + stepWord.opened + index] = tag;
    // Behind those that are known: what comes most often was learned first.
    const last = from.steps.at(-1);
    const before = last === undefined ? source / 4 + placeWord.first : this.#wordOf(last) + stepWord.next;
    words[before] = address;
    from.steps.push(step);
    this.#steps.push(step);
  }

  /** Whether somebody hears of the element, or of one in it. */
  #isHeardWithin({ role, place, type }: CompiledElement): boolean {
    if (role !== 0 || (place < 0 && this.#hasFlow)) return true;
    const known = this.#heard.get(type);
    if (known !== undefined) return known;
    // Of a type that is in itself.
    this.#heard.set(type, false);
    const isHeard = type.children.some((child) => this.#isHeardWithin(child));
    this.#heard.set(type, isHeard);
    return isHeard;
  }

  #wordOf(step: Step): number {
    return layout.stepsAt / 4 + layout.stepWords * this.#steps.indexOf(step);
  }

  #stepOf(passage: Passage, currencyAt: number): Step {
    const { from, to, pivot, opened, markup } = passage;
    const told = ({ element: { role, place }, depth }: Place): ToldElement => {
      const tag = opened[depth - pivot - 1] ?? 0;
      return { role, place, depth, tag, feeds: feedsBefore(markup, tag), lineFrom: markup.subarray(0, tag).lastIndexOf(lineFeed) + 1 };
    };
    const matters = ({ role, place }: ToldElement): boolean => role !== 0 || (place < 0 && this.#hasFlow);
    return {
      ...passage,
      currencyAt,
      endings: from.path
        .slice(pivot + 1)
        .map(told)
        .filter(matters)
        .reverse(),
      beginnings: to.path
        .slice(pivot + 1)
        .map(told)
        .filter(matters),
    };
  }

  /** Where the markup ends that is kept with its mask; 0: there is no room. */
  #keepMarkup(markup: Buffer, mask: Buffer): number {
    const vectors = Math.ceil(markup.length / vectorBytes);
    const end = this.#markupAt + vectors * 2 * vectorBytes;
    if (end > layout.markupAt + layout.markupBytes) return 0;
    const { all } = this.#memory;
    all.fill(0, this.#markupAt, end);
    for (let index = 0; index < vectors; index++) {
      const from = index * vectorBytes;
      markup.copy(all, this.#markupAt + 2 * from, from, from + vectorBytes);
      mask.copy(all, this.#markupAt + 2 * from + vectorBytes, from, from + vectorBytes);
    }
    this.#markupAt = end;
    return end;
  }

  #addressOf(place: Place): number {
    if (place.address !== 0) return place.address;
    const address = layout.placesAt + 4 * layout.placeWords * this.#places.length;
    const { role, place: field, type } = place.element;
    const { check, currency, form } = type.value!;
    const at = address / 4;
    const { words } = this.#memory;
    words.fill(0, at, at + layout.placeWords);
    words[at + placeWord.kind] = form === null ? kinds.asked : kinds[form.kind];
    words[at + placeWord.least] = form?.kind === 'text' ? form.least : form?.kind === 'decimal' ? form.totalDigits : 0;
    words[at + placeWord.most] = form?.kind === 'text' ? form.most : form?.kind === 'decimal' ? form.fractionDigits : 0;
    words[at + placeWord.check] = this.#checkNumber(check);
    words[at + placeWord.isValued] = role !== 0 ? 1 : 0;
    words[at + placeWord.flowField] = field > 0 && this.#hasFlow ? field : 0;
    words[at + placeWord.currencies] = currency === null ? 0 : currency === 'historic' ? layout.historicAt : layout.activeAt;
    this.#places.push(place);
    place.address = address;
    return address;
  }

  #checkNumber(check: ValueCheck): number {
    const { checks } = this.#memory;
    const known = checks.indexOf(check);
    return known >= 0 ? known : checks.push(check) - 1;
  }
}
