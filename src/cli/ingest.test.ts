import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { ingestCommand } from './ingest.ts';

/** What the command does that brings a file in there. */
async function ingestAt(url: string): Promise<number> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'key'), 'hg_live_abc', { mode: 0o600 });
  writeFileSync(join(folder, 'a.csv'), 'a,1.00\n');
  const options = { url, 'key-file': join(folder, 'key'), flow: 'payments' };
  return await ingestCommand.run({ positionals: [join(folder, 'a.csv')], options });
}

const answering = (status: number, answer: unknown, type = 'application/json') =>
  startHttpSink(() => ({ status, headers: { 'content-type': type }, body: JSON.stringify(answer) }));

it.each([
  [200, {}],
  [200, null],
  [200, []],
  [201, { status: 'ok' }],
  [201, { state: 'accepted' }],
  [201, { state: 'of a later version', arrivalId: 'a' }],
  [201, { state: 'unpacked', arrivalId: 'a' }],
  [422, { error: 'no' }],
])('a file is not called taken by an answer that does not say so: %i %j', async (status, answer) => {
  const { url } = await answering(status, answer);
  await expect(ingestAt(url)).rejects.toMatchObject({ code: 'E_API_UNREACHABLE' });
});

it.each([
  ['no answer came', () => startHttpSink(() => ({ isLost: true }))],
  ['something that stands between answers', () => answering(200, {})],
  ['the server fails', () => answering(500, { code: 'E_INTERNAL' }, 'application/problem+json')],
])('a file that may have been taken is sent again under the same key: %s', async (_why, start) => {
  const { url, requests } = await start();
  const error = await ingestAt(url).catch((thrown: Error) => thrown);
  const key = requests[0]!.headers['idempotency-key'];
  expect((error as Error).message).toMatch(
    new RegExp(
      `; (\\S+/a.csv) may have been taken, to send it again under the same key, which takes it once: headgate ingest \\1 --flow payments --idempotency-key ${key}$`,
    ),
  );
});

it('a file that was not taken is not called one that may have been', async () => {
  const { url } = await answering(429, { code: 'E_RATE_LIMIT', detail: 'wait' }, 'application/problem+json');
  await expect(ingestAt(url)).rejects.toThrow(/^wait$/);
  const full = await answering(507, { code: 'E_STORAGE_FULL', detail: 'no room' }, 'application/problem+json');
  await expect(ingestAt(full.url)).rejects.toThrow(/^no room$/);
  await expect(ingestAt('http://127.0.0.1:1')).rejects.toThrow(/^nothing answered at http:\S+$/);
});
