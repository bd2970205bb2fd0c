/**
 * Assembles the script of a kernel: one loop that scans, validates, decides, writes and accounts for records, and stops where
 * something else has to happen (`stopReason`). It commits a record only when nothing about it is left to decide.
 */
import type { CompiledFlow } from '../compile-flow.ts';
import type { Expression } from '../expressions/expression.ts';
import { entryBytes, entryKeyAt, entryKeyMax } from '../outcomes/siphash-module.ts';
import { type BodyCode, bodyCode } from './body-code.ts';
import { delimitedLayout } from './delimited-layout.ts';
import { ExpressionCode } from './expression-code.ts';
import { endsApart, fieldCode, hasNumber } from './field-code.ts';
import { fixedWidthLayout } from './fixed-width-layout.ts';
import { canBeHeld } from './held-number-code.ts';
import { inspectionCode } from './inspection-source.ts';
import { jsonLayout } from './json-layout.ts';
import type { JsonPart } from './json-template.ts';
import { currencySlots, maskedRulesMax, routeSetsMax } from './kernel-layout.ts';
import type { RecordLayout } from './record-layout.ts';
import { inlineOutputs, SourceContext } from './source-context.ts';

/** Why a kernel returned. `slow`: the record at `state.at` needs the slow path or more bytes. */
export const stopReason = { end: 0, slow: 1, full: 2, flush: 3, room: 4 } as const;

/** Amounts beyond this take the slow path: 4,096 of them still add up exactly. */
export const amountMax = 1e12;

export interface KernelShape {
  readonly columns: readonly string[] | null;
  /** Of json-lines. */
  readonly template: readonly JsonPart[] | null;
}

export interface KernelSource {
  readonly code: string;
  /** Says why a record was not taken; null where that is not known from its bytes. */
  readonly inspection: string | null;
  readonly constants: SourceContext['constants'];
  readonly scans: SourceContext['scans'];
  readonly spans: SourceContext['spans'];
  readonly evaluated: SourceContext['evaluated'];
  /** Distinct bodies, and which one each target has. */
  readonly bodyOfTarget: readonly number[];
}

/** Null when the plan has no fast path in this shape: then every record takes the slow one. */
export function kernelSource(flow: CompiledFlow, shape: KernelShape): KernelSource | null {
  const { plan } = flow;
  const context = new SourceContext(flow);
  const layout = layoutOf(context, shape);
  const summed = flow.sums.byType[flow.mainType]!;
  if (layout === null || !endsApart(layout, context.record.fields) || !takesHeldNumbers(context, layout)) return null;
  if (summed.some(({ field }) => !hasNumber(context.field(field)))) return null;
  if (plan.routes.mode === 'all' && plan.routes.rules.length > maskedRulesMax) return null;
  const conditions = new ExpressionCode(context, layout.reserved);
  const outputs: Expression[] = [];
  for (const output of plan.output) outputs.push(inlineOutputs(output.value, outputs));
  const rules = plan.rules.filter((rule) => rule.scope === 'record').map((rule) => `if(!${conditions.condition(rule.assert)})break row;`);
  const filters = plan.filters.map((filter) => conditions.condition(filter.when));
  const routes = routesCode(flow, (when) => conditions.condition(inlineOutputs(when, outputs)));
  const forms = plan.targets.map((target) => JSON.stringify(target.body));
  const distinct = [...new Set(forms)];
  const isRaw = plan.format.type !== 'json-lines';
  const bodies = distinct.map((form) => bodyCode(context, conditions, plan.targets[forms.indexOf(form)]!.body, { outputs, isRaw }));
  if (bodies.some((body) => body === null)) return null;
  const parts: KernelParts = { context, layout, rules, filters, routes, bodies: bodies as BodyCode[] };
  return {
    inspection: inspectionCode(context, layout, conditions),
    code: assemble(parts),
    constants: context.constants,
    scans: context.scans,
    spans: context.spans,
    evaluated: context.evaluated,
    bodyOfTarget: forms.map((form) => distinct.indexOf(form)),
  };
}

/** Only where their ends are known, and where nothing asks for their text: the hash of a key does. */
function takesHeldNumbers({ record, flow }: SourceContext, layout: RecordLayout): boolean {
  const keyed = new Set(flow.hashedKeys.flatMap(({ fields }) => fields[flow.mainType] ?? []));
  return record.fields.every(
    (field, index) =>
      field.usage === undefined || (layout.bound(index) !== null && hasNumber(field) && canBeHeld(field) && !keyed.has(index)),
  );
}

function layoutOf(context: SourceContext, shape: KernelShape): RecordLayout | null {
  const { format } = context.flow.plan;
  switch (format.type) {
    case 'delimited':
      return delimitedLayout(context, format, shape.columns);
    case 'fixed-width':
      return fixedWidthLayout(context, format);
    case 'json-lines':
      return shape.template === null ? null : jsonLayout(context, format, shape.template);
  }
}

interface KernelParts {
  readonly context: SourceContext;
  readonly layout: RecordLayout;
  readonly rules: readonly string[];
  readonly filters: readonly string[];
  readonly routes: string;
  readonly bodies: readonly BodyCode[];
}

/** Sets `set`. Route sets of mode `first` are numbered before the first record, so the constants hold. */
function routesCode(flow: CompiledFlow, condition: (when: Expression) => string): string {
  const { routes } = flow.plan;
  if (routes.mode === 'first') {
    const branches = routes.rules.map((rule, index) => `if(${condition(rule.when)})set=${index};else `);
    return `${branches.join('')}set=${routes.rules.length};set=FS[set];`;
  }
  const bits = routes.rules.map((rule, index) => `if(${condition(rule.when)})mask|=${2 ** index};`);
  return `let mask=0;${bits.join('')}if(slow===1)break row;set=MS[mask];if(set<0)set=X.routeSetOf(mask);`;
}

function assemble(parts: KernelParts): string {
  const { context, layout, rules, filters, routes, bodies } = parts;
  const { record, flow } = context;
  const fields = record.fields.map((_, index) => `s${index}=0,e${index}=0,a${index}=0,f${index}=0,u${index}=0.0,v${index}=0,D${index}=0`);
  const starts = layout.startsElsewhere.map((byte) => `b[p]===${byte}`);
  const walk = layout.walk((index) => fieldCode(context, layout, index));
  const hashed = flow.hashedKeys.map((key, index) => hashCode(context, key.fields[flow.mainType] ?? null, index));
  const sums = flow.sums.byType[flow.mainType]!.map((sum, index) => slotCode(context, sum, index));
  const filterCode = filters.map((filter) => `if(${filter})isFiltered=1;else `).join('');
  const temporaries = context.temporaries.map((name) => `${name}=0`);
  return `let p=at,n=0,m=0,valid=0,filtered=0,reason=0,rs=p,slow=0,x=0,q=0,r=0,g=0,qt=0,en=0,lf=0,hi=0,cl=0,us=0,target=0,stop=0${temporaries.map((name) => `,${name}`).join('')};
while(p<until){
rs=p;slow=0;reason=1;hi=2;us=S.texts;
row:{
${starts.length === 0 ? '' : `if(${starts.join('||')})break row;`}
let set=0,isFiltered=0${fields.length > 0 ? `,${fields.join(',')}` : ''};
${walk}
if(lf-rs>limit)break row;
${rules.join('\n')}
if(slow===1)break row;
${filters.length > 0 ? `${filterCode}{}if(slow===1)break row;` : ''}
${sums.join('\n')}
if(isFiltered===0){
${routes}
if(slow===1||set<1||set>=${routeSetsMax})break row;
${deliverCode(bodies)}
}
valid+=1-isFiltered;filtered+=isFiltered;
${sumCode(flow)}
ST[n]=isFiltered===0?0:2;RS[n]=isFiltered===0?set:0;OF[n]=base+rs;
${hashed.join('\n')}
n++;p=lf+${layout.endBytes};
if(n===full){reason=2;rs=p;break;}
reason=0;rs=p;
continue;
}
break;
}
S.at=rs;S.stopTarget=target;S.stopEnd=stop;S.count=n;S.keys=m;S.valid=valid;S.filtered=filtered;
return reason;`;
}

/** Every body that the set's targets have, written at its first such target; further targets get a copy. */
function deliverCode(bodies: readonly BodyCode[]): string {
  const write = bodies.map(
    (body, index) =>
      `let i${index}=FT[set*${bodies.length}+${index}],o${index}=0;if(i${index}>=0){const T=outs[i${index}],B=T.bytes,D=T.view;let o=T.position;` +
      `if(o+${body.fixed}+${body.records}*(lf-rs)>CAPACITY){reason=3;target=i${index};break row;}` +
      `${body.code}if(slow===1)break row;if(o>T.limit){reason=4;target=i${index};stop=o;break row;}o${index}=o;}`,
  );
  const ends = bodies.map((_, index) => `X.ends[${index}]=o${index};`).join('');
  const commit = bodies.map(
    (_, index) =>
      `if(i${index}>=0){const T=outs[i${index}];T.position=o${index};const z=T.stripeRecords;T.stripeFirst=z===0?R:T.stripeFirst;T.stripeRecords=z+1;}`,
  );
  return `const R=first+n;\n${write.join('\n')}\nif(MT[set]===1){${ends}reason=X.fanOut(set,R);if(reason!==0){target=S.stopTarget;stop=S.stopEnd;break row;}}\n${commit.join('\n')}`;
}

/** Before anything is committed: where the amount is added, if there is one. */
function slotCode(
  context: SourceContext,
  sum: { readonly field: number; readonly currencyField: number | null },
  position: number,
): string {
  const { field, currencyField } = sum;
  const unknown = `SL[0]`;
  let slot = `k${position}=${unknown};`;
  if (currencyField !== null) {
    const present = context.isOptional(currencyField) ? `a${currencyField}===0&&` : '';
    slot += `if(${present}e${currencyField}-s${currencyField}===3&&(x=triple(s${currencyField}))>=0){k${position}=SL[x+1];if(k${position}<0)k${position}=X.slotOf(x);}`;
  }
  const code = `${slot}if(k${position}<0)k${position}=X.slotOf(-1);if(k${position}<0||u${field}>${amountMax}||u${field}<-${amountMax})break row;`;
  return `let k${position}=-1;${context.isOptional(field) ? `if(a${field}===0){${code}}` : code}`;
}

function sumCode(flow: CompiledFlow): string {
  const count = flow.sums.byType[flow.mainType]!.length;
  return flow.sums.byType[flow.mainType]!.map(
    ({ field }, position) =>
      `if(k${position}>=0){const y=((isFiltered===0?set:${routeSetsMax})*${count}+${position})*${currencySlots}+k${position};AC[y]+=u${field};AN[y]++;}`,
  ).join('\n');
}

/** Keys go into the batch, their values joined by NUL; a long one is hashed at once; absent ones leave no hash. */
function hashCode(context: SourceContext, fields: readonly number[] | null, key: number): string {
  if (fields === null || fields.length === 0) return '';
  const length = (field: number) => (context.isOptional(field) ? `(a${field}===1?0:e${field}-s${field})` : `(e${field}-s${field})`);
  const total = `${fields.map(length).join('+')}+${fields.length - 1}`;
  const copies = fields.map((field, index) => {
    const bytes = `{const w=${length(field)};for(let k=0;k<w;k+=8)KV.setFloat64(y+k,I.getFloat64(s${field}+k,true),true);y+=w;}`;
    return index === 0 ? bytes : `KV.setInt8(y++,0);${bytes}`;
  });
  const places = fields.map((field, index) => `P[${index * 2}]=s${field};P[${index * 2 + 1}]=s${field}+${length(field)};`).join('');
  const batched = `let y=m*${entryBytes};KV.setInt32(y,l,true);y+=${entryKeyAt};${copies.join('')}KC[m]=${key};KP[m]=2*n;m++;`;
  const hash = `{const l=${total};if(l<=${entryKeyMax}){${batched}}else{${places}X.hashPlaces(${fields.length},${key},n);}}`;
  const isAbsent = fields.map((field) => (context.isOptional(field) ? `a${field}===1` : 'false')).join('&&');
  return fields.every((field) => context.isOptional(field)) ? `if(!(${isAbsent}))${hash}` : hash;
}
