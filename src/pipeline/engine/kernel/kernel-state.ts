/** A running kernel's area as its callers see it: tables, columns and stages at the places that its code holds. */
import type { TargetOutput } from '../bodies/target-output.ts';
import type { WindowMemory } from '../window-memory.ts';
import { type KernelLayout, stageWord, stageWords, stateWord } from './kernel-layout.ts';

export class KernelState {
  readonly layout: KernelLayout;
  readonly window: WindowMemory;
  #all: Buffer | null = null;
  #state!: Int32Array;
  places!: Int32Array;
  /** Slot of the unknown currency, then of every letter triple; -1: none yet. */
  slots!: Int8Array;
  sums!: Float64Array;
  sumCounts!: Uint32Array;
  firstSets!: Int32Array;
  maskSets!: Int32Array;
  firstTargets!: Int16Array;
  isMulti!: Uint8Array;
  /** Ends of the bodies written for the record at hand. */
  ends!: Int32Array;
  /** By field: 1 where the inspected record's text is not accepted. */
  failedFields!: Uint8Array;
  /** By record rule: 1 where it does not hold. */
  failedRules!: Uint8Array;
  /** By summed field: the inspected record's unscaled number. */
  numbers!: Float64Array;
  status!: Uint8Array;
  routeSet!: Uint16Array;
  offset!: Uint32Array;
  keyColumns!: Uint8Array;
  keyPlaces!: Uint32Array;
  keyResults!: Uint32Array;
  #stages!: Int32Array;
  #stageDoubles!: Float64Array;

  constructor(layout: KernelLayout, window: WindowMemory) {
    this.layout = layout;
    this.window = window;
    this.look();
    this.slots.fill(-1);
    this.sums.fill(0);
    this.sumCounts.fill(0);
    this.firstSets.fill(-1);
    this.maskSets.fill(-1);
    this.firstTargets.fill(-1);
    this.isMulti.fill(0);
    for (const [target, at] of layout.stagesAt.entries()) this.#stages[target * stageWords + stageWord.bytes] = at;
  }

  /** Again after the window has grown. */
  look(): void {
    const { all } = this.window;
    if (all === this.#all) return;
    this.#all = all;
    const buffer = all.buffer as ArrayBuffer;
    const { arrays } = this.layout;
    const view = <View>(name: string, make: new (buffer: ArrayBuffer, at: number, length: number) => View): View => {
      const { address, length } = arrays.get(name)!;
      return new make(buffer, address, length);
    };
    this.#state = view('S', Int32Array);
    this.places = view('P', Int32Array);
    this.slots = view('SL', Int8Array);
    this.sums = view('AC', Float64Array);
    this.sumCounts = view('AN', Uint32Array);
    this.firstSets = view('FS', Int32Array);
    this.maskSets = view('MS', Int32Array);
    this.firstTargets = view('FT', Int16Array);
    this.isMulti = view('MT', Uint8Array);
    this.ends = view('X.ends', Int32Array);
    this.failedFields = view('FF', Uint8Array);
    this.failedRules = view('FR', Uint8Array);
    this.numbers = view('FU', Float64Array);
    this.status = view('ST', Uint8Array);
    this.routeSet = view('RS', Uint16Array);
    this.offset = view('OF', Uint32Array);
    this.keyColumns = view('KC', Uint8Array);
    this.keyPlaces = view('KP', Uint32Array);
    this.keyResults = view('results', Uint32Array);
    this.#stages = view('outs', Int32Array);
    this.#stageDoubles = new Float64Array(buffer, this.#stages.byteOffset, this.#stages.length / 2);
  }

  get(name: keyof typeof stateWord): number {
    return this.#state[stateWord[name]]!;
  }

  set(name: keyof typeof stateWord, value: number): void {
    this.#state[stateWord[name]] = value;
  }

  stage(target: number, member: 'position' | 'limit' | 'stripeRecords'): number {
    return this.#stages[target * stageWords + stageWord[member]]!;
  }

  /** Empty, for records that the target still has room for. */
  openStage(target: number, output: TargetOutput, stripeBytesMax: number): void {
    const at = target * stageWords;
    this.#stages[at + stageWord.position] = 0;
    this.#stages[at + stageWord.limit] = Math.min(this.layout.stageBytes, stripeBytesMax - output.stripeBytes);
    this.#stages[at + stageWord.stripeRecords] = output.stripeRecords;
    this.#stageDoubles[(at + stageWord.stripeFirst) / 2] = output.stripeFirst;
  }

  /** Moves what is in the stage to the target. */
  closeStage(target: number, output: TargetOutput): void {
    const at = target * stageWords;
    const length = this.#stages[at + stageWord.position]!;
    if (length === 0) return;
    const start = this.layout.stagesAt[target]!;
    output.appendBytes(this.window.all, start, start + length);
    output.stripeRecords = this.#stages[at + stageWord.stripeRecords]!;
    output.stripeFirst = this.#stageDoubles[(at + stageWord.stripeFirst) / 2]!;
  }

  /** Appends bytes of one stage, from its position to `end`, to another one. */
  copyStage(from: number, to: number, end: number, record: number): void {
    const { stagesAt } = this.layout;
    const start = this.stage(from, 'position');
    const at = to * stageWords;
    const position = this.#stages[at + stageWord.position]!;
    this.window.all.copyWithin(stagesAt[to]! + position, stagesAt[from]! + start, stagesAt[from]! + end);
    this.#stages[at + stageWord.position] = position + end - start;
    const stripeRecords = this.#stages[at + stageWord.stripeRecords]!++;
    if (stripeRecords === 0) this.#stageDoubles[(at + stageWord.stripeFirst) / 2] = record;
  }
}
