/**
 * Where the paths of a message are in the memory that the walker works in. Addresses are constants: tables in front, what is
 * learned behind them, the window on the file last. A place is an element by its path, a step the markup from one text to the next.
 */
import { ibanTables } from '../../../engine/kernel/iban-tables.ts';
import { currencyCodes } from '../values/code-values.ts';
import { lineBytes } from './line-layout.ts';

const aligned = (address: number): number => Math.ceil(address / 64) * 64;
const after = (address: number, bytes: number): number => aligned(address + bytes);

/** Elements that are open, the message's own included. */
export const depthsMax = 64;
export const placesMax = 2_000;
export const stepsMax = 8_000;
/** Of one place: what is tried one after the other. */
export const stepsOfPlaceMax = 12;
/** Markup of a step. */
export const markupBytesMax = 1_024;
/** Opened elements of a step. */
export const openedMax = 24;
export const eventsMax = 4_096;
/** Of a text: longer ones are read element by element. */
export const textBytesMax = 4_096;
/** Of a value that is known again by its bytes. */
export const lastBytesMax = 40;

/** Members of the structures, each of four bytes, by the number of the word. */
export const placeWord = {
  kind: 0,
  least: 1,
  most: 2,
  check: 3,
  isValued: 4,
  first: 5,
  currencies: 6,
  lastLength: 7,
  flowField: 8,
  last: 9,
} as const;
export const placeWords = placeWord.last + lastBytesMax / 4;

export const stepWord = {
  next: 0,
  markup: 1,
  markupEnd: 2,
  length: 3,
  target: 4,
  counter: 5,
  isAgain: 6,
  countMax: 7,
  openedCount: 8,
  isTold: 9,
  currencyAt: 10,
  endsRecord: 11,
  beginsGroup: 12,
  /** Where its tag is in the markup, and 1; 0: it begins none. */
  beginsRecord: 13,
  /** Line feeds of the markup, and those before the tag of the record; what follows the last one, 0: there is none. */
  feeds: 14,
  recordFeeds: 15,
  lineFrom: 16,
  opened: 17,
} as const;
export const stepWords = stepWord.opened + openedMax;
/** `what`: address of a place or of a step. `line`, `lineFrom`: as in the state, at the text or before the markup. */
export const eventWord = { what: 0, at: 1, to: 2, currency: 3, line: 4, lineFrom: 5 } as const;
export const eventWords = 6;
/** `lineFrom`: address where the line begins; 0: it is the one that the first walk began in. */
export const stateWord = { at: 0, place: 1, currency: 2, lineFrom: 3, reason: 4, continuations: 5, line: 6 } as const;

/** How the walker checks a text. `asked`: by the function of its type. */
export const kinds = { asked: 0, text: 1, decimal: 2, date: 3, iban: 4 } as const;
/** Why the walker stopped. `other`: at what is not learned, not whole, or not as it has to be. */
export const reasons = { other: 0, full: 1 } as const;

const ibans = ibanTables();

export const ibansAt = 64;
/** Minor units of each currency, i8: of those in use, then of those and the withdrawn ones. */
export const activeAt = after(ibansAt, ibans.length);
export const historicAt = after(activeAt, currencyCodes);
export const stateAt = after(historicAt, currencyCodes);
/** By depth, i32: how often the open child has come, and where its tag is; 0: it was open before. */
export const countsAt = after(stateAt, 64);
export const openedAt = after(countsAt, 4 * depthsMax);
export const eventsAt = after(openedAt, 4 * depthsMax);
export const placesAt = after(eventsAt, 4 * eventWords * eventsMax);
export const stepsAt = after(placesAt, 4 * placeWords * placesMax);
/** Sixteen bytes of markup and their mask, in turn. */
export const markupAt = after(stepsAt, 4 * stepWords * stepsMax);
export const markupBytes = 1024 * 1024;
export const linesAt = after(markupAt, markupBytes);
export const windowAt = after(linesAt, lineBytes);
export const windowBytes = 2 * 1024 * 1024;
/** What is read behind the last byte. */
export const slackBytes = textBytesMax + markupBytesMax + 64;
export const memoryBytes = windowAt + windowBytes + slackBytes;

export const tables: readonly (readonly [number, Uint8Array])[] = [[ibansAt, ibans]];
