/** Verifies an export in memory, as an auditor would who trusts the key of `exported-job.ts`. */
import { packs } from '../../src/main/catalogue.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../../src/pipeline/ledger/verification/container-check.ts';
import type { ExportReader } from '../../src/pipeline/ledger/verification/export-reader.ts';
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import { verifyExport } from '../../src/pipeline/ledger/verification/verify-export.ts';
import { HeadgateError } from '../../src/platform/base/errors.ts';
import { fixtureKey } from './exported-job.ts';
import { fixturePlan } from './verified-flow.ts';

const trust = parseTrustFile(printTrustFile([fixtureKey]));

function readerOf(files: ReadonlyMap<string, Buffer>, opened: (name: string) => void = () => {}): ExportReader {
  return {
    names: () => [...files.keys()],
    open(name) {
      opened(name);
      return sourceOf(files.get(name)!);
    },
  };
}

/** Of a file that came in no container. `plan`: what the definition compiles to, unless it is that of `verified-flow.ts`. */
export function verified(files: ReadonlyMap<string, Buffer>, plan?: Plan, opened?: (name: string) => void): VerificationReport {
  const compile = (definition: Uint8Array) => {
    if (Buffer.from(definition).toString() !== '{"kind":"FlowDefinition"}') throw new HeadgateError('E_FLOW', 'another flow');
    return plan ?? fixturePlan(definition);
  };
  return verifyExport({ reader: readerOf(files, opened), trust, container: null, compile });
}

/** Of a file that may have come in a container. `plan`: as above. */
export async function verifiedWithContainer(files: ReadonlyMap<string, Buffer>, plan?: Plan): Promise<VerificationReport> {
  const reader = readerOf(files);
  const compile = (definition: Uint8Array) => plan ?? fixturePlan(definition);
  const container = await unpackContainer(reader, { compile, packs });
  return verifyExport({ reader, trust, container, compile });
}

export function codesOf(report: VerificationReport): string[] {
  return [...new Set(report.failures.map(({ code }) => code))].sort();
}
