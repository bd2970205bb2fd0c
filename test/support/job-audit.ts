/** Exports a closed job and verifies it, as an auditor does it: from the export and the trust file alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import { readTar } from '../../src/pipeline/ledger/export/tar-stream.ts';
import { readSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../../src/pipeline/ledger/verification/container-check.ts';
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import { verifyExport } from '../../src/pipeline/ledger/verification/verify-export.ts';
import { Secret } from '../../src/platform/secrets/secret.ts';
import type { RunningTestServer, TestTenant } from './running-server.ts';

export async function auditJob(
  server: RunningTestServer,
  tenant: TestTenant,
  jobId: string,
): Promise<{ readonly files: ReadonlyMap<string, Buffer>; readonly report: VerificationReport }> {
  const authorization = `Bearer ${await tenant.makeKey(['records:reveal'])}`;
  const answer = await fetch(`${server.url}/v1/jobs/${jobId}/export?reason=test`, { headers: { authorization } });
  const files = new Map<string, Buffer>();
  let name = '';
  await readTar(answer.body!, {
    start(started) {
      name = started;
      files.set(name, Buffer.alloc(0));
    },
    piece: (bytes) => void files.set(name, Buffer.concat([files.get(name)!, bytes])),
    end() {},
  });
  const reader = { names: () => [...files.keys()], open: (wanted: string) => sourceOf(files.get(wanted)!) };
  const trust = parseTrustFile(printTrustFile([readSigningKey(new Secret(readFileSync(join(server.settings.dataDir, 'signing.pem'))))]));
  const compile = (definition: Uint8Array) => loadFlow(Buffer.from(definition).toString('utf8')).plan!;
  return { files, report: verifyExport({ reader, trust, container: await unpackContainer(reader), compile }) };
}
