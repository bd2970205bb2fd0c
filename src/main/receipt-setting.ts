/** What a receipt pins beside the flow: the environment document in force, and the versions of everything that made the outputs. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listDefinitions } from '../control/flows/applying/definition-store.ts';
import type { ReceiptSetting } from '../control/jobs/closing/closing-receipt.ts';
import type { TenantTx } from '../platform/tenancy/tenant-scope.ts';

const source = join(import.meta.dirname, '..');

/** `setting` is the name of this process's environment: dev, test or prod. */
export function createReceiptSetting(options: {
  readonly environment: string;
  readonly codeVersion: string;
}): (tx: TenantTx) => Promise<ReceiptSetting> {
  const versions: ReceiptSetting['versions'] = {
    headgate: options.codeVersion,
    kernel: hashFolder(join(source, 'pipeline/engine')),
    code: hashFolder(source),
    codec: `node-${process.versions.node} unicode-${process.versions.unicode ?? 'unknown'}`,
    referenceData: { engine: hashFolder(join(source, 'pipeline/engine/reference-data')) },
  };
  return async (tx) => {
    const documents = await listDefinitions(tx, 'Environment');
    const hash = createHash('sha256');
    for (const document of documents) hash.update(`${document.name}\n${document.hash}\n`);
    return { environment: { name: options.environment, hash: `sha256:${hash.digest('hex')}` }, versions };
  };
}

/** Of the program's own files below a folder, by path; tests are no part of it. */
function hashFolder(folder: string): string {
  const hash = createHash('sha256');
  const paths = (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => /\.(ts|sql)$/.test(path) && !/\.test\.ts$/.test(path))
    .sort();
  for (const path of paths)
    hash
      .update(`${path}\n`)
      .update(readFileSync(join(folder, path)))
      .update('\n');
  return `sha256:${hash.digest('hex')}`;
}
