/**
 * The part of the walker that keeps values and writes lines, as `flow-lines.ts` does: the same bytes for the same values. Texts
 * are copied sixteen bytes at a time, and byte by byte where one of them has to be escaped.
 */
import { advance, assign, get, int, leaveIf, type ModuleFunction, place, repeat, unless } from '../../../engine/assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../../../engine/assembly/opcodes.ts';
import type { ScriptFunction } from '../../../engine/script/compile.ts';
import type { PlacedArray } from '../../../engine/script/script-world.ts';
import * as lines from './line-layout.ts';
import { columnKinds, columnWord, columnWords, lineWord } from './line-layout.ts';
import { linesAt } from './path-layout.ts';

const fill = (byte: number): number[] => [...int(byte), ...vector.splat8];

/** `put(to, from, length)`: copies, and up to fifteen bytes more; gives the address behind what was copied. */
function putFunction(): ModuleFunction {
  const local = { to: 0, from: 1, length: 2, end: 3 } as const;
  return {
    name: 'put',
    parameters: [type.i32, type.i32, type.i32],
    results: [type.i32],
    locals: [[1, type.i32]],
    code: [
      ...assign(local.end, get(local.to), get(local.length), [opcode.addI32]),
      ...repeat([
        ...[...get(local.to), ...get(local.from), ...vector.load, ...place(0), ...vector.store, ...place(0)],
        ...[...advance(local.to, 16), ...advance(local.from, 16)],
        ...leaveIf([...get(local.end), ...get(local.to), opcode.lessEqualI32]),
      ]),
      ...[...get(local.end), control.return],
    ],
    isExported: false,
  };
}

/** `isPlain(at, to)`: no byte that JSON has to escape. */
function plainFunction(): ModuleFunction {
  const local = { at: 0, to: 1, bits: 2, left: 3, bytes: 4 } as const;
  const special = [
    ...[...get(local.bytes), ...fill(0x1f), ...vector.lessEqual8],
    ...[...get(local.bytes), ...fill(0x22), ...vector.equal8, ...vector.or],
    ...[...get(local.bytes), ...fill(0x5c), ...vector.equal8, ...vector.or],
  ];
  const rest = [...get(local.bits), ...int(1), ...get(local.left), opcode.shlI32, ...int(1), opcode.subI32, opcode.andI32];
  return {
    name: 'isPlain',
    parameters: [type.i32, type.i32],
    results: [type.i32],
    locals: [
      [2, type.i32],
      [1, type.v128],
    ],
    code: [
      ...repeat([
        ...assign(local.left, get(local.to), get(local.at), [opcode.subI32]),
        ...leaveIf([...get(local.left), ...int(1), opcode.lessSignedI32]),
        ...assign(local.bytes, get(local.at), vector.load, place(0)),
        ...assign(local.bits, special, vector.bits8),
        ...unless([...int(15), ...get(local.left), opcode.lessSignedI32], assign(local.bits, rest)),
        ...unless([...get(local.bits), opcode.eqzI32], [...int(0), control.return]),
        ...advance(local.at, 16),
      ]),
      ...[...int(1), control.return],
    ],
    isExported: false,
  };
}

export const lineFunctions = (): readonly ModuleFunction[] => [putFunction(), plainFunction()];

export interface ScriptText {
  readonly name: string;
  readonly parameters: ScriptFunction['parameters'];
  readonly text: string;
}

const ints = (...names: string[]): ScriptFunction['parameters'] => names.map((name) => [name, 'int']);
const { amount, credit, currency, date, debit, number, position } = columnKinds;

export const lineScripts: readonly ScriptText[] = [
  {
    name: 'isSpace',
    parameters: ints('byte'),
    text: `return byte===32||byte===10||byte===9||byte===13;`,
  },
  {
    name: 'trimmedFrom',
    parameters: ints('from', 'to'),
    text: `let k=from;while(k<to&&isSpace(b[k])!==0)k++;return k;`,
  },
  {
    name: 'trimmedTo',
    parameters: ints('from', 'to'),
    text: `let k=to;while(k>from&&isSpace(b[k-1])!==0)k--;return k;`,
  },
  {
    name: 'keepValue',
    parameters: ints('field', 'at', 'to', 'currency'),
    text: `if(starts[field]>=0)return 0;
      const from=L.kept;
      L.kept=put(${linesAt + lines.valuesOffset}+from,at,to-at)-${linesAt + lines.valuesOffset};
      starts[field]=from;
      ends[field]=L.kept;
      valid[field]=1;
      if(field<L.firstOfRecord){
        L.groupEnd=L.kept;
        if(field<L.firstGrouped)L.headerEnd=L.kept;
      }else if(amounts[field]!==0)L.currency=currency;
      return 0;`,
  },
  {
    name: 'forget',
    parameters: ints('first'),
    text: `const count=L.fields;for(let k=first;k<count;k++)starts[k]=0-1;return 0;`,
  },
  {
    name: 'beginGroup',
    parameters: [],
    text: `L.groups=L.groups+1;
      forget(L.firstGrouped);
      L.kept=L.headerEnd;
      L.groupEnd=L.headerEnd;
      return 0;`,
  },
  {
    name: 'beginRecord',
    parameters: ints('tag', 'line'),
    text: `forget(L.firstOfRecord);
      L.kept=L.groupEnd;
      L.currency=0-1;
      L.isOpen=1;
      let o=put(L.out,${linesAt + lines.beginOffset},L.beginLength);
      o=digits(0,o,line,1);
      o=put(o,${linesAt + lines.offsetOffset},L.offsetLength);
      L.out=digits(0,o,L.base+tag,1);
      return 0;`,
  },
  {
    /** The first letter of the side that the amount is on; 0: there is none. */
    name: 'side',
    parameters: [],
    text: `const field=L.side;
      if(field<0||starts[field]<0)return 0;
      const end=${linesAt + lines.valuesOffset}+ends[field];
      const from=trimmedFrom(${linesAt + lines.valuesOffset}+starts[field],end);
      return from===end?0:b[from];`,
  },
  {
    name: 'isThere',
    parameters: ints('column'),
    text: `const kind=column.kind;
      if(kind===${position})return 1;
      if(kind===${currency})return L.currency>=0;
      if(starts[column.field]<0)return 0;
      if(kind===${credit})return side()===67;
      if(kind===${debit})return side()===68;
      return 1;`,
  },
  {
    name: 'writeText',
    parameters: ints('o', 'from', 'to'),
    text: `b[o]=34;
      let end=o+1;
      if(isPlain(from,to)!==0)end=put(end,from,to-from);
      else for(let k=from;k<to;k++){
        const c=b[k];
        if(c<32){
          b[end]=92;b[end+1]=117;b[end+2]=48;b[end+3]=48;b[end+4]=48+(c>>4);
          const low=c&15;
          b[end+5]=low<10?48+low:87+low;
          end+=6;
        }else{
          if(c===34||c===92){b[end]=92;end++;}
          b[end]=c;
          end++;
        }
      }
      b[end]=34;
      return end+1;`,
  },
  {
    /** In its canonical form: no plus sign, no zeros before it or at the end of its fraction. */
    name: 'writeDecimal',
    parameters: ints('o', 'from', 'to'),
    text: `let start=from,end=o,last=to;
      if(b[start]===45){b[end]=45;end++;}
      if(b[start]===45||b[start]===43)start++;
      while(start+1<to&&b[start]===48&&b[start+1]!==46)start++;
      if(start===to||b[start]===46){b[end]=48;end++;}
      let point=start;
      while(point<to&&b[point]!==46)point++;
      if(point<to){
        while(b[last-1]===48)last--;
        if(b[last-1]===46)last--;
      }
      return put(end,start,last-start);`,
  },
  {
    name: 'writeCurrency',
    parameters: ints('o'),
    text: `const code=L.currency;
      b[o]=34;
      b[o+1]=65+code/676;
      b[o+2]=65+code/26%26;
      b[o+3]=65+code%26;
      b[o+4]=34;
      return o+5;`,
  },
  {
    name: 'writeValue',
    parameters: ints('o', 'column'),
    text: `const kind=column.kind;
      if(kind===${position})return digits(0,o,L.groups,1);
      if(kind===${currency})return writeCurrency(o);
      const field=column.field;
      const start=${linesAt + lines.valuesOffset}+starts[field];
      const end=${linesAt + lines.valuesOffset}+ends[field];
      const isAmount=kind===${amount}||kind===${credit}||kind===${debit};
      if(kind===${columnKinds.text}||(valid[field]===0&&isAmount===0))return writeText(o,start,end);
      const from=trimmedFrom(start,end);
      const to=trimmedTo(from,end);
      if(kind===${date})return writeText(o,from,min(to,from+10));
      if(kind===${number}||valid[field]!==0)return writeDecimal(o,from,to);
      return writeText(o,from,to);`,
  },
  {
    name: 'endRecord',
    parameters: [],
    text: `let o=L.out;
      const first=${linesAt + lines.columnsOffset};
      const last=first+L.columns*${4 * columnWords};
      let column=first;
      while(column<last){
        const from=column.from;
        let to=from;
        while(column<last&&isThere(column)===0){to=column.to;column+=${4 * columnWords};}
        if(to>from)o=put(o,${linesAt + lines.templateOffset}+from,to-from);
        if(column<last){
          o=put(o,${linesAt + lines.templateOffset}+column.from,column.to-column.from-4);
          o=writeValue(o,column);
          column+=${4 * columnWords};
        }
      }
      b[o]=125;
      b[o+1]=10;
      L.out=o+2;
      L.whole=o+2;
      L.isOpen=0;
      return 0;`,
  },
  {
    /** Room for the line of the open record, whatever has to be escaped, and for the beginning of the next. */
    name: 'hasRoom',
    parameters: [],
    text: `return L.out+L.templateLength+6*L.kept+4096<${linesAt + lines.writtenOffset + lines.writtenBytes};`,
  },
];

export const lineArrays: readonly (readonly [string, PlacedArray])[] = [
  ['starts', { address: linesAt + lines.startsOffset, type: 'i32' }],
  ['ends', { address: linesAt + lines.endsOffset, type: 'i32' }],
  ['valid', { address: linesAt + lines.validOffset, type: 'i32' }],
  ['amounts', { address: linesAt + lines.amountsOffset, type: 'i32' }],
];

export const lineProperties: readonly (readonly [string, PlacedArray])[] = Object.entries(lineWord).map(([name, word]) => [
  `L.${name}`,
  { address: linesAt + 4 * word, type: name === 'base' ? 'f64' : 'i32' },
]);

export const lineMembers: readonly (readonly [string, PlacedArray])[] = Object.entries(columnWord).map(([name, word]) => [
  name,
  { address: 4 * word, type: 'i32' },
]);
