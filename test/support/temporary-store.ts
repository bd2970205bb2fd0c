/** A sealed store on a real folder of its own, removed when the test has finished. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createKeyRing } from '../../src/platform/storage/data-keys.ts';
import { createLocalStore } from '../../src/platform/storage/local-store.ts';
import { createSealedStore } from '../../src/platform/storage/sealed-store.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function temporaryStore(root = temporaryFolder()) {
  const { rng, ids } = systemPorts;
  const keyRing = createKeyRing([{ version: 1, bytes: new Uint8Array(32).fill(7) }]);
  const raw = createLocalStore({ root, rng });
  const store = createSealedStore({ raw, cell: 'local', keyRing, rng });
  return { root, raw, store, keyRing, rng, ids, tenantId: ids.next() };
}
