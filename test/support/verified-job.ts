/** A closed job of a scenario, verified as an auditor does it: from its export and the trust file alone, by the reference parser. */
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { openJobExport } from '../../src/control/jobs/views/job-export.ts';
import { packs } from '../../src/main/catalogue.ts';
import { exportEntries, sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import type { Receipt } from '../../src/pipeline/ledger/receipt.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../../src/pipeline/ledger/verification/container-check.ts';
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import { verifyExport } from '../../src/pipeline/ledger/verification/verify-export.ts';
import { type JobScenario, scenarioKey } from './job-scenario.ts';

const trust = parseTrustFile(printTrustFile([scenarioKey]));

export async function verifiedWithReceipt(jobs: JobScenario, jobId: string): Promise<{ receipt: Receipt; report: VerificationReport }> {
  const { job } = await openJobExport(jobs.services, jobs.tenantId, { jobId, actor: 'key:auditor' });
  const files = new Map<string, Buffer>();
  for (const { name, pieces } of exportEntries(job)) files.set(name, Buffer.concat([...pieces]));
  const compile = (definition: Uint8Array) => loadFlow(Buffer.from(definition).toString('utf8')).plan!;
  const reader = { names: () => [...files.keys()], open: (name: string) => sourceOf(files.get(name)!) };
  return {
    receipt: job.receipt,
    report: verifyExport({ reader, trust, container: await unpackContainer(reader, { compile, packs }), compile }),
  };
}
