/**
 * The script that finds out why a kernel did not take a record: the same checks, field by field, on a record that is plain
 * ASCII with all its columns. Whatever it can't name for sure is for the slow path.
 */
import { isUntagged } from '../records/record-types.ts';
import type { ExpressionCode } from './expression-code.ts';
import { fieldCode, type TextLayout } from './field-code.ts';
import type { RecordLayout } from './record-layout.ts';
import type { SourceContext } from './source-context.ts';

/** Null for layouts that have no places known from the bytes alone, for several record types, and for numbers that are not text. */
export function inspectionCode(context: SourceContext, layout: RecordLayout, conditions: ExpressionCode): string | null {
  const { record, flow } = context;
  if (layout.cells === null || !isUntagged(flow.plan) || record.fields.some(({ usage }) => usage !== undefined)) return null;
  const rules = flow.plan.rules.filter((rule) => rule.scope === 'record');
  if (rules.some((rule) => rule.severity === 'warn')) return null;
  const variables = record.fields.map(
    (_, index) => `s${index}=0,e${index}=0,z${index}=0,a${index}=0,f${index}=0,u${index}=0.0,v${index}=0,D${index}=0`,
  );
  const cells = layout.cells((index) => checkCode(context, layout.reserved, index));
  const broken = rules.map((rule, index) => `if(!${conditions.condition(rule.assert)}){FR[${index}]=1;failed++;}else{FR[${index}]=0;}`);
  return `let p=start,rs=start,x=0,q=0,slow=0,failed=0,ok=0,hi=0${context.temporaries.map((name) => `,${name}=0`).join('')}${variables.map((each) => `,${each}`).join('')};
for(let k=start;k<end;k++){const c=b[k];if(c<32||c>127)return 0;}
${cells}
if(failed>0)return 1;
${broken.join('\n')}
if(slow===1||failed===0)return 0;
return 2;`;
}

/** Of the text from `s<i>` to `z<i>`. */
function checkCode(context: SourceContext, reserved: ReadonlySet<number>, index: number): string {
  const [s, z, e] = [`s${index}`, `z${index}`, `e${index}`];
  const field = context.field(index);
  const trim = field.trim ? `while(${s}<${z}&&b[${s}]===32)${s}++;while(${z}>${s}&&b[${z}-1]===32)${z}--;` : '';
  const none = context.isOptional(index) ? `a${index}=1;${e}=${s};FF[${index}]=0;` : `FF[${index}]=1;failed++;`;
  const bounded: TextLayout = {
    scan: () => `${e}=${z};`,
    bound: () => z,
    reserved,
  };
  const check = `ok=0;row:{${fieldCode(context, bounded, index)}if(${e}!==${z})break row;ok=1;}FF[${index}]=1-ok;if(ok===0)failed++;`;
  const amount = context.flow.sums.byType[context.flow.mainType]!.some((sum) => sum.field === index) ? `FU[${index}]=u${index};` : '';
  return `${trim}P[${2 * index}]=${s};P[${2 * index + 1}]=${z};if(${s}===${z}){${none}}else{${check}${amount}}`;
}
