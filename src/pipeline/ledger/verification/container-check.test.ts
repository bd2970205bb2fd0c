import { describe, expect, it } from 'vitest';
import { exportedJob, resealed } from '../../../../test/support/exported-job.ts';
import { convert, packFlow, packFlowText } from '../../../../test/support/pack-flows.ts';
import { codesOf, verifiedWithContainer } from '../../../../test/support/verified-export.ts';
import { achFile } from '../../formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../formats/nacha/sample-batches.fixture.ts';
import type { Receipt } from '../receipt.ts';

function flowOf(format: string) {
  const plan = packFlow(format);
  return { plan: { ...plan, flow: { ...plan.flow, tenant: 'bank' } }, definition: Buffer.from(packFlowText(format)) };
}

describe('the lines of a pack', () => {
  const { plan, definition } = flowOf('{ type: nacha }');
  /** Its lines were never made of a file: they are said to be the file. */
  const invented = async () => {
    const { lines } = await convert(plan, Buffer.from(achFile(sampleBatches.PPD).text(), 'latin1'));
    return exportedJob({ flow: { plan, definition, member: lines } });
  };

  it('that no file of the bank gives are found out', async () => {
    const job = await invented();
    expect(job.receipt.file).toMatchObject({ container: job.receipt.file.member, via: [] });
    expect(codesOf(await verifiedWithContainer(job.files, plan))).toEqual(['E_VERIFY_FILE']);
  });

  it('may be a file of their own where records are sent again, that came by no step', async () => {
    const job = await invented();
    const id = '01900000-0000-7000-8000-00000000000a';
    const redrive = {
      id,
      ofJobId: id,
      targets: null,
      records: job.receipt.records.read,
      repair: null,
      possibleDuplicate: false,
      reason: 'again',
      actor: 'key:ops',
    };
    const receipt: Receipt = { ...job.receipt, job: { ...job.receipt.job, lineageId: id, redrive } };
    const { failures, notes } = await verifiedWithContainer(resealed(job, { receipt }), plan);
    expect(failures.filter(({ code }) => code === 'E_VERIFY_FILE')).toEqual([]);
    expect(notes[0]).toContain(`The job sends ${redrive.records} records of job ${id} again`);
    const packed = { ...receipt, file: { ...receipt.file, via: ['gzip' as const] } };
    expect(codesOf(await verifiedWithContainer(resealed(job, { receipt: packed }), plan))).toContain('E_VERIFY_FILE');
  });
});

it.each(['{ type: nacha }', '{ type: bai2 }', '{ type: iso20022, message: pain.001 }'])(
  'an empty file of a flow of %s, of which its pack makes no line, is sound with what the pack says of it',
  async (format) => {
    const { plan, definition } = flowOf(format);
    const member = Buffer.alloc(0);
    const { damage } = await convert(plan, member);
    expect(damage.length).toBeGreaterThan(0);
    const job = exportedJob({ flow: { plan, definition, member }, damage });
    const report = await verifiedWithContainer(job.files, plan);
    expect(report.failures).toEqual([]);
    const silent = exportedJob({ flow: { plan, definition, member } });
    expect(codesOf(await verifiedWithContainer(silent.files, plan))).toContain('E_VERIFY_VERDICT');
  },
);
