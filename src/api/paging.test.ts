import { describe, expect, it } from 'vitest';
import { systemPorts } from '../platform/base/system-ports.ts';
import { pageOf, readCursor, readNameCursor, readNumberCursor, writeCursor, writeNumberCursor } from './paging.ts';

const list = (url: string, params: unknown = {}) => ({ routeOptions: { url }, params });
const refused = expect.objectContaining({ code: 'E_CURSOR' });

describe('a cursor', () => {
  const id = systemPorts.ids.next();
  const errors = (job: string) => list('/v1/jobs/:id/errors', { id: job });

  it('is taken by the list that made it', () => {
    expect(readCursor(list('/v1/jobs'), writeCursor(list('/v1/jobs'), id))).toBe(id);
    expect(readNumberCursor(errors('a'), writeNumberCursor(errors('a'), 7, 0), 2)).toEqual([7, 0]);
    const name = 'é'.repeat(40);
    const { items, nextCursor } = pageOf(list('/v1/flows'), [name, 'next'], 1, (each) => each);
    expect([items, readNameCursor(list('/v1/flows'), nextCursor!)]).toEqual([[name], name]);
    expect(pageOf(list('/v1/flows'), [name], 1, (each) => each).nextCursor).toBeNull();
  });

  it('is refused by any other, and by the same of another thing', () => {
    expect(() => readCursor(list('/v1/files'), writeCursor(list('/v1/jobs'), id))).toThrow(refused);
    expect(() => readNameCursor(list('/v1/flows'), writeCursor(list('/v1/targets'), 'payments'))).toThrow(refused);
    expect(() => readNumberCursor(errors('b'), writeNumberCursor(errors('a'), 7, 0), 2)).toThrow(refused);
  });

  it('is refused with a place that is none of its list', () => {
    expect(() => readCursor(list('/v1/jobs'), writeCursor(list('/v1/jobs'), `${id}' or 1=1`))).toThrow(refused);
    expect(() => readNumberCursor(errors('a'), writeNumberCursor(errors('a'), 7), 2)).toThrow(refused);
    for (const name of ['', 'a\u0000', 'a\ufffd'])
      expect(() => readNameCursor(list('/v1/flows'), writeCursor(list('/v1/flows'), name))).toThrow(refused);
  });
});
