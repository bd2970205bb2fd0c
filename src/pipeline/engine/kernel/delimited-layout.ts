/**
 * Walks delimited records: columns in order, quotes around any of them. A text with doubled quotes is put down without them behind the window;
 * other escapes and line ends inside quotes are left to the slow path.
 */

import type { DelimitedPlan } from '../plan.ts';
import { columnOf } from '../records/delimited-reader.ts';
import { textsBytes } from '../window-memory.ts';
import { lineEndCode, type RecordLayout, scanCode, scanOf } from './record-layout.ts';
import { matchesBytes, type SourceContext } from './source-context.ts';

/** Null when two fields share a column, or spaces quote or escape: such plans have no kernel. */
export function delimitedLayout(context: SourceContext, format: DelimitedPlan, columns: readonly string[] | null): RecordLayout | null {
  const { fields } = context.record;
  const fieldAt = new Map<number, number>();
  const missing: number[] = [];
  for (const [index, field] of fields.entries()) {
    const column = columnOf(field, columns);
    if (column < 0) missing.push(index);
    else if (fieldAt.has(column)) return null;
    else fieldAt.set(column, index);
  }
  const isTagged = context.flow.plan.records.length > 1 || context.record.tag !== null;
  const tagColumn = isTagged ? format.discriminator : null;
  if (isTagged && tagColumn === null) return null;
  const highest = Math.max(tagColumn ?? -1, -1, ...fieldAt.keys());
  const count = format.header && columns !== null ? columns.length : Math.max(0, ...fields.map((field) => columnOf(field, columns) + 1));
  const isExact = format.columns === 'exact';
  const width = isExact ? count : highest + 1;
  if (width <= highest || width === 0 || format.delimiter > 0x7f || (format.quote ?? 0) > 0x7f) return null;
  if (format.quote === 0x20 || format.escape === 0x20) return null;
  return new DelimitedLayout(context, format, { fieldAt, missing, tagColumn, width, isExact }).layout();
}

interface Columns {
  readonly fieldAt: ReadonlyMap<number, number>;
  /** Fields whose column the header row lacks. */
  readonly missing: readonly number[];
  readonly tagColumn: number | null;
  readonly width: number;
  readonly isExact: boolean;
}

class DelimitedLayout {
  readonly #context: SourceContext;
  readonly #format: DelimitedPlan;
  readonly #columns: Columns;
  readonly #plain: string;
  readonly #quoted: string;
  /** Quotes are escaped by themselves. */
  readonly #isDoubled: boolean;
  /** Fields whose closing quote may be elsewhere than their text ends. */
  readonly #scanned = new Set<number>();

  constructor(context: SourceContext, format: DelimitedPlan, columns: Columns) {
    this.#context = context;
    this.#format = format;
    this.#columns = columns;
    const { delimiter, quote } = format;
    this.#isDoubled = quote !== null && format.escape === quote;
    const marks = [format.escape, quote].filter((byte) => byte !== null);
    this.#plain = scanOf(context, [delimiter, 0x0a, 0x0d, ...(quote === null ? [] : [quote])]);
    this.#quoted = scanOf(context, [0x0a, 0x0d, ...marks]);
  }

  layout(): RecordLayout {
    const { delimiter, quote, escape: escapeByte, comment } = this.#format;
    return {
      scan: (index) => this.#scan(index),
      bound: () => null,
      reserved: new Set([delimiter, quote, escapeByte, 0x0a, 0x0d, 0].filter((byte) => byte !== null)),
      cells: this.#columns.isExact && this.#columns.tagColumn === null ? (check) => this.#cells(check) : null,
      endBytes: 1,
      startsElsewhere: [0x0a, 0x0d, ...(comment === null ? [] : [comment])],
      walk: (fieldSource) => this.#walk(fieldSource),
    };
  }

  /** Before the walk all columns are unknown; a missing column makes its field absent. */
  #walk(fieldSource: (index: number) => string): string {
    const { fieldAt, missing, tagColumn, width, isExact } = this.#columns;
    let code = 'p=rs;';
    for (const index of missing) code += this.#context.isOptional(index) ? `a${index}=1;` : 'break row;';
    for (let column = 0; column < width; column++) {
      const index = fieldAt.get(column);
      const isLast = column === width - 1;
      const tag = column === tagColumn ? Buffer.from(this.#context.record.tag ?? '', 'utf8') : null;
      code += index === undefined ? this.#skip(tag, isLast) : this.#field(index, fieldSource(index), tag, isLast);
    }
    if (!isExact) code += `while(b[p]===${this.#format.delimiter}){p++;${this.#skip(null, true)}}`;
    return code + lineEndCode;
  }

  #cells(check: (index: number) => string): string {
    const { fieldAt, missing, width } = this.#columns;
    const { delimiter, quote, escape: escapeByte } = this.#format;
    const escaped = escapeByte === null || escapeByte === quote ? '' : `if(b[p]===${escapeByte})return 0;`;
    // Content in which nothing is escaped.
    const quoted = `q=p+1;p=q;while(p<end&&b[p]!==${quote}){${escaped}p++;}if(p>=end)return 0;x=p;p++;if(p<end&&b[p]!==${delimiter})return 0;`;
    const plain = `while(p<end&&b[p]!==${delimiter}){${quote === null ? '' : `if(b[p]===${quote})return 0;`}p++;}x=p;`;
    const cell = quote === null ? plain : `if(p<end&&b[p]===${quote}){${quoted}}else{${plain}}`;
    let code = '';
    for (const index of missing) code += `s${index}=start;z${index}=start;${check(index)}`;
    for (let column = 0; column < width; column++) {
      const index = fieldAt.get(column);
      const isLast = column === width - 1;
      code += `q=p;${cell}if(p${isLast ? '!==' : '==='}end)return 0;`;
      if (index !== undefined) code += `s${index}=q;z${index}=x;${check(index)}`;
      code += 'p++;';
    }
    return code;
  }

  /** Sets `qt` (1: quoted) and `en`, the byte that has to follow the content of a quoted column or a delimited one. */
  #open(start: string): string {
    const { quote, delimiter } = this.#format;
    const closing = this.#isDoubled ? 'cl=0;' : '';
    return quote === null ? `${start}=p;` : `qt=b[p]===${quote}?1:0;${closing}${start}=p+qt;en=qt===1?${quote}:${delimiter};`;
  }

  /** Verifies what follows the content at `end` and moves `p` behind it and, except for the last column, the delimiter. */
  #close(end: string, isLast: boolean): string {
    const { delimiter, quote } = this.#format;
    if (!isLast)
      return quote === null
        ? `p=${end};if(b[p]!==${delimiter})break row;p++;`
        : `p=${end};if(b[p]!==en)break row;p+=qt;if(b[p]!==${delimiter})break row;p++;`;
    return `p=${end};${quote === null ? '' : `if(qt===1&&b[p]!==${quote})break row;p+=qt;`}${this.#lastEnd()}`;
  }

  /** After the last wanted column: a line end, or with lenient columns another delimiter. */
  #lastEnd(): string {
    const more = this.#columns.isExact ? '' : `&&b[p]!==${this.#format.delimiter}`;
    return `if(b[p]!==10&&b[p]!==13${more})break row;`;
  }

  #isEnd(at: string, isLast: boolean): string {
    const { delimiter, quote } = this.#format;
    // Doubled, a quote is the text's first character.
    const isAlone = this.#isDoubled ? `&&b[${at}+1]!==${quote}` : '';
    if (!isLast) {
      if (quote === null) return `b[${at}]===${delimiter}`;
      return this.#isDoubled ? `(b[${at}]===en&&(qt===0||b[${at}+1]!==${quote}))` : `b[${at}]===en`;
    }
    const plain = `b[${at}]===10||b[${at}]===13||b[${at}]===${delimiter}`;
    return quote === null ? `(${plain})` : `(qt===1?b[${at}]===${quote}${isAlone}:(${plain}))`;
  }

  #field(index: number, source: string, tag: Buffer | null, isLast: boolean): string {
    const { trim } = this.#context.field(index);
    const s = `s${index}`;
    const leading = trim ? this.#overSpaces(s) : '';
    const after = `q=e${index};${trim ? this.#overSpaces('q') : ''}`;
    const trailing = this.#scanned.has(index) ? `if(cl>0){q=cl;}else{${after}}` : after;
    const literal = tag === null ? '' : `if(!(${matchesBytes(s, tag)})||e${index}-${s}!==${tag.length})break row;`;
    const absent = this.#context.isOptional(index)
      ? `if(${this.#isEnd(s, isLast)}){a${index}=1;e${index}=${s};q=${s};}else{${source}${trailing}}`
      : `if(${this.#isEnd(s, isLast)})break row;${source}${trailing}`;
    return `${this.#open(s)}${leading}${absent}${literal}${this.#close('q', isLast)}`;
  }

  /** Spaces that part fields are no part of them: only a text in quotes has its own. */
  #overSpaces(at: string): string {
    const { delimiter, quote } = this.#format;
    const run = `while(b[${at}]===32)${at}++;`;
    if (delimiter !== 0x20) return run;
    return quote === null ? '' : `if(qt===1){${run}}`;
  }

  #skip(tag: Buffer | null, isLast: boolean): string {
    const literal = tag === null ? '' : `if(!(${matchesBytes('q', tag)})||r-q!==${tag.length})break row;`;
    const more = this.#isDoubled
      ? `while(qt===1&&b[r]===en&&b[r+1]===en){${scanCode(`${this.#quoted}(r+2)`, { end: 'r', flags: 'en' })}g|=en;en=${this.#format.quote};}`
      : '';
    return `${this.#open('q')}${this.#run({ start: 'q', end: 'r', flags: 'g' })}${more}if((g&hi)!==0){${this.#context.notAscii}}${literal}${this.#close('r', isLast)}`;
  }

  #run(text: { readonly start: string; readonly end: string; readonly flags: string }): string {
    const plain = `${this.#plain}(${text.start})`;
    return scanCode(this.#format.quote === null ? plain : `qt===0?${plain}:${this.#quoted}(${text.start})`, text);
  }

  #scan(index: number): string {
    const trim = this.#context.field(index).trim ? `while(e${index}>s${index}&&b[e${index}-1]===32)e${index}--;` : '';
    return `${this.#run({ start: `s${index}`, end: `e${index}`, flags: `f${index}` })}${this.#isDoubled ? this.#undouble(index) : ''}${trim}`;
  }

  /** Where the text goes on behind a quote, puts it down behind the window, as it is meant. `cl` is then where the quotes close. */
  #undouble(index: number): string {
    this.#scanned.add(index);
    const { quote } = this.#format;
    const copy =
      `let k=s${index},o=us,h=0;const most=S.texts+${textsBytes};` +
      `while(b[k]!==${quote}||b[k+1]===${quote}){const c=b[k];if(c===10||c===13||c===0||o>=most)break row;h|=c;b[o]=c;o++;k+=c===${quote}?2:1;}`;
    return `if(qt===1&&b[e${index}]===${quote}&&b[e${index}+1]===${quote}){${copy}cl=k;s${index}=us;e${index}=o;f${index}=1+(h>>7)*2;us=o;}`;
  }
}
