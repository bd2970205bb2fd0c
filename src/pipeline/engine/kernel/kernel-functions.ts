/**
 * What kernels call on bytes: codes from tables, code points, numbers, cells. They accept exactly what the slow path's checks
 * accept; what they don't accept goes there to be named. Positions of `b` are in the window, those of `B` in an output.
 */

import type { ScriptFunction } from '../script/compile.ts';
import { parseScript } from '../script/parse.ts';
import type { ValueType } from '../script/script-world.ts';

type Parameters = ScriptFunction['parameters'];
const ints = (...names: string[]): Parameters => names.map((name) => [name, 'int']);

interface FunctionText {
  readonly parameters: Parameters;
  readonly result: ValueType;
  readonly text: string;
}

const texts: Readonly<Record<string, FunctionText>> = {
  /** Index of three upper-case letters among all such codes, or -1. */
  triple: {
    parameters: ints('at'),
    result: 'int',
    text: `const f=b[at]-65,g=b[at+1]-65,h=b[at+2]-65;
      if((f>>>0)>25||(g>>>0)>25||(h>>>0)>25)return -1;
      return (f*26+g)*26+h;`,
  },
  isCurrency: { parameters: ints('at'), result: 'int', text: `const t=triple(at);if(t<0)return 0;return currencies[t];` },
  isCountry: {
    parameters: ints('at'),
    result: 'int',
    text: `const f=b[at]-65,g=b[at+1]-65;if((f>>>0)>25||(g>>>0)>25)return 0;return countries[f*26+g];`,
  },
  isLeap: { parameters: ints('year'), result: 'int', text: `return (year%4===0&&year%100!==0)||year%400===0;` },
  /** Code points of valid UTF-8. */
  codePoints: {
    parameters: ints('start', 'end'),
    result: 'int',
    text: `let count=0;for(let k=start;k<end;k++)if((b[k]&0xc0)!==0x80)count++;return count;`,
  },
  /** The unscaled value at `scale` of a checked decimal text of at most 15 digits, the scale's zeros included. */
  wide: {
    parameters: ints('start', 'end', 'scale'),
    result: 'double',
    text: `let k=start,value=0.0,missing=scale,fraction=0;
      const isNegative=b[k]===45;
      k+=isNegative;
      while(k<end){const d=b[k];if(d===46)fraction=1;else{value=value*10.0+(d-48);missing-=fraction;}k++;}
      while(missing>0){value=value*10.0;missing--;}
      return isNegative===1?0.0-value:value;`,
  },
  /** At least so many digits of a number from 0 to 10^16. */
  digits: {
    parameters: [...ints('B', 'o'), ['value', 'double'], ...ints('least')],
    result: 'int',
    text: `if(value<100000000.0&&least<=8)return o+digits8(B+o,int(value),least);
      const high=floor(value/100000000.0);
      const end=o+digits8(B+o,int(high),max(least-8,1));
      digits8(B+end,int(value-high*100000000.0),8);
      return end+8;`,
  },
  writeInteger: {
    parameters: [...ints('B', 'o'), ['value', 'double']],
    result: 'int',
    text: `if(value<0.0){B[o]=45;return digits(B,o+1,0.0-value,1);}return digits(B,o,value,1);`,
  },
  /** `value` is unscaled; exactly `scale` (1 to 14) digits follow the point. */
  writeDecimal: {
    parameters: [...ints('B', 'o'), ['value', 'double'], ...ints('scale')],
    result: 'int',
    text: `let at=o;
      if(value<0.0){B[at]=45;at++;}
      const end=digits(B,at+1,value<0.0?0.0-value:value,scale+1);
      const point=end-scale-1;
      while(at<point){B[at]=B[at+1];at++;}
      B[point]=46;
      return end;`,
  },
  /** Whether what stands from `start` to the next line feed is valid UTF-8 (Unicode, table 3-7); there is one. */
  validLine: {
    parameters: ints('start'),
    result: 'int',
    text: `let at=start;
      while(true){
        at=plain(at);
        const lead=b[at],second=b[at+1];
        if(lead===10)return 1;
        if(lead<0xc2||lead>0xf4)return 0;
        let low=0x80,high=0xbf;
        if(lead===0xe0)low=0xa0;
        if(lead===0xf0)low=0x90;
        if(lead===0xed)high=0x9f;
        if(lead===0xf4)high=0x8f;
        if(second<low||second>high)return 0;
        at+=2;
        if(lead>=0xe0){if((b[at]&0xc0)!==0x80)return 0;at++;}
        if(lead>=0xf0){if((b[at]&0xc0)!==0x80)return 0;at++;}
      }`,
  },
  /**
   * ASCII, and the letters of the Latin-1 Supplement, whose two cases are two bytes both, 0x20 apart in the second. -1 for everything
   * else, and for the two letters that grow (ß, ÿ). `kept` is a sign among the letters (÷ or ×).
   */
  changeCase: {
    parameters: ints('start', 'end', 'B', 'position', 'low', 'firstTail', 'lastTail', 'kept', 'flip'),
    result: 'int',
    text: `let o=position;
      for(let k=start;k<end;k++){
        const c=b[k];
        if(c<0x80){B[o]=(c-low>>>0)<26?c+flip:c;o++;}
        else{
          k++;
          const tail=b[k];
          if(c!==0xc3||tail===0xbf||(tail===0x9f&&flip<0))return -1;
          B[o]=0xc3;
          B[o+1]=tail>=firstTail&&tail<=lastTail&&tail!==kept?tail+flip:tail;
          o+=2;
        }
      }
      return o;`,
  },
  upper: { parameters: ints('start', 'end', 'B', 'o'), result: 'int', text: `return changeCase(start,end,B,o,0x61,0xa0,0xbe,0xb7,-0x20);` },
  lower: { parameters: ints('start', 'end', 'B', 'o'), result: 'int', text: `return changeCase(start,end,B,o,0x41,0x80,0x9e,0x97,0x20);` },
  /** Escapes `B[start, end)` in place as in a JSON string; -1 where a control character asks for more than a backslash. */
  escape: {
    parameters: ints('B', 'start', 'end'),
    result: 'int',
    text: `let more=0;
      for(let k=start;k<end;k++){const c=B[k];if(c<0x20)return -1;if(c===34||c===92)more++;}
      let to=end+more;
      for(let k=end-1;k>=start;k--){const c=B[k];to--;B[to]=c;if(c===34||c===92){to--;B[to]=92;}}
      return end+more;`,
  },
  /** Quotes `B[start, end)` in place where RFC 4180 asks for it; returns the new end. */
  cell: {
    parameters: ints('B', 'start', 'end', 'delimiter'),
    result: 'int',
    text: `if(start===end){B[start]=34;B[start+1]=34;return start+2;}
      let quotes=0,special=0;
      for(let k=start;k<end;k++){const c=B[k];if(c===34)quotes++;else if(c===delimiter||c===10||c===13)special=1;}
      if(quotes===0&&special===0)return end;
      let to=end+quotes+1;
      B[to]=34;
      for(let k=end-1;k>=start;k--){const c=B[k];to--;B[to]=c;if(c===34){to--;B[to]=34;}}
      B[start]=34;
      return end+quotes+2;`,
  },
  /** Pads `B[start, end)` to its column; -1 when it is too wide or holds a line end. */
  column: {
    parameters: ints('B', 'start', 'end', 'width', 'isLeft', 'pad'),
    result: 'int',
    text: `const missing=width-(end-start);
      if(missing<0)return -1;
      for(let k=start;k<end;k++)if(B[k]===10||B[k]===13)return -1;
      if(isLeft===1)B.fill(pad,end,start+width);
      else if(missing>0){B.copyWithin(start+missing,start,end);B.fill(pad,start,start+missing);}
      return start+width;`,
  },
};

/** Parsed once per thread. */
let parsed: readonly ScriptFunction[] | null = null;

export function kernelFunctions(): readonly ScriptFunction[] {
  parsed ??= Object.entries(texts).map(([name, { parameters, result, text }]) => ({ name, parameters, result, body: parseScript(text) }));
  return parsed;
}
