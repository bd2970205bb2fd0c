import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleBytes } from '../assembly/module-bytes.ts';
import { type as wasmType } from '../assembly/opcodes.ts';
import { webAssembly } from '../assembly/web-assembly.ts';
import { compileFunction } from './compile.ts';
import { parseScript } from './parse.ts';
import type { ScriptWorld } from './script-world.ts';

const bytesAt = 64;
const doublesAt = 256;
const world: ScriptWorld = {
  arrays: new Map([
    ['b', { address: bytesAt, type: 'u8' }],
    ['signed', { address: bytesAt, type: 'i8' }],
    ['d', { address: doublesAt, type: 'f64' }],
  ]),
  views: new Map([['I', bytesAt]]),
  structures: new Map([['rows', { address: 512, bytes: 16 }]]),
  members: new Map([['count', { address: 4, type: 'i32' }]]),
  properties: new Map([['S.at', { address: 600, type: 'i32' }]]),
  constants: new Map([['SEVEN', 7]]),
  functions: new Map([['self', { index: 0, parameters: ['int', 'int'], result: 'int' }]]),
};

/** Runs a script with two integers. */
function run(text: string, x = 0, y = 0, bytes: Uint8Array = new Uint8Array(0)): number {
  const { locals, code } = compileFunction(
    {
      name: 'run',
      parameters: [
        ['x', 'int'],
        ['y', 'int'],
      ],
      result: 'int',
      body: parseScript(text),
    },
    world,
  );
  const module = moduleBytes({
    functions: [
      {
        name: 'run',
        parameters: [wasmType.i32, wasmType.i32],
        results: [wasmType.i32],
        locals: locals.map((type) => [1, type === 'double' ? wasmType.f64 : wasmType.i32]),
        code,
        isExported: true,
      },
    ],
  });
  const memory = new webAssembly.Memory({ initial: 1 });
  new Uint8Array(memory.buffer).set(bytes, bytesAt);
  const instance = new webAssembly.Instance(new webAssembly.Module(module), { engine: { memory } });
  return (instance.exports['run'] as (x: number, y: number) => number)(x, y);
}

const operators = ['+', '-', '*', '&', '|', '^', '<<', '>>', '===', '!==', '<', '<=', '>', '>='] as const;

/** The same expression over `x` and `y` in both languages. */
interface Pair {
  readonly script: string;
  readonly js: string;
}

const same = (text: string): Pair => ({ script: text, js: text });
const expression = fc.letrec<{ node: Pair }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('x', 'y', '3', '250', '(-7)').map(same),
    fc.tuple(tie('node'), fc.constantFrom(...operators), tie('node')).map(([left, operator, right]) => ({
      script: `(${left.script}${operator}${right.script})`,
      js: operator === '*' ? `Math.imul(${left.js},${right.js})` : `((${left.js}${operator}${right.js})|0)`,
    })),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([test, yes, no]) => ({
      script: `(${test.script}?${yes.script}:${no.script})`,
      js: `(${test.js}?${yes.js}:${no.js})`,
    })),
    fc.tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node')).map(([left, operator, right]) => ({
      script: `(${left.script}!==0${operator}${right.script}!==0)`,
      js: `(${left.js}!==0${operator}${right.js}!==0?1:0)`,
    })),
    tie('node').map(({ script, js }) => ({ script: `(~${script})`, js: `(~${js})` })),
    tie('node').map(({ script, js }) => ({ script: `(-${script})`, js: `((-${js})|0)` })),
    tie('node').map(({ script, js }) => ({ script: `(!${script})`, js: `(${js}?0:1)` })),
  ),
})).node;

describe('a script', () => {
  it('computes what JavaScript does with integers that wrap', () => {
    fc.assert(
      fc.property(expression, fc.integer(), fc.integer(), ({ script, js }, x, y) => {
        const expected = new Function('x', 'y', `return (${js})|0`)(x, y) as number;
        expect(run(`return ${script};`, x, y)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('tells unsigned integers by their shift', () => {
    expect(run('return (x>>>0)>9;', -1)).toBe(1);
    expect(run('return x>9;', -1)).toBe(0);
    expect(run('return (x-48>>>0)<=9;', 47)).toBe(0);
  });

  it('keeps doubles apart, and turns integers into them where both meet', () => {
    expect(run('let u=0.5;u=u+x;d[1]=u;return int(d[1]*2.0);', 3)).toBe(7);
    expect(run('const big=3000000000;return int(floor(big/1000000000.0));')).toBe(3);
    expect(() => run('let n=0;n=0.5;return n;')).toThrow(/double/);
  });

  it('leaves loops and labelled blocks where it says', () => {
    expect(run('let sum=0;for(let k=0;k<x;k++){if(k===3)continue;if(k===6)break;sum+=k;}return sum;', 10)).toBe(0 + 1 + 2 + 4 + 5);
    expect(run('let n=0;row:{while(true){n++;if(n>4)break row;}}return n;')).toBe(5);
    expect(run('let n=1;row:{if(x>0&&y>0||x===y)break row;n=2;}return n;', 1, 1)).toBe(1);
    expect(run('let n=1;row:{if(!(x>0&&y>0))break row;n=2;}return n;', 1, -1)).toBe(1);
  });

  it('has names of blocks only inside them', () => {
    expect(run('let n=1;{let n=5;n++;}return n;')).toBe(1);
    expect(() => run('{let n=5;}return n;')).toThrow(/knows no n/);
  });

  it('reaches memory by arrays, views, structures and pointers', () => {
    const bytes = Uint8Array.from([1, 2, 3, 255, 5, 6, 7, 8]);
    expect(run('return b[x]+b[x+2]+signed[3];', 1, 0, bytes)).toBe(2 + 255 - 1);
    expect(run('return I.getInt32(x,true);', 4, 0, bytes)).toBe(0x08070605);
    expect(run('I.setFloat64(16,I.getFloat64(0,true),true);return b[19];', 0, 0, bytes)).toBe(255);
    expect(run('const T=rows[x];T.count=4;T.count=T.count+SEVEN;const U=rows[1];return U.count;', 1)).toBe(11);
    expect(run('S.at=x;S.at+=y;return S.at;', 40, 2)).toBe(42);
    expect(run('const B=x;let o=0;B[o++]=7;B[o++]=8;B.copyWithin(2,0,2);B.fill(9,4,6);return b[0]+b[3]*10+b[5]*100;', bytesAt)).toBe(987);
    expect(run('b[x]+=3;b[x]++;return b[x];', 2, 0, bytes)).toBe(7);
  });

  it('calls functions', () => {
    expect(run('if(x===0)return y;return self(x-1,y+x);', 4, 0)).toBe(10);
    expect(run('return min(x,y)*100+max(x,y);', 3, 2)).toBe(203);
  });

  it.each(['let a=;', 'if(x return 1;', 'return x ? 1;', '1=x;', 'return "x";', 'return z;', 'break;', 'return x.y();'])(
    'is refused when it is none: %s',
    (text) => {
      expect(() => run(text)).toThrow();
    },
  );
});
