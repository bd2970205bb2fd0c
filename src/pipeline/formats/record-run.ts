/**
 * Runs over whole records that hold nothing unusual, many at a time: a WebAssembly function that looks for line feeds and quotes, 16
 * bytes a step, and counts records. It stops before a record of which it can't say where it ends or how it counts; a scanner takes that one.
 */
import { advance, assign, get, int, type ModuleFunction, moduleBytes, place, unless } from '../engine/assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../engine/assembly/opcodes.ts';
import { pageBytes, type WebAssemblyMemory, webAssembly } from '../engine/assembly/web-assembly.ts';
import { compileFunction } from '../engine/script/compile.ts';
import { parseScript } from '../engine/script/parse.ts';

/** Bytes; null: there is none. */
export interface RunRules {
  readonly delimiter: number | null;
  /** Doubled inside quotes, it is content. */
  readonly quote: number | null;
  readonly comment: number | null;
}

const blockBytes = 64 * 1024;
/** Scans look so far beyond the last byte. */
const slackBytes = 64;
/** What a call leaves is in front of the block. */
const blockAt = 64;
const lineFeed = 10;
const noByte = -1;
const reason = { reached: 0, more: 1, unusual: 2 } as const;
/** A run of so many records was worth its copy. */
const worthRecords = 32;
/** Among unusual records nothing is copied for so many of them, or twice as many as the last time. */
const pauseMin = 16;
const pauseMax = 4_096;

type Run = (at: number, until: number, have: number, limit: number) => number;

export class RecordRun {
  /** Of the last call. */
  records = 0;
  readonly #limit: number;
  readonly #block: Buffer;
  readonly #left: Int32Array;
  readonly #run: Run;
  readonly #sentinels: Buffer;
  #pause = pauseMin;
  #paused = 0;

  constructor(rules: RunRules, maxRecordBytes: number) {
    const memory = new webAssembly.Memory({ initial: Math.ceil((blockAt + blockBytes + slackBytes) / pageBytes) });
    this.#limit = Math.min(maxRecordBytes, blockBytes);
    this.#block = Buffer.from(memory.buffer, blockAt);
    this.#left = new Int32Array(memory.buffer, 0, 2);
    this.#run = compile(rules, memory);
    // Whatever is looked for is there.
    this.#sentinels = Buffer.alloc(slackBytes, rules.quote ?? lineFeed);
    this.#sentinels[0] = lineFeed;
  }

  /** Takes records from `from` on, none that starts at `until` or later; returns where the next one starts. */
  over(bytes: Buffer, from: number, until: number): number {
    this.records = 0;
    if (this.#paused > 0) {
      this.#paused--;
      return from;
    }
    let start = from;
    while (start < until) {
      const have = Math.min(blockBytes, bytes.length - start);
      bytes.copy(this.#block, 0, start, start + have);
      this.#sentinels.copy(this.#block, have);
      const at = this.#run(0, Math.min(have, until - start), have, this.#limit);
      this.records += this.#left[0]!;
      start += at;
      if (this.#left[1] === reason.unusual || at === 0) {
        this.#rest();
        break;
      }
      if (start + blockBytes > bytes.length && this.#left[1] === reason.more) break;
    }
    return start;
  }

  #rest(): void {
    this.#pause = this.records >= worthRecords ? pauseMin : Math.min(pauseMax, this.#pause * 2);
    if (this.records < worthRecords) this.#paused = this.#pause;
  }
}

function compile(rules: RunRules, memory: WebAssemblyMemory): Run {
  const quote = rules.quote === null ? [] : [rules.quote];
  const seeks = [seek('mark', [lineFeed, ...quote]), seek('close', quote.length === 0 ? [lineFeed] : quote)];
  const ints = (names: readonly string[]) => names.map((name) => [name, 'int'] as const);
  const script = {
    name: 'run',
    parameters: ints(['at', 'until', 'have', 'limit']),
    result: 'int' as const,
    body: parseScript(runText(rules)),
  };
  const none = new Map();
  const { locals, code } = compileFunction(script, {
    arrays: new Map([
      ['b', { address: blockAt, type: 'u8' as const }],
      ['left', { address: 0, type: 'i32' as const }],
    ]),
    functions: new Map(seeks.map(({ name }, index) => [name, { index, parameters: ['int' as const], result: 'int' as const }])),
    members: none,
    views: none,
    structures: none,
    properties: none,
    constants: none,
  });
  const run: ModuleFunction = {
    name: 'run',
    parameters: script.parameters.map(() => type.i32),
    results: [type.i32],
    locals: locals.map((each) => [1, each === 'double' ? type.f64 : type.i32]),
    code,
    isExported: true,
  };
  const module = new webAssembly.Module(moduleBytes({ functions: [...seeks, run] }));
  return new webAssembly.Instance(module, { engine: { memory } }).exports['run'] as Run;
}

/** A quote opens a field at its start only, and nothing but a delimiter or a line end may follow the one that closes it. */
function runText({ delimiter, quote, comment }: RunRules): string {
  const [d, q] = [delimiter ?? noByte, quote ?? noByte];
  const quoted = `while(b[p]===${q}&&p<have){
      if(p>start&&b[p-1]!==${d})break row;
      p=close(p+1);
      while(p<have&&b[p+1]===${q})p=close(p+2);
      p++;
      if(p>=have){reason=${reason.more};break row;}
      if(b[p]!==${d}&&b[p]!==10&&(b[p]!==13||b[p+1]!==10))break row;
      p=mark(p);
    }`;
  return `let start=at,p=at,n=0,reason=${reason.reached};
    while(start<until){
      reason=${reason.unusual};
      row:{
        ${comment === null ? '' : `if(b[start]===${comment})break row;`}
        p=mark(start);
        ${quote === null ? '' : quoted}
        if(p>=have){reason=${reason.more};break row;}
        if(p-start>limit||p===start||(p===start+1&&b[start]===13))break row;
        n++;
        start=p+1;
        reason=${reason.reached};
        continue;
      }
      break;
    }
    left[0]=n;left[1]=reason;
    return start;`;
}

const local = { at: 0, found: 1, bytes: 2 } as const;

/** `name(start)`: where the first of these bytes stands. */
function seek(name: string, wanted: readonly number[]): ModuleFunction {
  const equal = (byte: number) => [...get(local.bytes), ...int(byte), ...vector.splat8, ...vector.equal8];
  const members = wanted.flatMap((byte, index) => [...equal(byte), ...(index === 0 ? [] : vector.or)]);
  return {
    name,
    parameters: [type.i32],
    results: [type.i32],
    locals: [
      [1, type.i32],
      [1, type.v128],
    ],
    code: [
      control.loop,
      control.noResult,
      ...assign(local.bytes, get(local.at), vector.load, place(blockAt)),
      ...assign(local.found, members, vector.bits8),
      ...unless(get(local.found), [...advance(local.at, 16), control.branch, 1]),
      ...[...get(local.at), ...get(local.found), opcode.trailingZerosI32, opcode.addI32, control.return],
      control.end,
      control.unreachable,
    ],
    isExported: false,
  };
}
