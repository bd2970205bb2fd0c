import { describe, expect, test } from 'vitest';
import { exportedJob, listedAgain, resealed, withPart } from '../../../../test/support/exported-job.ts';
import { codesOf, verified } from '../../../../test/support/verified-export.ts';
import { canonicalJson } from '../canonical-json.ts';

const job = exportedJob();

/** As anyone could change it, who holds no key. */
const changed = (name: string, content: Buffer | string) => listedAgain(new Map(job.files).set(name, Buffer.from(content)));

/** How often each file was opened. */
function openings(files: ReadonlyMap<string, Buffer>): { readonly codes: string[]; readonly times: ReadonlyMap<string, number> } {
  const times = new Map<string, number>();
  const report = verified(files, undefined, (name) => times.set(name, (times.get(name) ?? 0) + 1));
  return { codes: codesOf(report), times };
}

describe('an outcome segment', () => {
  const segment = (header: object, bytes: number) => {
    const json = Buffer.from(JSON.stringify(header).padEnd(bytes));
    const prefix = Buffer.from('HGOS\x01\0\0\0\0\0\0\0', 'latin1');
    prefix.writeUInt32LE(json.length, 8);
    return Buffer.concat([prefix, json]);
  };
  const header = {
    records: 0,
    firstRecord: 1,
    chunkStart: 0,
    hash: { algorithm: 'siphash-2-4', keyVersion: 0 },
    routeSets: [],
    indexes: [],
  };
  const index = { name: 'key', isUnique: true, entries: -20 };

  test.each<[string, object]>([
    ['is as long as it is short, so that none follows it', { ...header, indexes: [index] }],
    ['has nothing but that', { records: 0, firstRecord: 1, chunkStart: 0, routeSets: [], indexes: [{ entries: -20 }] }],
    ['leads to targets that there are not', { ...header, routeSets: [Array.from({ length: 30 }, (_, at) => at)] }],
  ])('that %s is found out', (_what, own) => {
    const name = 'chunks/000000/outcomes.bin';
    const report = verified(changed(name, segment(own, 228)));
    expect(report.failures).toContainEqual({ code: 'E_VERIFY_SEGMENT', at: name, message: 'it cannot be read' });
    expect(codesOf(report)).toContain('E_VERIFY_OUTCOME');
  });

  test('is read once, however many chunks name it', () => {
    const [first] = job.receipt.chunks;
    const chunks = Array.from({ length: 50 }, () => first!);
    const { codes, times } = openings(resealed(job, { receipt: { ...job.receipt, chunks } }));
    expect(codes).toContain('E_VERIFY_CHUNKS');
    expect(times.get('chunks/000000/outcomes.bin')).toBe(1);
  });
});

describe('what is no text', () => {
  const rejections = [...job.files.keys()].find((name) => name.endsWith('rejections.ndjson'))!;
  const lines = job.files.get(rejections)!.toString();

  test.each([
    ['a finding', rejections, lines.replace(/"code":"[A-Z0-9_]+"/, '"code":"\\ud800"')],
    ['the field of a finding', rejections, lines.replace(/"field":[^,]+/, `"field":${'['.repeat(2_000)}${']'.repeat(2_000)}`)],
    ['an exclusion', 'exclusions.ndjson', '{"record":2,"code":"\\ud800"}\n'],
  ])('in %s is reported, with and without the key', (_what, name, content) => {
    for (const files of [changed(name, content), withPart(job, name, Buffer.from(content))])
      expect(codesOf(verified(files)).length).toBeGreaterThan(0);
  });

  test('as the path of a file is no manifest', () => {
    const files = [{ path: { toString: 1 }, bytes: 0, sha256: '' }];
    const manifest = canonicalJson({ exportVersion: 1, jobId: job.receipt.job.id, files });
    const { failures } = verified(new Map(job.files).set('manifest.json', Buffer.from(manifest)));
    expect(failures.map(({ code, at }) => [code, at])).toContainEqual(['E_VERIFY_MANIFEST', 'manifest.json']);
    expect(failures.every(({ at }) => typeof at === 'string')).toBe(true);
  });
});

describe('batches', () => {
  const [entry] = job.files.get('batches.ndjson')!.toString().split('\n');
  const batch = JSON.parse(entry!);

  test('whose list nobody signed have no bodies, however often they name the same lines', () => {
    const ranges = Array.from({ length: 500 }, () => batch.ranges[0]);
    const { codes, times } = openings(changed('batches.ndjson', `${canonicalJson({ ...batch, ranges })}\n`));
    expect(codes).toContain('E_VERIFY_BATCHES');
    const outputs = [...times].filter(([name]) => name.includes('target-')).map(([, count]) => count);
    expect(Math.max(...outputs)).toBe(1);
  });
});
