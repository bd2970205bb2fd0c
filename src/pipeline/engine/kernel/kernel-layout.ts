/** Where everything is in the area that a kernel works in: addresses that its code holds, and that its state looks at. */
import type { CompiledFlow } from '../compile-flow.ts';
import { entryBytes, entrySlackBytes } from '../outcomes/siphash-module.ts';
import { type ElementType, elementShift, type PlacedArray } from '../script/script-world.ts';
import { kernelAt, windowAt } from '../window-memory.ts';
import { tripleCount } from './code-tables.ts';

/** Most currencies a kernel adds up; records in others take the slow path. */
export const currencySlots = 32;
/** Most route sets a kernel knows; records in others take the slow path. */
export const routeSetsMax = 64;
/** Route rules of mode `all` that are told apart by a bit mask. */
export const maskedRulesMax = 12;
/** Generated code may store up to this many bytes beyond a record's end. */
const stageSlackBytes = 64;
const stagesBytes = 1024 * 1024;
const stageBytesMax = 256 * 1024;
const keysBytesMax = 1024 * 1024;

export interface AreaArray extends PlacedArray {
  readonly length: number;
}

/** Of a target's stage, whose structure `T` points to: words, and one double in the last two. */
export const stageWord = { position: 0, limit: 1, stripeRecords: 2, bytes: 3, stripeFirst: 4 } as const;
export const stageWords = 6;

/** What a kernel leaves of a call, by word; `texts`: what it finds, where texts without their escapes may stand. */
export const stateWord = { at: 0, count: 1, keys: 2, valid: 3, filtered: 4, stopTarget: 5, stopEnd: 6, wasNull: 7, texts: 8 } as const;

export class KernelLayout {
  readonly arrays = new Map<string, AreaArray>();
  readonly constants: readonly AreaArray[];
  /** A call takes so many records at most. */
  readonly recordsMax: number;
  readonly keysMax: number;
  /** Of one target, without slack. */
  readonly stageBytes: number;
  readonly stagesAt: readonly number[];
  readonly entriesAt: number;
  #end = kernelAt;

  /** Null when it does not fit. */
  static of(
    flow: CompiledFlow,
    parts: { readonly bodies: number; readonly constants: readonly (Uint8Array | Int32Array)[] },
  ): KernelLayout | null {
    const layout = new KernelLayout(flow, parts);
    return layout.#end <= windowAt && layout.stageBytes >= 16 * 1024 ? layout : null;
  }

  private constructor(
    flow: CompiledFlow,
    { bodies, constants }: { readonly bodies: number; readonly constants: readonly (Uint8Array | Int32Array)[] },
  ) {
    const { routes, targets, records } = flow.plan;
    const sums = flow.sums.byType[flow.mainType]!.length;
    const keys = flow.hashedKeys.length;
    this.recordsMax = Math.max(
      1,
      Math.min(flow.stripeRecords, keys === 0 ? flow.stripeRecords : Math.floor(keysBytesMax / (keys * entryBytes))),
    );
    this.keysMax = Math.max(1, this.recordsMax * keys);
    this.#array('S', 'i32', Object.keys(stateWord).length);
    const fields = records[flow.mainType]!.fields.length;
    this.#array('P', 'i32', Math.max(2, fields * 2));
    this.#array('SL', 'i8', tripleCount + 1);
    this.#array('AC', 'f64', (routeSetsMax + 1) * sums * currencySlots);
    this.#array('AN', 'u32', (routeSetsMax + 1) * sums * currencySlots);
    this.#array('FS', 'i32', routes.rules.length + 1);
    this.#array('MS', 'i32', routes.mode === 'all' ? 2 ** Math.min(maskedRulesMax, routes.rules.length) : 1);
    this.#array('FT', 'i16', routeSetsMax * bodies);
    this.#array('MT', 'u8', routeSetsMax);
    this.#array('X.ends', 'i32', bodies);
    this.#array('FF', 'u8', fields);
    this.#array('FR', 'u8', flow.plan.rules.length);
    this.#array('FU', 'f64', fields);
    this.#array('ST', 'u8', this.recordsMax);
    this.#array('RS', 'u16', this.recordsMax);
    this.#array('OF', 'u32', this.recordsMax);
    this.#array('KC', 'u8', this.keysMax);
    this.#array('KP', 'u32', this.keysMax);
    this.#array('outs', 'i32', targets.length * stageWords);
    this.constants = constants.map((values, index) => this.#array(`c${index}`, values instanceof Uint8Array ? 'u8' : 'i32', values.length));
    this.entriesAt = this.#take(this.keysMax * entryBytes + entrySlackBytes);
    this.#array('results', 'u32', this.keysMax * 2);
    this.stageBytes = Math.min(stageBytesMax, Math.floor(stagesBytes / Math.max(1, targets.length)));
    this.stagesAt = targets.map(() => this.#take(this.stageBytes + stageSlackBytes));
  }

  #take(bytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + bytes) / 16) * 16;
    return at;
  }

  #array(name: string, type: ElementType, length: number): AreaArray {
    const placed = { address: this.#take(length << elementShift[type]), type, length };
    this.arrays.set(name, placed);
    return placed;
  }
}
