/**
 * Instruction codes (field 23E) of one payment: which there are, in which order, together with which others, and with what
 * information. Source: Standards MT Category 1, MT 101 and MT 103, field 23E.
 */
import type { PaymentType } from './payment-rules.ts';
import type { SwiftRule } from './swift-rules.ts';

interface CodeSet {
  /** In the order in which they have to come where the type asks for one. */
  readonly codes: readonly string[];
  readonly isOrdered: boolean;
  readonly informed: ReadonlySet<string>;
  readonly repeatable: string | null;
  /** A code and those that it does not go with. */
  readonly excluded: ReadonlyMap<string, ReadonlySet<string>>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Both ways. */
function exclusions(pairs: Readonly<Record<string, string>>): ReadonlyMap<string, ReadonlySet<string>> {
  const excluded = new Map<string, Set<string>>();
  const add = (code: string, other: string) => void (excluded.get(code) ?? excluded.set(code, new Set()).get(code)!).add(other);
  for (const [code, others] of Object.entries(pairs)) {
    for (const other of others.split(' ')) {
      add(code, other);
      add(other, code);
    }
  }
  return excluded;
}

const requests: CodeSet = {
  codes: 'CHQB CMSW CMTO CMZB CORT EQUI INTC NETS OTHR PHON REPA RTGS URGP'.split(' '),
  isOrdered: false,
  informed: words('CMTO OTHR PHON REPA'),
  repeatable: 'OTHR',
  excluded: exclusions({
    CHQB: 'CMSW CMTO CMZB CORT NETS PHON REPA RTGS URGP',
    CMSW: 'CMTO CMZB',
    CMTO: 'CMZB',
    CORT: 'CMSW CMTO CMZB REPA',
    EQUI: 'CMSW CMTO CMZB',
    NETS: 'RTGS',
  }),
};

const transfers: CodeSet = {
  codes: 'SDVA INTC REPA CORT HOLD CHQB PHOB TELB PHON TELE PHOI TELI'.split(' '),
  isOrdered: true,
  informed: words('PHON PHOB PHOI TELE TELB TELI HOLD REPA'),
  repeatable: null,
  excluded: exclusions({
    SDVA: 'HOLD CHQB',
    INTC: 'HOLD CHQB',
    REPA: 'HOLD CHQB CORT',
    CORT: 'HOLD CHQB',
    HOLD: 'CHQB',
    PHOB: 'TELB',
    PHON: 'TELE',
    PHOI: 'TELI',
  }),
};

/** Of MT 103 STP (T48). */
const throughCodes: ReadonlySet<string> = words('CORT INTC REPA SDVA');

/** MT 202 has no field 23E. */
const sets: Readonly<Record<PaymentType, CodeSet | null>> = { '101': requests, '103': transfers, '202': null };

export class InstructionCodes {
  readonly #set: CodeSet | null;
  readonly #isThrough: boolean;
  #seen = new Set<string>();
  #last = -1;

  constructor(type: PaymentType, variant: string | null) {
    this.#set = sets[type];
    this.#isThrough = type === '103' && variant === 'STP';
  }

  get seen(): ReadonlySet<string> {
    return this.#seen;
  }

  /** For the next payment. */
  clear(): void {
    if (this.#seen.size > 0) this.#seen = new Set();
    this.#last = -1;
  }

  /** `hasInformation`: something follows the code. */
  take(code: string, hasInformation: boolean, tell: (rule: SwiftRule, message: string) => void): void {
    const set = this.#set;
    const place = set === null || (this.#isThrough && !throughCodes.has(code)) ? -1 : set.codes.indexOf(code);
    if (set === null || place < 0) {
      tell('instruction-code', 'the code is none of field 23E');
      return;
    }
    if (hasInformation && !set.informed.has(code)) tell('instruction-information', `the code ${code} takes no information`);
    if (this.#seen.has(code) && code !== set.repeatable) tell('instruction-repeated', `the code ${code} is there already`);
    if (set.isOrdered && place < this.#last) tell('instruction-order', `the code ${code} comes after one that it has to come before`);
    for (const other of this.#seen) {
      if (set.excluded.get(code)?.has(other)) tell('instruction-combination', `the code ${code} does not go with ${other}`);
    }
    this.#last = Math.max(this.#last, place);
    this.#seen.add(code);
  }
}
