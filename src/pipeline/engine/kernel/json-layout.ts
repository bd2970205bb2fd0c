/** Walks JSON lines of one learned shape: literal bytes are compared, values are checked in place; anything else is left to the slow path. */
import type { JsonLinesPlan } from '../plan.ts';
import { isUntagged } from '../records/record-types.ts';
import type { JsonPart } from './json-template.ts';
import { lineEndCode, type RecordLayout, scanCode, scanOf } from './record-layout.ts';
import { matchesBytes, type SourceContext } from './source-context.ts';

const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));
const nullWord = words[2]!;

/** Null when records of this shape can't be valid, or two fields share a path. */
export function jsonLayout(context: SourceContext, format: JsonLinesPlan, template: readonly JsonPart[]): RecordLayout | null {
  const keyOf = (path: readonly string[]) => JSON.stringify(path);
  const fieldAt = new Map<string, number>();
  for (const [index, field] of context.record.fields.entries()) {
    const key = keyOf('path' in field.at ? field.at.path : []);
    if (fieldAt.has(key)) return null;
    fieldAt.set(key, index);
  }
  const tagKey = isUntagged(context.flow.plan) ? null : keyOf([format.discriminator ?? '']);
  const slots = template.flatMap((part) => ('path' in part ? [keyOf(part.path)] : []));
  const missing = [...fieldAt].filter(([key]) => !slots.includes(key)).map(([, index]) => index);
  if (missing.some((index) => !context.isOptional(index)) || (tagKey !== null && !slots.includes(tagKey))) return null;
  // A field whose path is an object in this shape would be absent to this walk but is of a wrong type.
  const isPrefix = (index: number) => {
    const { at } = context.field(index);
    return (
      'path' in at &&
      template.some((part) => 'path' in part && part.path.length > at.path.length && at.path.every((key, step) => part.path[step] === key))
    );
  };
  if (missing.some(isPrefix) || hasEmptyObject(template)) return null;
  const scan = scanOf(context, [0x22, 0x5c, ...Array.from({ length: 0x20 }, (_, control) => control)]);
  const run = (start: string, end: string, flags: string) => scanCode(`${scan}(${start})`, { end, flags });
  const field = (index: number, source: string): string => {
    const { type, trim } = context.field(index);
    const isOptional = context.isOptional(index);
    const [s, e] = [`s${index}`, `e${index}`];
    const missingValue = isOptional ? `a${index}=1;${e}=${s};` : 'break row;';
    const leading = trim ? `while(b[${s}]===32)${s}++;` : '';
    const trailing = trim ? `q=${e};while(b[q]===32)q++;` : `q=${e};`;
    const quoted = `${s}=p+1;${leading}if(b[${s}]===34){${missingValue}q=${s};}else{${source}${trailing}}if(b[q]!==34)break row;p=q+1;`;
    const absent = `else if(${matchesBytes('p', nullWord)}){${s}=p;${missingValue}p+=4;}`;
    if (type === 'boolean') return `if(b[p]===116||b[p]===102){${s}=p;${source}p=${e};}${absent}else break row;`;
    const isNumeric = type === 'int' || type === 'decimal';
    const number = isNumeric
      ? `else if((b[p]-48>>>0)<=9||b[p]===45){${s}=p;q=b[p]===45?p+1:p;if(b[q]===48&&(b[q+1]-48>>>0)<=9)break row;${source}p=${e};}`
      : '';
    return `if(b[p]===34){${quoted}}${number}${absent}else break row;`;
  };
  return {
    scan: (index) => {
      const trim = context.field(index).trim ? `while(e${index}>s${index}&&b[e${index}-1]===32)e${index}--;` : '';
      return `${run(`s${index}`, `e${index}`, `f${index}`)}${trim}`;
    },
    bound: () => null,
    reserved: new Set([0x22, 0x5c, ...Array.from({ length: 0x20 }, (_, control) => control)]),
    cells: null,
    endBytes: 1,
    startsElsewhere: [0x0a, 0x0d],
    walk: (fieldSource) => {
      let code = 'p=rs;';
      for (const index of missing) code += `a${index}=1;`;
      for (const part of template) {
        if ('literal' in part) {
          code += `if(!(${matchesBytes('p', part.literal)}))break row;p+=${part.literal.length};`;
          continue;
        }
        const key = keyOf(part.path);
        const index = fieldAt.get(key);
        if (key === tagKey) {
          const tag = Buffer.from(JSON.stringify(context.record.tag ?? ''), 'utf8');
          code += `if(!(${matchesBytes('p', tag)}))break row;${index === undefined ? `p+=${tag.length};` : ''}`;
          if (index === undefined) continue;
        }
        code += index === undefined ? skipCode(run) : field(index, fieldSource(index));
      }
      return code + lineEndCode;
    },
  };
}

/** An empty object could be the place of a field. */
function hasEmptyObject(template: readonly JsonPart[]): boolean {
  return template.some((part) => 'literal' in part && /\{\s*\}/.test(part.literal.toString('utf8')));
}

/** A value that no field reads: any scalar, strictly. */
function skipCode(run: (start: string, end: string, flags: string) => string): string {
  const plainWord = words.map((word) => `if(${matchesBytes('p', word)})p+=${word.length};else `).join('');
  return (
    `if(b[p]===34){q=p+1;${run('q', 'r', 'g')}if(b[r]!==34)break row;if((g&hi)!==0){if(!validLine(rs))break row;hi=0;}p=r+1;}` +
    `else if((b[p]-48>>>0)<=9&&!(b[p]===48&&(b[p+1]-48>>>0)<=9)){p++;while((b[p]-48>>>0)<=9)p++;if(b[p]===46||b[p]===101||b[p]===69)break row;}` +
    `else{${plainWord}break row;}`
  );
}
