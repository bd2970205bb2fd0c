/** The export of a job as the API gives it, and what the offline verifier says of it with the trust file of that server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { packs } from '../../src/main/catalogue.ts';
import { sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import { readTar } from '../../src/pipeline/ledger/export/tar-stream.ts';
import { readSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../../src/pipeline/ledger/verification/container-check.ts';
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import { verifyExport } from '../../src/pipeline/ledger/verification/verify-export.ts';
import { Secret } from '../../src/platform/secrets/secret.ts';
import type { RunningTestServer, TestTenant } from './running-server.ts';

export async function servedExport(
  server: RunningTestServer,
  tenant: TestTenant,
  jobId: string,
): Promise<{ readonly answer: Response; readonly files: Map<string, Buffer> }> {
  const key = await tenant.makeKey(['records:reveal']);
  const answer = await fetch(`${server.url}/v1/jobs/${jobId}/export?reason=test`, { headers: { authorization: `Bearer ${key}` } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-tar']);
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
  return { answer, files };
}

export async function verifiedBy(server: RunningTestServer, files: ReadonlyMap<string, Buffer>): Promise<VerificationReport> {
  const signingKey = readSigningKey(new Secret(readFileSync(join(server.settings.dataDir, 'signing.pem'))));
  const reader = { names: () => [...files.keys()], open: (name: string) => sourceOf(files.get(name)!) };
  const compile = (definition: Uint8Array) => loadFlow(Buffer.from(definition).toString('utf8')).plan!;
  return verifyExport({
    reader,
    container: await unpackContainer(reader, { compile, packs }),
    trust: parseTrustFile(printTrustFile([signingKey])),
    compile,
  });
}
