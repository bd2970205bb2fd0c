import { createHash } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryStore } from '../../../../test/support/temporary-store.ts';
import { createEngineThreads } from './thread-pool.ts';

it('a thread hashes the body of a big batch, and says what is wrong with one that cannot be read', async () => {
  const { root, store, ids, tenantId } = temporaryStore();
  const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 31 + (index >> 9)) & 255));
  const objectId = ids.next();
  const writer = store.create({ tenantId, objectId, kind: 'output' });
  writer.write(content);
  const object = writer.commit();
  const threads = createEngineThreads({
    storage: { root, cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }] },
    threads: 1,
  });
  onTestFinished(() => threads.stop());
  const spans = [{ segmentId: objectId, ranges: [10, 1_500_000, 1_500_001, content.length] }];
  const body = { tenantId, spans, objects: new Map([[objectId, object]]) };
  const wanted = createHash('sha256').update(content.subarray(10, 1_500_000)).update(content.subarray(1_500_001)).digest('hex');
  expect(await threads.hashBody(body)).toBe(wanted);
  store.remove(object.name);
  await expect(threads.hashBody(body)).rejects.toMatchObject({ code: 'E_OBJECT_MISSING' });
});
