import { describe, expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../../pipeline/engine/plans.fixture.ts';
import { receivedTable, translated } from '../../../pipeline/engine/records/window-bytes.ts';
import { memorySource, runInMemory } from '../../../pipeline/engine/runs.fixture.ts';
import { PoisonFindings, withoutPoison } from './poison-source.ts';

describe('the bytes of a poison record', () => {
  const bytes = Buffer.from('aaaa\nbbbb\ncccc\n');
  const source = {
    size: bytes.length,
    read(into: Uint8Array, at: number, length: number, position: number) {
      const piece = bytes.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
  };

  it('are never seen, however the file is read', () => {
    const masked = withoutPoison(source, [{ jobId: 'j', offset: 5, length: 4 }], delimitedFormat);
    for (let length = 1; length <= bytes.length; length++) {
      const read = Buffer.alloc(bytes.length + 3);
      for (let at = 0; at < bytes.length; ) at += masked.read(read, at + 3, Math.min(length, bytes.length - at), at);
      expect(read.subarray(3).toString('latin1')).toBe('aaaa\nÿÿÿÿ\ncccc\n');
    }
  });

  it.each([
    ['a code page', { ...delimitedFormat, encoding: 'windows-1252' } as const],
    ['EBCDIC', { ...delimitedFormat, encoding: 'ibm037' } as const],
    ['UTF-8', delimitedFormat],
  ])('are refused unread in %s, in which any byte but NUL may be text', (_name, format) => {
    const plan = planOf({ format, records: [recordPlan([fieldPlan('a', 'string', { column: 0, header: null })])] });
    const content = translated(Buffer.from('aaaa\nbbbb\ncccc\n'), receivedTable(format));
    const masked = Buffer.alloc(content.length);
    withoutPoison(memorySource(content), [{ jobId: 'j', offset: 5, length: 4 }], format).read(masked, 0, content.length, 0);
    const { findings, summary } = runInMemory({ plan, bytes: masked });
    expect(findings.map(({ record, code }) => [record, code])).toEqual([[2, format === delimitedFormat ? 'E_ENCODING' : 'E_CHARACTER']]);
    expect(summary.records).toMatchObject({ read: 3, valid: 2, rejected: 1 });
  });

  it('get a finding of their own, which says nothing of what reads them, and others keep theirs', () => {
    const findings = new PoisonFindings([{ jobId: 'j', offset: 5, length: 4 }]);
    const finding = (offset: number) => ({ record: 1, offset, code: 'E_ENCODING', field: null, rule: null, message: 'not valid UTF-8' });
    expect(findings.take(finding(5))).toMatchObject({ code: 'E_POISON', message: 'it could not be processed' });
    expect(findings.take(finding(10)).code).toBe('E_ENCODING');
  });
});
