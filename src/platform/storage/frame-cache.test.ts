import { expect, it } from 'vitest';
import { dropFrames, findFrame, keepFrame, type OwnFrames, takeFrameRoom } from './frame-cache.ts';

function load(owner: OwnFrames, frame: number): void {
  const room = takeFrameRoom(owner);
  room[0] = frame;
  keepFrame(owner, frame, room);
}

it('a reader keeps the four frames that it used last', () => {
  const own: OwnFrames = new Map();
  for (const frame of [0, 1, 2, 3]) load(own, frame);
  expect(findFrame(own, 0)?.[0]).toBe(0);
  load(own, 4);
  expect([0, 1, 2, 3, 4].filter((frame) => findFrame(own, frame) !== undefined)).toEqual([0, 2, 3, 4]);
  dropFrames(own);
  expect(own.size).toBe(0);
});

it('any number of readers keep 24 frames together, those used last', () => {
  const readers = Array.from({ length: 200 }, (): OwnFrames => new Map());
  for (const reader of readers) load(reader, 7);
  const kept = readers.flatMap((reader, index) => (reader.size > 0 ? [index] : []));
  expect(kept).toEqual(Array.from({ length: 24 }, (_, index) => 176 + index));
  for (const reader of readers) dropFrames(reader);
  expect(readers.reduce((sum, reader) => sum + reader.size, 0)).toBe(0);
});
