import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { askOvertaken } from '../../../test/support/overtaken-request.ts';
import { pack } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { createWorld, type World } from './arrivals.fixture.ts';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
  world.settings.duplicates = { ...world.settings.duplicates, onDuplicate: 'hold' };
});

const by = { reason: 'sent twice on purpose', actor: 'operator' };

async function usage() {
  const { rows } = await database.adminDb.query<{ stored_bytes: number; held_bytes: number }>(
    '/* usage */ select stored_bytes, held_bytes from headgate.tenant_usage where tenant_id = $1',
    [world.tenantId],
  );
  return rows[0];
}

async function hold(content: string | Uint8Array, contentEncoding?: string): Promise<string> {
  await world.upload({ content, headers: { contentEncoding } });
  const answer = await world.upload({ content, name: 'again.csv', headers: { contentEncoding } });
  if (answer.kind !== 'held') throw new Error(`the file was not held but ${answer.kind}`);
  return answer.arrivalId;
}

it.each([
  ['a small file', 'a,1.00\n', undefined],
  ['a big file', 'b,1.00\n'.repeat(20_000), undefined],
  ['a file packed with gzip', pack.gzip('c,1.00\n'), 'gzip'],
  ['a big file packed with gzip', pack.gzip('d,1.00\n'.repeat(20_000)), 'gzip'],
  ['a file packed with zstd', pack.zstd('c,1.00\n'), 'zstd'],
  ['a big file packed with zstd', pack.zstd('d,1.00\n'.repeat(20_000)), 'zstd'],
])('%s that was held is accepted with the bytes that were kept', async (_what, content, contentEncoding) => {
  const arrivalId = await hold(content, contentEncoding);
  const verdict = await world.held.accept({ tenantId: world.tenantId, arrivalId, ...by });
  expect(verdict).toMatchObject({ state: 'accepted', acceptedNumber: 2 });
  const [first, second] = await world.files();
  expect(second).toMatchObject({ name: 'again.csv', sha256: first!.sha256 });
  expect(await world.content(second!.object)).toBe(await world.content(first!.object));
  expect(world.settings.accepted[1]).toMatchObject({
    records: world.settings.accepted[0]!.records,
    chunks: world.settings.accepted[0]!.chunks,
  });
  // The stand-in for jobs counts nothing: what is left are the packed files beside their unpacked ones.
  expect(await usage()).toEqual({ stored_bytes: contentEncoding ? 2 * content.length : 0, held_bytes: 0 });
  expect((await world.events()).at(-1)).toBe('arrival.accepted held>accepted');
  const names = new Set(
    (await world.files()).flatMap((file) => [file.object.name, ...(file.container_object ? [file.container_object.name] : [])]),
  );
  expect(new Set(world.storedNames())).toEqual(names);
});

it('a copy that can not be removed hides no verdict', async () => {
  const arrivalId = await hold('b,1.00\n'.repeat(20_000));
  vi.spyOn(world.store.store, 'remove').mockImplementation(() => {
    throw new HeadgateError('E_STORAGE_IO', 'the store does not answer');
  });
  expect(await world.held.accept({ tenantId: world.tenantId, arrivalId, ...by })).toMatchObject({ state: 'accepted' });
  expect(await world.files()).toHaveLength(2);
});

it('a refused one stays in quarantine with its bytes', async () => {
  const arrivalId = await hold('a,1.00\n');
  await world.held.refuse({ tenantId: world.tenantId, arrivalId, ...by });
  const arrival = (await world.arrivals())[1]!;
  expect(arrival.state).toBe('quarantined');
  expect(await world.content(arrival.object!)).toBe('a,1.00\n');
  expect(await usage()).toEqual({ stored_bytes: 7, held_bytes: 0 });
});

it('one that was accepted has its name from then on: other content under it is held', async () => {
  world.settings.duplicates = { ...world.settings.duplicates, onSameName: 'hold' };
  await world.held.accept({ tenantId: world.tenantId, arrivalId: await hold('a,1.00\n'), ...by });
  const other = await world.upload({ content: 'b,1.00\n', name: 'again.csv' });
  expect(other).toMatchObject({ kind: 'held', code: 'E_SAME_NAME' });
  if (other.kind !== 'held') return;
  const { fileId } = await world.held.accept({ tenantId: world.tenantId, arrivalId: other.arrivalId, ...by });
  world.settings.duplicates = { ...world.settings.duplicates, onSameName: 'accept' };
  expect(await world.upload({ content: 'c,1.00\n', name: 'again.csv' })).toMatchObject({ kind: 'accepted', sameNameAs: fileId });
});

it('of two decisions one counts, and the other leaves nothing behind', async () => {
  const arrivalId = await hold('e,1.00\n'.repeat(20_000));
  const decision = { tenantId: world.tenantId, arrivalId, ...by };
  const outcomes = await Promise.allSettled([world.held.accept(decision), world.held.accept(decision), world.held.refuse(decision)]);
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'E_ARRIVAL_STATE' });
  const named = [...(await world.files()), ...(await world.arrivals())].flatMap(({ object }) => (object ? [object.name] : []));
  expect(new Set(world.storedNames())).toEqual(new Set(named));
});

it('asked again under its key just before the first answer is there, it has that answer', async () => {
  const arrivalId = await hold('f,1.00\n');
  const decision = {
    tenantId: world.tenantId,
    arrivalId,
    ...by,
    keyed: { scope: 'decisions', key: 'twice', requestHash: 'same' } as const,
  };
  const ask = () => world.held.accept(decision);
  const [one, two] = await askOvertaken({ database, tenantId: world.tenantId, table: 'arrivals', ask });
  expect(one).toMatchObject({ state: 'accepted', acceptedNumber: 2 });
  expect(two).toEqual(one);
});

it('neither an accepted arrival nor one of another tenant can be decided', async () => {
  const arrivalId = await hold('a,1.00\n');
  const other = await createWorld(database);
  await expect(other.held.accept({ tenantId: other.tenantId, arrivalId, ...by })).rejects.toMatchObject({ code: 'E_ARRIVAL_STATE' });
  await world.held.accept({ tenantId: world.tenantId, arrivalId, ...by });
  await expect(world.held.refuse({ tenantId: world.tenantId, arrivalId, ...by })).rejects.toMatchObject({ code: 'E_ARRIVAL_STATE' });
});

it('none is accepted while its flow is disabled, and can be afterwards', async () => {
  const arrivalId = await hold('a,1.00\n');
  const decision = { tenantId: world.tenantId, arrivalId, ...by };
  world.settings.isEnabled = false;
  await expect(world.held.accept(decision)).rejects.toMatchObject({ code: 'E_FLOW_DISABLED' });
  world.settings.isEnabled = true;
  const enable = (isEnabled: boolean) =>
    database.adminDb.query('/* switch */ update headgate.flows set enabled = $2 where tenant_id = $1', [world.tenantId, isEnabled]);
  // As one finds it that was enabled when its bytes began to be read.
  await enable(false);
  await expect(world.held.accept(decision)).rejects.toMatchObject({ code: 'E_FLOW_DISABLED' });
  await enable(true);
  expect(await world.held.accept(decision)).toMatchObject({ state: 'accepted' });
});
