import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { on } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { pack } from '../../../test/support/packed.ts';
import { temporaryStore } from '../../../test/support/temporary-store.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { packingNames } from '../../platform/packing/packings.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import { delimitedFormat as delimitedPlan, fieldPlan, recordPlan } from '../engine/plans.fixture.ts';
import { delimitedFormat } from '../formats/delimited/delimited-format.ts';
import type { Format } from '../formats/format.ts';
import { packedBytesMax } from './content-sink.ts';
import type { ReceivedFile } from './file-receiver.ts';
import { createDirectIntakeStore, type IntakeStore, type ReceiveRequest } from './intake-store.ts';
import { createThreadedIntakeStore } from './intake-thread.ts';
import type { IntakeAnswer } from './intake-thread-messages.ts';

const { ids } = systemPorts;
const formats = [delimitedFormat as unknown as Format];
const plan = { format: delimitedPlan, records: [recordPlan([fieldPlan('id', 'string', { column: 0, header: null })])] };
const limits = { bytesMax: 64 * 1024 ** 2, unpackedBytesMax: 64 * 1024 ** 2, ratioMax: 200, entriesMax: 256 };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What the catalogue of the product exports, as an address that a thread can import. */
const formatsUrl = `data:text/javascript,${encodeURIComponent(
  `import { delimitedFormat } from ${JSON.stringify(new URL('../formats/delimited/delimited-format.ts', import.meta.url).href)}; export const formats = [delimitedFormat];`,
)}`;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function direct() {
  const files = temporaryStore();
  return { ...files, intake: createDirectIntakeStore({ store: files.store, formats, ids }) as IntakeStore };
}

function threaded() {
  const files = temporaryStore();
  const masterKeys = [{ version: 1, bytes: new Uint8Array(32).fill(7) }];
  const intake = createThreadedIntakeStore({ root: files.root, cell: 'local', masterKeys, formatsUrl, store: files.store, formats, ids });
  closing.push(() => intake.close());
  return { ...files, intake: intake as IntakeStore & { close(): Promise<void> } };
}

function request(tenantId: string, more: Partial<ReceiveRequest> = {}): ReceiveRequest {
  return {
    tenantId,
    unpack: [],
    pgpKeys: null,
    limits,
    plan,
    chunkBytes: 10_000,
    recordBytesMax: 1024 ** 2,
    ...more,
  };
}

async function receive(intake: IntakeStore, wanted: ReceiveRequest, bytes: Uint8Array, pieceBytes = 50_000): Promise<ReceivedFile> {
  const file = intake.open(wanted);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) await file.push(bytes.subarray(at, at + pieceBytes));
    return await file.end();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

async function contentOf(intake: IntakeStore, tenantId: string, object: SealedObject): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of intake.read(tenantId, object)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const lines = (count: number) => Buffer.from(Array.from({ length: count }, (_, index) => `line-${index}\n`).join(''));

describe.each([
  ['on the event loop', direct],
  ['in a thread', threaded],
])('%s', (_where, create) => {
  it.each([0, 1, packedBytesMax - 1])('a file of %i bytes stays in memory', async (length) => {
    const { intake, tenantId, raw } = create();
    const bytes = Buffer.alloc(length, 'a');
    const { container, member, problem } = await receive(intake, request(tenantId), bytes);
    expect(Buffer.from(container.small!)).toEqual(bytes);
    expect(container).toMatchObject({ bytes: length, sha256: sha256(bytes), sealed: null });
    expect(member).toEqual(container);
    expect(problem).toBeNull();
    expect([...raw.list('')]).toEqual([]);
  });

  it.each([packedBytesMax, 300_000, 3_000_000])('a file of %i bytes is sealed, split, and reads back', async (length) => {
    const { intake, tenantId } = create();
    const bytes = lines(length / 6).subarray(0, length);
    const { container, split } = await receive(intake, request(tenantId), bytes);
    expect(container.small).toBeNull();
    expect(bytes.equals(await contentOf(intake, tenantId, container.sealed!))).toBe(true);
    expect(split!.chunks.at(-1)!.end).toBe(length);
    expect(split!.records).toBe(bytes.toString().split('\n').filter(Boolean).length);
  });

  it.each(packingNames)('a file packed with %s is sealed as it came and as it is', async (packing) => {
    const { intake, tenantId } = create();
    const bytes = lines(40_000);
    const packed = pack[packing](bytes);
    const { container, member } = await receive(intake, request(tenantId, { unpack: [packing] }), packed);
    expect(container.sha256).toBe(sha256(packed));
    expect(member!.sha256).toBe(sha256(bytes));
    expect(bytes.equals(await contentOf(intake, tenantId, member!.sealed!))).toBe(true);
  });

  it.each(packingNames)('a bomb of %s ends at the limit, and only what came is kept', async (packing) => {
    const { intake, tenantId, raw } = create();
    const bomb = pack[packing](Buffer.alloc(50 * 1024 * 1024));
    const received = await receive(intake, request(tenantId, { unpack: [packing] }), bomb, 1_000);
    expect(received).toMatchObject({ member: null, split: null, problem: { code: 'E_BOMB' } });
    expect(received.container.sha256).toBe(sha256(bomb));
    expect([...raw.listUnfinished()]).toEqual([]);
  });

  it('a file beyond its limit fails and leaves nothing', async () => {
    const { intake, tenantId, raw } = create();
    const wanted = request(tenantId, { limits: { ...limits, bytesMax: 100_000 } });
    await expect(receive(intake, wanted, lines(20_000))).rejects.toMatchObject({ code: 'E_FILE_TOO_LARGE' });
    expect([...raw.list(''), ...raw.listUnfinished()]).toEqual([]);
  });

  it('an aborted file leaves nothing', async () => {
    const { intake, tenantId, raw } = create();
    const file = intake.open(request(tenantId));
    for (let at = 0; at < 10; at++) await file.push(lines(5_000));
    await file.abort();
    expect([...raw.list(''), ...raw.listUnfinished()]).toEqual([]);
  });

  it('a pack holds every member by itself', async () => {
    const { intake, tenantId, ids: own } = create();
    const members = [lines(3), lines(0), lines(200)].map((bytes) => ({ objectId: own.next(), bytes }));
    const objects = await intake.pack(tenantId, own.next(), members);
    for (const [index, object] of objects.entries()) expect(await contentOf(intake, tenantId, object)).toEqual(members[index]!.bytes);
    expect(new Set(objects.map((object) => object.name)).size).toBe(1);
  });

  it('many files at once do not mix', async () => {
    const { intake, tenantId } = create();
    const contents = Array.from({ length: 12 }, (_, index) => lines(index * 3_000 + 1));
    const received = await Promise.all(contents.map((bytes, index) => receive(intake, request(tenantId), bytes, 1_000 * (index + 1))));
    expect(received.map((file) => file.container.sha256)).toEqual(contents.map(sha256));
  });

  it('how a file is cut into pieces changes nothing', async () => {
    const ways = [[], ...packingNames.map((packing) => [packing])];
    const { intake, tenantId } = create();
    const whole = new Map<string, unknown>();
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(lines(10), lines(9_000)));
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...ways), fc.integer({ min: 1, max: 70_000 }), async (content, unpack, pieceBytes) => {
        const sent = unpack.reduce<Uint8Array>((bytesSoFar, packing) => pack[packing](bytesSoFar), content);
        const facts = ({ container, member, split, problem }: ReceivedFile) => ({
          hashes: [container.sha256, member?.sha256],
          split,
          problem,
        });
        const key = `${unpack} ${sha256(content)}`;
        if (!whole.has(key)) whole.set(key, facts(await receive(intake, request(tenantId, { unpack }), sent, 1024 ** 2)));
        expect(
          facts(
            await receive(intake, request(tenantId, { unpack }), sent, content.length > 1_000 ? Math.max(pieceBytes, 500) : pieceBytes),
          ),
        ).toEqual(whole.get(key));
      }),
      { numRuns: 40 },
    );
  });
});

it('while a thread makes a big file durable, the event loop goes on', async () => {
  const { intake, tenantId } = threaded();
  const file = intake.open(request(tenantId));
  const piece = Buffer.alloc(256 * 1024, 'a,1\n');
  for (let at = 0; at < 128; at++) await file.push(piece);
  let turns = 0;
  let isDone = false;
  const ended = file.end().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  expect((await ended).container.bytes).toBe(128 * piece.length);
  expect(turns).toBeGreaterThan(20);
});

it('what is on its way behind a piece that failed fails as that did, and is not taken', async () => {
  const { root, tenantId, raw } = temporaryStore();
  const masterKeys = [{ version: 1, bytes: new Uint8Array(32).fill(7) }];
  const thread = new Worker(new URL('./intake-thread-entry.ts', import.meta.url), {
    workerData: { root, cell: 'local', masterKeys, formatsUrl },
  });
  closing.push(async () => void (await thread.terminate()));
  const wanted = request(tenantId, { limits: { ...limits, bytesMax: 400_000 } });
  const piece = (length: number) => ({ kind: 'push', file: 1, bytes: lines(length / 6).subarray(0, length) });
  // The second is too much, the third would not be.
  const calls = [{ kind: 'open', file: 1, request: wanted }, piece(250_000), piece(250_000), piece(40_000), { kind: 'abort', file: 1 }];
  for (const [id, call] of calls.entries()) thread.postMessage({ id, call });
  const said: IntakeAnswer[] = [];
  for await (const [answer] of on(thread, 'message')) if (said.push(answer as IntakeAnswer) === calls.length) break;
  const codes = said.toSorted((a, b) => a.id - b.id).map((answer) => ('failure' in answer ? answer.failure.code : 'done'));
  expect(codes).toEqual(['done', 'done', 'E_FILE_TOO_LARGE', 'E_FILE_TOO_LARGE', 'done']);
  expect([...raw.list(''), ...raw.listUnfinished()]).toEqual([]);
});

it('a thread that ends fails what it has in hand, and the next file starts another', async () => {
  const { intake, tenantId } = threaded();
  const file = intake.open(request(tenantId));
  await file.push(lines(20_000));
  await file.push(lines(1));
  await intake.close();
  await expect(file.end()).rejects.toMatchObject({ code: 'E_INTAKE_ENDED', retryable: true });
  expect((await receive(intake, request(tenantId), lines(20_000))).container.sha256).toBe(sha256(lines(20_000)));
});

it('a thread that the machine does not give fails a file for now', () => {
  const { root, tenantId } = temporaryStore();
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, path));
  const script = `
    import { openSync } from 'node:fs';
    import { createThreadedIntakeStore } from ${module('intake-thread.ts')};
    const intake = createThreadedIntakeStore({ root: ${JSON.stringify(root)}, remote: null, cell: 'local', masterKeys: [], formatsUrl: '' });
    try { for (;;) openSync('/dev/null'); } catch {}
    const failed = await intake.pack('${tenantId}', '${tenantId}', []).catch((error) => error);
    console.log(failed.code, failed.retryable);`;
  const child = spawnSync('sh', ['-c', 'ulimit -n 64; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script], {
    encoding: 'utf8',
  });
  expect(child.stdout).toBe('E_INTAKE_ENDED true\n');
});
