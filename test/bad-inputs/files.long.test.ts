import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/delivery-scenario.ts';
import { assertLegalEvents, closed, receiptsOf, simplePlan } from '../support/job-facts.ts';
import { createJobScenario, type JobScenario } from '../support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { fixturePlan } from '../support/verified-flow.ts';
import { zipArchive } from '../support/zip-archive.ts';

let database: TestDatabase;
let jobs: JobScenario | undefined;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterEach(async () => {
  await jobs?.stopAll();
  jobs = undefined;
});
afterAll(() => database.drop());

/** The job of the one file, once it is closed or waits for a person. */
async function judged(plan: Parameters<typeof createJobScenario>[0]['plan'], file: string | Buffer) {
  jobs = await createJobScenario({ database, plan });
  await jobs.accept([file]);
  jobs.startAll();
  const of = jobs;
  await until(
    async () => (await of.jobs()).every(({ state, closedAt }) => state === 'held' || closedAt !== null),
    'the job was not judged',
  );
  await assertLegalEvents(of);
  return { of, job: (await of.jobs())[0]! };
}

describe('a file without records (A9)', () => {
  it.each([
    ['no bytes', ''],
    ['a byte order mark only', '\ufeff'],
  ])('of %s is rejected as empty, with a receipt', async (_what, file) => {
    const { of, job } = await judged(simplePlan(), file);
    expect(job).toMatchObject({ state: 'rejected', reasonCode: 'E_EMPTY', read: 0 });
    await closed(of, 1);
    expect((await receiptsOf(of))[0]!.records).toEqual({ read: 0, valid: 0, rejected: 0, filtered: 0 });
  });

  it('of header and trailer only is rejected as empty, although its totals agree', async () => {
    const { job } = await judged(fixturePlan(Buffer.from('a flow')), 'H,bank\nT,0,0.00\n');
    expect(job).toMatchObject({ state: 'rejected', reasonCode: 'E_EMPTY', read: 0 });
  });
});

describe('a file that is cut short (A8)', () => {
  it.each([
    ['behind its records', 'H,bank\nD,p1,10.00,ZAR,r1\nD,p2,20.50,USD,\n', 'E_TRUNCATED'],
    ['in the middle of a record', 'H,bank\nD,p1,10.00,ZAR,r1\nD,p2,20', 'E_TRUNCATED'],
    ['in its trailer', 'H,bank\nD,p1,10.00,ZAR,r1\nT', 'E_FIELD_COUNT'],
  ])('%s delivers nothing', async (_what, file, reasonCode) => {
    const { of, job } = await judged(fixturePlan(Buffer.from('a flow')), file);
    expect(job).toMatchObject({ state: 'held', verdict: 'held', reasonCode });
    expect(await of.rows('/* no batches */ select 1 from headgate.batches where tenant_id = $1')).toEqual([]);
  });
});

describe('a file of another kind than its flow reads, whatever its name says (A13)', () => {
  const program = Buffer.alloc(1_024);
  program.write('MZ\u0090\u0000', 'latin1');
  program.writeUInt32LE(0x80, 0x3c);
  program.write('PE\u0000\u0000', 0x80, 'latin1');
  it.each<[string, string | Buffer]>([
    ['a program', program],
    ['a PDF document', '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n'],
    ['a page of HTML', '<!DOCTYPE html>\n<html><body><script>alert(1)</script>,1.00,ZAR</body></html>\n'],
    ['a zip archive', zipArchive([{ name: 'in.csv', content: 'p1,1.00,ZAR\n' }])],
    [
      'a zip archive with records before it',
      Buffer.concat([Buffer.from('<,1.00,ZAR,\n'), zipArchive([{ name: 'in.csv', content: 'p1,1.00,ZAR\n' }])]),
    ],
    ['the text that virus scanners are tried with', 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'],
  ])('such as %s has no record that is valid, and delivers nothing', async (_what, file) => {
    const { of, job } = await judged(simplePlan(), file);
    expect(job).toMatchObject({ state: 'completed', verdict: 'partial', valid: 0, rejected: job.read });
    expect(job.read).toBeGreaterThan(0);
    expect(await of.rows('/* no batches */ select 1 from headgate.batches where tenant_id = $1')).toEqual([]);
  });
});

describe('broken content (B7, B8, B10)', () => {
  it.each([
    ['a quote in the middle of a field', 'p1,1.00,ZAR\np"2,1.00,ZAR\np3,1.00,ZAR\n', 'E_QUOTE'],
    ['NUL', 'p1,1.00,ZAR\np\u00002,1.00,ZAR\np3,1.00,ZAR\n', 'E_CHARACTER'],
    ['a bare CR', 'p1,1.00,ZAR\np\r2,1.00,ZAR\np3,1.00,ZAR\n', 'E_CHARACTER'],
    ['a field too many', 'p1,1.00,ZAR\np2,1.00,ZAR,x\np3,1.00,ZAR\n', 'E_FIELD_COUNT'],
    ['a field too few', 'p1,1.00,ZAR\np2,1.00\np3,1.00,ZAR\n', 'E_FIELD_COUNT'],
    ['an amount with a thousands mark', 'p1,1.00,ZAR\np2,"1,234.50",ZAR\np3,1.00,ZAR\n', 'E_DECIMAL'],
    ['digits of another script', 'p1,1.00,ZAR\np2,\u0663.00,ZAR\np3,1.00,ZAR', 'E_DECIMAL'],
  ])('%s costs one record', async (_what, file, code) => {
    const { of, job } = await judged(simplePlan(), file);
    await closed(of, 1);
    expect(job).toMatchObject({ read: 3, valid: 2, rejected: 1 });
    expect((await receiptsOf(of))[0]!.errors.map((error) => [error.code, error.count])).toEqual([[code, 1]]);
    expect([...of.delivered.get('all')!].length).toBe(2);
  });

  it('line ends of two kinds and none at the end lose no record', async () => {
    const { of, job } = await judged(simplePlan(), 'p1,1.00,ZAR\r\np2,1.00,ZAR\n\r\n\np3,1.00,ZAR\r\np4,1.00,ZAR');
    await closed(of, 1);
    expect(job).toMatchObject({ read: 4, valid: 4, rejected: 0 });
    expect(of.delivered.get('all')!.map((line) => JSON.parse(line).id)).toEqual(['p1', 'p2', 'p3', 'p4']);
  });

  it('a quote that is never closed holds the file', async () => {
    const { job } = await judged(simplePlan(), 'p1,1.00,ZAR\n"p2,1.00,ZAR\np3,1.00,ZAR\n');
    expect(job).toMatchObject({ state: 'held' });
  });
});
