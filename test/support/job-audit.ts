/** Exports a closed job and verifies it, as an auditor does it: from the export and the trust file alone. */
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import type { RunningTestServer, TestTenant } from './running-server.ts';
import { servedExport, verifiedBy } from './served-export.ts';

export async function auditJob(
  server: RunningTestServer,
  tenant: TestTenant,
  jobId: string,
): Promise<{ readonly files: ReadonlyMap<string, Buffer>; readonly report: VerificationReport }> {
  const { files } = await servedExport(server, tenant, jobId);
  return { files, report: await verifiedBy(server, files) };
}
