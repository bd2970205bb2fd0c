/** A good record leaves nothing behind: what a pack makes for one dies young, so that memory does not grow with the file. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { LongFileName } from './long-file-thread.fixture.ts';

/** Of compiled code and what it knows, which stays. A record that leaves a hundred bytes leaves more. */
const grownBytesMax = 400_000;

const names: readonly LongFileName[] = [
  'entries of an ACH file',
  'payments of a pain.001',
  'entries of a camt.053',
  'accounts of a BAI2 file',
  'statements of MT940',
  'MT103 messages',
  'MT101 messages',
];

async function grownBytes(name: LongFileName): Promise<number> {
  const thread = new Worker(new URL('./long-file-thread.fixture.ts', import.meta.url), {
    workerData: name,
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const [grown] = (await once(thread, 'message')) as [number];
  await thread.terminate();
  return grown;
}

/** What a record leaves is left each time; what a busy machine compiles late, or has not collected yet, is not. */
async function leastGrownBytes(name: LongFileName): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && least >= grownBytesMax; attempt++) least = Math.min(least, await grownBytes(name));
  return least;
}

test.each(names)('%s leave nothing behind when they are made into lines', async (name) => {
  expect(await leastGrownBytes(name)).toBeLessThan(grownBytesMax);
});
