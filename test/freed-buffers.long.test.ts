/**
 * Memory of buffers lies outside the heap, and the collector is in no hurry with it: what a served process reads and writes is given back by
 * itself, so that a bigger file takes no more. Each case moves many times the bytes that it may have in hand.
 */
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { readBody } from '../src/api/upload-body.ts';
import { SegmentSet } from '../src/control/jobs/groups/segment-set.ts';
import { listFolder, lookAt, readFile } from '../src/pipeline/arrivals/folder-source.ts';
import { hashBody } from '../src/pipeline/deliveries/cutting/body-hash.ts';
import { holdFolder } from '../src/platform/base/held-folder.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import type { SealedObject } from '../src/platform/storage/object-store.ts';
import { temporaryFolder, temporaryStore } from './support/temporary-store.ts';

const mebibyte = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

/** The most that buffers took beyond what they took before, by looks that `work` asks for. */
async function mostBytes(work: (look: () => void) => Promise<void> | void): Promise<number> {
  collect();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const look = () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  };
  await work(look);
  look();
  return most;
}

test('the body of an upload', async () => {
  const bytes = 64 * mebibyte;
  const read = Promise.withResolvers<number>();
  const server = createServer((message, answer) => {
    let count = 0;
    const most = mostBytes(async (look) => {
      for await (const piece of readBody(message, 60_000)) {
        count += piece.length;
        look();
      }
      expect(count).toBe(bytes);
    });
    most.then(read.resolve, read.reject).finally(() => answer.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const sent = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' });
  const block = Buffer.alloc(256 * 1024);
  function* blocks() {
    for (let at = 0; at < bytes; at += block.length) yield block;
  }
  await pipeline(blocks, sent);
  expect(await read.promise).toBeLessThan(4 * mebibyte);
});

test('a big file of a folder', async () => {
  const place = temporaryFolder();
  writeFileSync(join(place, 'big.bin'), Buffer.alloc(64 * mebibyte));
  const folder = holdFolder(place);
  onTestFinished(() => folder.close());
  const most = await mostBytes(async (look) => {
    let count = 0;
    for await (const piece of readFile(folder, lookAt(folder, listFolder(folder)[0]!)!)) {
      count += piece.length;
      look();
    }
    expect(count).toBe(64 * mebibyte);
  });
  expect(most).toBeLessThan(4 * mebibyte);
});

test('segments that chunks write', async () => {
  const { store, tenantId, ids } = temporaryStore();
  const block = Buffer.alloc(mebibyte, 'x');
  const small = Buffer.alloc(200 * 1024, 'y');
  const most = await mostBytes((look) => {
    for (let chunk = 0; chunk < 12; chunk++) {
      const set = new SegmentSet({ store, tenantId, ids, label: `chunk-${chunk}` });
      for (const target of [0, 1, 2]) {
        const part = set.openPart('output', target);
        part.write(block);
        part.write(block);
        expect(part.end()).toMatchObject({ start: 0, end: 2 * mebibyte });
      }
      const outcomes = set.openPart('outcome');
      outcomes.write(small);
      outcomes.end();
      expect(set.commit()).toHaveLength(4);
      look();
    }
  });
  // Frames that readers and writers of a thread keep are some of it.
  expect(most).toBeLessThan(12 * mebibyte);
});

test('bodies that are hashed, of many segments', async () => {
  const { store, tenantId, ids } = temporaryStore();
  const segments = new Map<string, SealedObject>();
  const content = Buffer.alloc(3 * mebibyte, 'z');
  for (let index = 0; index < 8; index++) {
    const writer = store.create({ tenantId, objectId: ids.next(), kind: 'output' });
    writer.write(content);
    const object = writer.commit();
    segments.set(object.objectId, object);
  }
  const readers = [...segments].map(([id, object]) => [id, store.open(tenantId, object)] as const);
  onTestFinished(() => readers.forEach(([, reader]) => void reader.close()));
  const byId = new Map(readers);
  /** From inside a frame to inside another one. */
  const ranges = [7, content.length - 9];
  const spans = [...segments.keys()].map((segmentId) => ({ segmentId, ranges }));
  const most = await mostBytes(async (look) => {
    for (let body = 0; body < 8; body++) {
      for (const count of [8, 2]) {
        const own = spans.slice(0, count);
        await hashBody(own, count * (ranges[1]! - ranges[0]!), (id) => byId.get(id)!, systemPorts.sleep);
        look();
      }
    }
  });
  expect(most).toBeLessThan(8 * mebibyte);
});
