import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChunkSpec } from './chunk.ts';
import { compileFlow } from './compile-flow.ts';
import type { FieldPlan, Plan } from './plan.ts';
import {
  delimitedFormat,
  fieldPlan,
  outputField,
  paymentColumns,
  paymentsPlan,
  planOf,
  recordField,
  recordPlan,
  targetPlan,
} from './plans.fixture.ts';
import { publicHashKey, runOpenRange } from './run-chunk.ts';
import { describeRun, memorySource, runInMemory } from './runs.fixture.ts';

const column = (index: number) => ({ column: index, header: null });
const both = ['slow', 'fast'] as const;

function textPlan(fields: readonly FieldPlan[], more: Partial<Plan> = {}): Plan {
  return planOf({ format: delimitedFormat, records: [recordPlan(fields)], ...more });
}

const pairPlan = textPlan([fieldPlan('a', 'string', column(0)), fieldPlan('b', 'string', column(1))]);

describe('a chunk', () => {
  it('gives the same result for every size of the read buffer', () => {
    const texts = ['a,b', '"a\n1","b\r\n2"', 'é,"""q"""', '', 'x,"y"z', 'long,'.padEnd(40, 'z'), '\u{1d11e},a'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...texts), { maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(...both),
        fc.boolean(),
        (lines, blockBytes, path, isEnded) => {
          const bytes = Buffer.from(lines.join('\n') + (isEnded ? '\n' : ''), 'utf8');
          const whole = describeRun(runInMemory({ plan: pairPlan, bytes }, { path: 'slow' }));
          expect(describeRun(runInMemory({ plan: pairPlan, bytes }, { path, blockBytes }))).toEqual(whole);
        },
      ),
    );
  });

  it('takes records of one byte that follow each other', () => {
    const one = fieldPlan('a', 'string', { start: 0, length: 1 });
    const format = {
      type: 'fixed-width',
      lineEnds: false,
      discriminator: null,
      recordLength: 1,
      shortLines: 'reject',
      skipBlankLines: false,
    } as const;
    const plan = planOf({ format, records: [recordPlan([one])] });
    const bytes = Buffer.from('ab'.repeat(150));
    const fast = runInMemory({ plan, bytes });
    expect([fast.summary.records.valid, fast.slowRecords]).toEqual([bytes.length, 0]);
    expect(describeRun(fast)).toEqual(describeRun(runInMemory({ plan, bytes }, { path: 'slow' })));
  });

  for (const path of both) {
    it.each([
      [{ maxLength: 8 }, '10.00', 'E_LENGTH'],
      [{ minLength: 9 }, '1000000.00', 'E_LENGTH'],
      [{ minLength: 2, maxLength: 8 }, '10.00', 'E_LENGTH'],
      [{ pattern: '[0-9]{1,5}[.][0-9]{2}' }, '10.00', 'E_PATTERN'],
      [{ enum: ['10.00'] }, '10.00', 'E_ENUM'],
      [{ max: '99999.99' }, '10.00', 'E_RANGE'],
    ] as const)(`sums an amount that %j rejects, as long as it is one (${path} path)`, (check, good, code) => {
      const amount = fieldPlan('amount', 'decimal', column(0), { sum: true, currencyField: 1, ...check });
      const plan = textPlan([amount, fieldPlan('currency', 'currency', column(1))]);
      const bad = 'minLength' in check && check.minLength === 9 ? '10000.25' : '100000.25';
      const lines = [good, bad, 'none', good].map((text) => `${text},EUR\n`);
      const { summary, findings } = runInMemory({ plan, bytes: Buffer.from(lines.join('')) }, { path });
      expect(findings[0]).toMatchObject({ record: 2, code });
      expect(findings.map(({ record }) => record)).toEqual([2, 3]);
      const minor = (text: string) => BigInt(text.replace('.', ''));
      expect(summary.amounts.rejected['amount']).toEqual({ scale: 2, unreadable: 1, byCurrency: { EUR: String(minor(bad)) } });
      expect(summary.amounts.read['amount']!.byCurrency).toEqual({ EUR: String(minor(bad) + 2n * minor(good)) });
    });

    it(`sums amounts beyond 2^53 exactly (${path} path)`, () => {
      const amount = fieldPlan('amount', 'decimal', column(0), { sum: true, currencyField: 1 });
      const plan = textPlan([amount, fieldPlan('currency', 'currency', column(1))]);
      const amounts = [
        '90071992547409.93',
        '90071992547409.93',
        '0.01',
        '999999999999999999999999999999999999.99',
        '-0.03',
        ...Array.from({ length: 20_000 }, () => '9999999999.99'),
      ];
      const { summary } = runInMemory({ plan, bytes: Buffer.from(amounts.map((text) => `${text},EUR\n`).join('')) }, { path });
      const exact = amounts.reduce((sum, text) => sum + BigInt(text.replace('.', '')), 0n);
      expect(summary.amounts.valid['amount']!.byCurrency).toEqual({ EUR: exact.toString() });
      expect(summary.targets[0]!.amounts['amount']!.byCurrency).toEqual({ EUR: exact.toString() });
    });

    it(`cuts stripes that a batch can hold and that add up to the segment (${path} path)`, () => {
      const amount = fieldPlan('amount', 'int', column(0), { sum: true });
      const targets = [
        targetPlan('a', { format: 'ndjson' }, { batchRecords: 7, batchBytes: 100 }),
        targetPlan('b', { format: 'ndjson' }, { batchRecords: 50 }),
      ];
      const plan = textPlan([amount], { targets, routes: { mode: 'first', rules: [], default: [0, 1] } });
      const lines = Array.from({ length: 1_000 }, (_, index) => String(index ** 3));
      const { summary, targets: segments } = runInMemory({ plan, bytes: Buffer.from(lines.join('\n')) }, { path });
      for (const [index, target] of summary.targets.entries()) {
        const lengths = target.stripes.map(({ start, end }) => end - start);
        expect(target.stripes.map(({ start }) => start)).toEqual(
          lengths.map((_, at) => lengths.slice(0, at).reduce((sum, length) => sum + length, 0)),
        );
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(segments[index]!.length);
        expect(Math.max(...target.stripes.map(({ records }) => records))).toBeLessThanOrEqual(7);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(100);
        const sum = target.stripes.reduce((total, { amounts }) => total + BigInt(amounts['amount']!.byCurrency['XXX']!), 0n);
        expect(sum.toString()).toBe(target.amounts['amount']!.byCurrency['XXX']);
        expect(target.stripes.map(({ firstRecord }) => firstRecord)).toEqual(
          target.stripes.map((_, at) => target.stripes.slice(0, at).reduce((sum, { records }) => sum + records, 1)),
        );
      }
    });

    it(`refuses a record that is longer than the limit and keeps what came before (${path} path)`, () => {
      const bytes = Buffer.from(`a,b\n${'x'.repeat(300)},b\nc,d\n`);
      const { summary } = runInMemory({ plan: pairPlan, bytes }, { path, maxRecordBytes: 200, blockBytes: 64 });
      expect(summary.records.valid).toBe(1);
      expect(summary.damage.map(({ code, offset }) => [code, offset])).toEqual([['E_RECORD_TOO_LONG', 4]]);
    });

    it(`holds a file whose last quote is never closed (${path} path)`, () => {
      const { summary, findings } = runInMemory({ plan: pairPlan, bytes: Buffer.from('a,b\nc,"d\ne,f\n') }, { path });
      expect([summary.records.valid, summary.records.rejected]).toEqual([1, 1]);
      expect(summary.damage.map(({ code, offset }) => [code, offset])).toEqual([['E_QUOTE_OPEN', 4]]);
      expect(findings.map(({ record, code }) => [record, code])).toEqual([[2, 'E_QUOTE']]);
    });

    it(`never runs text of a plan as code (${path} path)`, () => {
      const names = [
        '"]+(globalThis.PWN=1)+r["b',
        '\u2028',
        '__proto__',
        'toString',
        'constructor',
        '`${globalThis.PWN=1}`',
        "');globalThis.PWN=1;('",
        '*/globalThis.PWN=1/*',
        'n'.repeat(65_536),
      ];
      const evil = '\u2028"\\`${globalThis.PWN=1}*/';
      const fields = names.map((name, index) =>
        fieldPlan(name, 'string', column(index), index === 1 ? { enum: [evil, 'v'] } : index === 2 ? { pattern: '^[v]{1}$' } : {}),
      );
      const record = recordPlan(fields, { name: evil });
      const literal = { kind: 'literal', type: 'string', value: evil } as const;
      const plan = planOf({
        format: delimitedFormat,
        records: [record],
        output: [...names.map((name, index) => outputField(name, recordField(record, index))), outputField('literal', literal)],
        routes: {
          mode: 'first',
          rules: [{ id: evil, when: { kind: 'call', type: 'bool', name: 'equal', arguments: [recordField(record, 0), literal] }, to: [0] }],
          default: [0],
        },
      });
      const { targets, summary } = runInMemory({ plan, bytes: Buffer.from(`${names.map(() => 'v').join(',')}\n`) }, { path });
      expect(summary.records.valid).toBe(1);
      const expected = [...names.map((name) => `${JSON.stringify(name)}:"v"`), `"literal":${JSON.stringify(evil)}`];
      expect(targets[0]!.toString('utf8')).toBe(`{${expected.join(',')}}\n`);
      expect((globalThis as Record<string, unknown>)['PWN']).toBeUndefined();
      expect(Object.prototype.toString.call({})).toBe('[object Object]');
    });

    it(`names the byte at which text stops being UTF-8 (${path} path)`, () => {
      const bad = [
        Buffer.from([0xc0, 0x80]),
        Buffer.from([0xed, 0xa0, 0x80]),
        Buffer.from([0xf4, 0x90, 0x80, 0x80]),
        Buffer.from([0xff]),
        Buffer.from([0xe2, 0x82]),
      ];
      for (const bytes of bad) {
        const { findings } = runInMemory(
          { plan: pairPlan, bytes: Buffer.concat([Buffer.from('ok,'), bytes, Buffer.from('\n')]) },
          { path },
        );
        expect(findings.map(({ code, message }) => [code, message])).toEqual([
          ['E_ENCODING', 'byte 3 of the record starts no valid UTF-8 sequence'],
        ]);
      }
    });
  }

  it('is the same when a file is taken in open ranges one after the other', () => {
    const iban = 'DE89370400440532013000';
    const rows = Array.from(
      { length: 400 },
      (_, index) =>
        `P${String(index).padStart(9, '0')},2026-01-31,${iban},${iban},${index}.50,EUR,${index % 3 === 0 ? 'GB' : 'DE'},SEPA,"Name, ${index}",REF-${index},info\n`,
    );
    const bytes = Buffer.from(rows.join(''));
    const plan = paymentsPlan();
    const flow = compileFlow(plan);
    const whole = runInMemory({ plan, bytes, columns: paymentColumns });
    const parts: Buffer[] = [];
    let spec: ChunkSpec = { number: 0, start: 0, end: bytes.length, firstRecord: 1, context: { version: 1, columns: paymentColumns } };
    let valid = 0;
    while (spec.start < bytes.length) {
      const sinks = {
        targets: [{ write: (part: Uint8Array) => void parts.push(Buffer.from(part)) }, { write() {} }, { write() {} }],
        outcomes: { write() {} },
        rejected() {},
        warned() {},
      };
      const range = runOpenRange(flow, spec, memorySource(bytes), sinks, { hashKey: publicHashKey, stopAfterBytes: 5_000 });
      valid += range.summary.records.valid;
      expect(range.end).toBeGreaterThan(spec.start);
      spec = { ...spec, number: spec.number + 1, start: range.end, firstRecord: range.nextRecord };
    }
    expect([valid, spec.firstRecord]).toEqual([400, 401]);
    expect(Buffer.concat(parts).equals(whole.targets[0]!)).toBe(true);
  });

  it('refuses a chunk that ends inside a record', () => {
    expect(() => runInMemory({ plan: pairPlan, bytes: Buffer.from('a,b\nc,d\n'), spec: { end: 6 } })).toThrow('ends inside a record');
  });
});
