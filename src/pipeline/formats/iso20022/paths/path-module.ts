/**
 * The walker, as a WebAssembly module: goes from text to text of a message along the steps that were learned, checks each text and
 * takes note of what the rules want to hear of. It stops in front of the first text after which anything is other than it was
 * before, and leaves that to the reader: nothing that it passes over could have been a finding.
 */
import {
  advance,
  assign,
  get,
  int,
  leaveIf,
  type ModuleFunction,
  moduleBytes,
  place,
  repeat,
  unless,
} from '../../../engine/assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../../../engine/assembly/opcodes.ts';
import { type WebAssemblyMemory, webAssembly } from '../../../engine/assembly/web-assembly.ts';
import { digitsFunction } from '../../../engine/kernel/digits-function.ts';
import { ibanFunction } from '../../../engine/kernel/iban-function.ts';
import { kernelFunctions } from '../../../engine/kernel/kernel-functions.ts';
import { compileFunction, type ScriptFunction } from '../../../engine/script/compile.ts';
import { parseScript } from '../../../engine/script/parse.ts';
import type { CallableFunction, ScriptWorld, ValueType } from '../../../engine/script/script-world.ts';
import * as lines from './line-layout.ts';
import { lineArrays, lineFunctions, lineMembers, lineProperties, lineScripts, type ScriptText } from './line-script.ts';
import * as layout from './path-layout.ts';

/** Goes on from `place`, at whose text the window is at `at`; `end`: of what is there. Addresses. Returns how many events it noted. */
export type Walk = (at: number, end: number, place: number, currency: number) => number;

export interface PathExports {
  readonly walk: Walk;
  /** Line feeds. */
  readonly countFeeds: (from: number, to: number) => number;
}

/** Whether the text is one of the type with this number. */
export type AskCheck = (check: number, from: number, to: number) => number;

const fill = (byte: number): number[] => [...int(byte), ...vector.splat8];

/** `textEnd(at)`: the first byte from there on that is no printable ASCII, or is one of `<`, `&` and `>`. */
function textEndFunction(): ModuleFunction {
  const local = { at: 0, found: 1, bytes: 2 } as const;
  const special = [0x3c, 0x26, 0x3e].flatMap((byte) => [...get(local.bytes), ...fill(byte), ...vector.equal8, ...vector.or]);
  return {
    name: 'textEnd',
    parameters: [type.i32],
    results: [type.i32],
    locals: [
      [1, type.i32],
      [1, type.v128],
    ],
    code: [
      control.loop,
      control.noResult,
      ...assign(local.bytes, get(local.at), vector.load, place(0)),
      // Bytes from 0x80 on are negative.
      ...assign(local.found, get(local.bytes), fill(0x20), vector.lessSigned8, special, vector.bits8),
      ...unless(get(local.found), [...advance(local.at, 16), control.branch, 1]),
      ...[...get(local.at), ...get(local.found), opcode.trailingZerosI32, opcode.addI32, control.return],
      control.end,
      control.unreachable,
    ],
    isExported: false,
  };
}

/** `isSame(at, markup, markupEnd)`: whether the markup is there, mask by mask. */
function sameFunction(): ModuleFunction {
  const local = { at: 0, markup: 1, markupEnd: 2 } as const;
  const differs = [
    ...[...get(local.at), ...vector.load, ...place(0), ...get(local.markup), ...vector.load, ...place(0), ...vector.xor],
    ...[...get(local.markup), ...vector.load, ...place(16), ...vector.and, ...vector.anyTrue],
  ];
  return {
    name: 'isSame',
    parameters: [type.i32, type.i32, type.i32],
    results: [type.i32],
    locals: [],
    code: [
      control.loop,
      control.noResult,
      ...unless([...differs, opcode.eqzI32], [...int(0), control.return]),
      ...[...advance(local.at, 16), ...advance(local.markup, 32)],
      ...[...get(local.markup), ...get(local.markupEnd), opcode.lessSignedI32, control.branchIf, 0],
      control.end,
      ...[...int(1), control.return],
    ],
    isExported: false,
  };
}

/** `countFeeds(at, to)`: line feeds. */
function countFeedsFunction(): ModuleFunction {
  const local = { at: 0, to: 1, count: 2, bits: 3, left: 4 } as const;
  const rest = [...get(local.bits), ...int(1), ...get(local.left), opcode.shlI32, ...int(1), opcode.subI32, opcode.andI32];
  return {
    name: 'countFeeds',
    parameters: [type.i32, type.i32],
    results: [type.i32],
    locals: [[3, type.i32]],
    code: [
      ...repeat([
        ...assign(local.left, get(local.to), get(local.at), [opcode.subI32]),
        ...leaveIf([...get(local.left), ...int(1), opcode.lessSignedI32]),
        ...assign(local.bits, get(local.at), vector.load, place(0), fill(0x0a), vector.equal8, vector.bits8),
        ...unless([...int(15), ...get(local.left), opcode.lessSignedI32], assign(local.bits, rest)),
        ...assign(local.count, get(local.count), get(local.bits), [opcode.countOnesI32, opcode.addI32]),
        ...advance(local.at, 16),
      ]),
      ...[...get(local.count), control.return],
    ],
    isExported: true,
  };
}

const ints = (...names: string[]): ScriptFunction['parameters'] => names.map((name) => [name, 'int']);
const { kinds, reasons } = layout;

const scripts: readonly ScriptText[] = [
  ...lineScripts,
  {
    name: 'digitsEnd',
    parameters: ints('at'),
    text: `let k=at;while((b[k]-48>>>0)<10)k++;return k;`,
  },
  {
    /** As `textEnd`, and over characters of XML beyond ASCII (Unicode, table 3-7); their bytes but the first of each are counted. */
    name: 'textStop',
    parameters: ints('at'),
    text: `let k=textEnd(at);
      S.continuations=0;
      while(b[k]>127&&k-at<${layout.textBytesMax}){
        const lead=b[k],second=b[k+1];
        if(lead<0xc2||lead>0xf4)return k;
        let low=0x80,high=0xbf;
        if(lead===0xe0)low=0xa0;
        if(lead===0xf0)low=0x90;
        if(lead===0xed)high=0x9f;
        if(lead===0xf4)high=0x8f;
        if(second<low||second>high)return k;
        let size=2;
        if(lead>=0xe0){
          if((b[k+2]&0xc0)!==0x80||(lead===0xef&&second===0xbf&&b[k+2]>=0xbe))return k;
          size=3;
        }
        if(lead>=0xf0){if((b[k+3]&0xc0)!==0x80)return k;size=4;}
        S.continuations=S.continuations+size-1;
        k=textEnd(k+size);
      }
      return k;`,
  },
  {
    /** Of three upper-case letters; -1: something else. */
    name: 'triple',
    parameters: ints('at'),
    text: `const f=b[at]-65,g=b[at+1]-65,h=b[at+2]-65;
      if((f>>>0)>25||(g>>>0)>25||(h>>>0)>25)return -1;
      return (f*26+g)*26+h;`,
  },
  {
    /** Digits are all counted: a number that has too many zeros is left to the check of its type. */
    name: 'isDecimal',
    parameters: ints('place', 'at', 'to', 'currency'),
    text: `let k=digitsEnd(at);
      const whole=k-at;
      let fraction=0;
      if(k<to){
        if(b[k]!==46)return 0;
        const from=k+1;
        k=digitsEnd(from);
        fraction=k-from;
      }
      if(k!==to||whole===0||fraction>place.most||whole+fraction>place.least)return 0;
      if(place.currencies===0)return 1;
      if(currency<0)return 0;
      return fraction<=units[place.currencies+currency];`,
  },
  {
    /** To the 28th, which every month has. */
    name: 'isDate',
    parameters: ints('at', 'to'),
    text: `if(to-at!==10||b[at+4]!==45||b[at+7]!==45)return 0;
      if(digitsEnd(at)!==at+4||digitsEnd(at+5)!==at+7||digitsEnd(at+8)!==to)return 0;
      const month=(b[at+5]-48)*10+b[at+6]-48,day=(b[at+8]-48)*10+b[at+9]-48;
      return b[at]!==48&&month>=1&&month<=12&&day>=1&&day<=28;`,
  },
  {
    name: 'isLast',
    parameters: ints('place', 'at', 'length'),
    text: `if(length!==place.lastLength)return 0;
      for(let k=0;k<length;k++)if(b[at+k]!==b[place+${4 * layout.placeWord.last}+k])return 0;
      return 1;`,
  },
  {
    name: 'isRight',
    parameters: ints('place', 'at', 'to', 'currency'),
    text: `const length=to-at,kind=place.kind;
      if(length===0)return 0;
      if(kind===${kinds.text}){
        const characters=length-S.continuations;
        return characters>=place.least&&characters<=place.most;
      }
      if(kind===${kinds.decimal}){
        if(isDecimal(place,at,to,currency)!==0)return 1;
        if(place.currencies!==0)return 0;
        return X.ask(place.check,at,to);
      }
      if(isLast(place,at,length)!==0)return 1;
      if(kind===${kinds.iban}){if(iban(at,${layout.ibansAt})===length)return 1;}
      else if(kind===${kinds.date}){if(isDate(at,to)!==0)return 1;}
      if(X.ask(place.check,at,to)===0)return 0;
      if(length<=${layout.lastBytesMax}){
        place.lastLength=length;
        for(let k=0;k<length;k++)b[place+${4 * layout.placeWord.last}+k]=b[at+k];
      }
      return 1;`,
  },
  {
    name: 'walk',
    parameters: ints('first', 'end', 'firstPlace', 'firstCurrency'),
    text: `let at=first,place=firstPlace,currency=firstCurrency,events=0,reason=${reasons.other},line=S.line,lineFrom=S.lineFrom;
      while(true){
        if(events+2>${layout.eventsMax}){reason=${reasons.full};break;}
        const to=textStop(at);
        if(to>=end||b[to]!==60||to-at>${layout.textBytesMax})break;
        if(isRight(place,at,to,currency)===0)break;
        let step=place.first;
        while(step!==0){
          if(to+step.length<=end&&isSame(to,step.markup,step.markupEnd)!==0)break;
          step=step.next;
        }
        if(step===0)break;
        const isOn=L.isOn;
        if(isOn!==0){
          if(L.kept+to-at>${lines.valuesBytes})break;
          if(step.endsRecord!==0&&L.isNoted!==0)break;
          if(step.endsRecord+step.beginsRecord!==0&&hasRoom()===0){
            if(L.out!==${layout.linesAt + lines.writtenOffset})reason=${reasons.full};
            break;
          }
        }
        let hole=-1;
        if(step.currencyAt!==0){hole=triple(to+step.currencyAt);if(hole<0)break;}
        const counter=step.counter;
        let count=1;
        if(step.isAgain!==0){count=words[counter]+1;if(count>step.countMax)break;}
        words[counter]=count;
        if(place.isValued!==0){
          const e=events*${layout.eventWords};
          log[e]=place;log[e+1]=at;log[e+2]=to;log[e+3]=currency;log[e+4]=line;log[e+5]=lineFrom;
          events++;
        }
        if(step.isTold!==0){
          const e=events*${layout.eventWords};
          log[e]=step;log[e+1]=to;log[e+4]=line;log[e+5]=lineFrom;
          events++;
        }
        if(isOn!==0){
          if(place.flowField!==0)keepValue(place.flowField-1,at,to,currency);
          if(step.endsRecord!==0)endRecord();
          if(step.beginsGroup!==0)beginGroup();
          if(step.beginsRecord!==0)beginRecord(to+step.beginsRecord-1,line+step.recordFeeds);
        }
        const opened=step.openedCount;
        const list=step+${4 * layout.stepWord.opened};
        for(let k=0;k<opened;k++){
          const depth=counter+1+k;
          words[depth]=1;
          tags[depth]=to+list.getInt32(k*4);
        }
        line+=step.feeds;
        if(step.lineFrom!==0)lineFrom=to+step.lineFrom;
        at=to+step.length;
        place=step.target;
        currency=hole;
      }
      S.at=at;S.place=place;S.currency=currency;S.reason=reason;S.line=line;S.lineFrom=lineFrom;
      return events;`,
  },
];

/** Of a parameter of an assembled function, or of a script. */
const typeOf = (parameter: number | readonly [string, ValueType]): ValueType => (typeof parameter === 'number' ? 'int' : parameter[1]);
const asked: CallableFunction = { index: 0, parameters: ['int', 'int', 'int'], result: 'int' };

function compile(): Uint8Array<ArrayBuffer> {
  const assembled = [textEndFunction(), sameFunction(), ibanFunction(), countFeedsFunction(), digitsFunction(), ...lineFunctions()];
  const own = scripts.map(({ name, parameters, text }): ScriptFunction => ({ name, parameters, result: 'int', body: parseScript(text) }));
  const parsed = [...kernelFunctions().filter(({ name }) => name === 'digits'), ...own];
  const functions = new Map<string, CallableFunction>([['X.ask', asked]]);
  for (const { name, parameters } of [...assembled, ...parsed])
    functions.set(name, { index: functions.size, parameters: parameters.map(typeOf), result: 'int' });
  const world = worldOf(functions);
  const compiled = parsed.map((script): ModuleFunction => {
    const { locals, code } = compileFunction(script, world);
    return {
      name: script.name,
      parameters: script.parameters.map(([, each]) => (each === 'double' ? type.f64 : type.i32)),
      results: [type.i32],
      locals: locals.map((each) => [1, each === 'double' ? type.f64 : type.i32]),
      code,
      isExported: script.name === 'walk',
    };
  });
  const imports = [{ name: 'ask', parameters: [type.i32, type.i32, type.i32], results: [type.i32] }];
  return moduleBytes({ imports, functions: [...assembled, ...compiled] });
}

function worldOf(functions: ScriptWorld['functions']): ScriptWorld {
  const word = (words: Readonly<Record<string, number>>): (readonly [string, { readonly address: number; readonly type: 'i32' }])[] =>
    Object.entries(words).map(([name, index]) => [name, { address: 4 * index, type: 'i32' }]);
  return {
    arrays: new Map([
      ['b', { address: 0, type: 'u8' }],
      ['units', { address: 0, type: 'i8' }],
      ['words', { address: layout.countsAt, type: 'i32' }],
      ['tags', { address: layout.openedAt, type: 'i32' }],
      ['log', { address: layout.eventsAt, type: 'i32' }],
      ...lineArrays,
    ]),
    views: new Map(),
    structures: new Map(),
    members: new Map([...word(layout.placeWord), ...word(layout.stepWord), ...lineMembers]),
    properties: new Map([
      ...Object.entries(layout.stateWord).map(
        ([name, index]) => [`S.${name}`, { address: layout.stateAt + 4 * index, type: 'i32' }] as const,
      ),
      ...lineProperties,
    ]),
    constants: new Map(),
    functions,
  };
}

let module: object | null = null;

/** Over memory that is as `path-layout.ts` says. */
export function pathExports(memory: WebAssemblyMemory, ask: AskCheck): PathExports {
  module ??= new webAssembly.Module(compile());
  return new webAssembly.Instance(module, { engine: { memory, ask } }).exports as unknown as PathExports;
}
