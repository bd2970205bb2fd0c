/** Walks fixed-width records of exactly their width in ASCII; shorter, longer and multi-byte ones are left to the slow path. */
import { trimSpaces } from '../fields/field-reader.ts';
import { isHeldInBytes } from '../fields/held-numbers.ts';
import type { FixedWidthPlan } from '../plan.ts';
import { recordWidth } from '../records/fixed-width-reader.ts';
import { isUntagged } from '../records/record-types.ts';
import { isWithoutLineEnds } from '../records/window-bytes.ts';
import { lineEndCode, noLineEndCode, type RecordLayout, scanTable } from './record-layout.ts';
import { matchesBytes, type SourceContext } from './source-context.ts';

/** Null when a field lies beyond the record, or the tag is not ASCII. */
export function fixedWidthLayout(context: SourceContext, format: FixedWidthPlan): RecordLayout | null {
  const width = recordWidth(context.record, format);
  const ranges = context.record.fields.map((field) => ('start' in field.at ? field.at : { start: 0, length: 0 }));
  const tagRange = isUntagged(context.flow.plan) ? null : format.discriminator;
  if (!isUntagged(context.flow.plan) && tagRange === null) return null;
  if (width === 0 || ranges.some(({ start, length }) => start + length > width)) return null;
  if (tagRange !== null && tagRange.start + tagRange.length > width) return null;
  const hasLineEnds = !isWithoutLineEnds(format);
  const table = context.constant(scanTable([0x0a, 0x0d]));
  const plain = (from: string, to: string) => `g=0;for(q=${from};q<${to};q++)g|=${table}[b[q]];if(g>=16||(g&2)!==0)break row;`;
  return {
    scan: (index) =>
      `f${index}=0;for(q=s${index};q<z${index};q++)f${index}|=${table}[b[q]];if(f${index}>=16||(f${index}&2)!==0)break row;e${index}=z${index};`,
    bound: (index) => `z${index}`,
    reserved: new Set(),
    cells:
      tagRange !== null
        ? null
        : (check) => {
            const fields = ranges.map(
              ({ start, length }, index) => `s${index}=start+${start};z${index}=s${index}+${length};${check(index)}`,
            );
            return `if(end-start!==${width})return 0;${fields.join('')}`;
          },
    startsElsewhere: hasLineEnds ? [0x0a, 0x0d] : [],
    endBytes: hasLineEnds ? 1 : 0,
    walk: (fieldSource) => {
      let code = `if(rs+${width}${hasLineEnds ? '>=' : '>'}have)break row;`;
      for (const [index, { start, length }] of ranges.entries()) {
        const [s, z] = [`s${index}`, `z${index}`];
        const trim =
          context.field(index).trim && !isHeldInBytes(context.field(index))
            ? `while(${s}<${z}&&b[${s}]===32)${s}++;while(${z}>${s}&&b[${z}-1]===32)${z}--;`
            : '';
        const missing = context.isOptional(index) ? `a${index}=1;e${index}=${s};` : 'break row;';
        code += `${s}=rs+${start};let ${z}=${s}+${length};${trim}if(${s}===${z}){${missing}}else{${fieldSource(index)}if(e${index}!==${z})break row;}`;
      }
      if (tagRange !== null) code += tagCode(context.record.tag ?? '', tagRange);
      for (const gap of gapsOf(ranges, width)) code += plain(`rs+${gap.start}`, `rs+${gap.end}`);
      return `${code}p=rs+${width};${hasLineEnds ? lineEndCode : noLineEndCode}`;
    },
  };
}

/** The tag as it is usually written, left-aligned; one that is written otherwise is found by the slow path. */
function tagCode(tag: string, range: { readonly start: number; readonly length: number }): string {
  const bytes = Buffer.from(trimSpaces(tag).padEnd(range.length, ' '), 'utf8');
  return bytes.length === range.length ? `if(!(${matchesBytes(`rs+${range.start}`, bytes)}))break row;` : 'break row;';
}

/** Bytes that no field reads: they still must be valid text. */
function gapsOf(ranges: readonly { readonly start: number; readonly length: number }[], width: number): { start: number; end: number }[] {
  const gaps: { start: number; end: number }[] = [];
  let at = 0;
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    if (range.start > at) gaps.push({ start: at, end: range.start });
    at = Math.max(at, range.start + range.length);
  }
  if (at < width) gaps.push({ start: at, end: width });
  return gaps;
}
