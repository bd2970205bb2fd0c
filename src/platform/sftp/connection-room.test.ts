import { describe, expect, it } from 'vitest';
import { ConnectionRoom } from './connection-room.ts';

function roomOf(limits: Partial<ConstructorParameters<typeof ConnectionRoom>[0]> = {}) {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const room = new ConnectionRoom(
    { connectionsMax: 10, strangersMax: 10, strangersPerAddressMax: 10, failuresPerMinuteMax: 10, ...limits },
    clock,
  );
  return { room, pass: (ms: number) => (nowMs += ms) };
}

describe('the room of a server', () => {
  it('is bounded, and free again when a connection leaves, however often that is said', () => {
    const { room } = roomOf({ connectionsMax: 2 });
    const [first] = [room.admit('a'), room.admit('b')];
    expect(room.admit('c')).toBeUndefined();
    first!.leave();
    first!.leave();
    expect(room.admit('c')).toBeDefined();
    expect(room.admit('d')).toBeUndefined();
  });

  it('has a part for strangers, that those who have shown who they are leave', () => {
    const { room } = roomOf({ strangersMax: 2 });
    const [first] = [room.admit('a'), room.admit('b')];
    expect(room.admit('c')).toBeUndefined();
    first!.enter();
    expect(room.admit('c')).toBeDefined();
    first!.leave();
    expect(room.admit('d')).toBeUndefined();
  });

  it('has less for strangers from one address, and leaves the others theirs', () => {
    const { room } = roomOf({ strangersPerAddressMax: 1 });
    expect(room.admit('a')).toBeDefined();
    expect(room.admit('a')).toBeUndefined();
    expect(room.admit('b')).toBeDefined();
  });

  it('is closed for a minute to an address from which too many failed, and to no other', () => {
    const { room, pass } = roomOf({ failuresPerMinuteMax: 3 });
    for (let failure = 0; failure < 3; failure++) {
      expect(room.admit('a')).toBeDefined();
      room.countFailure('a');
    }
    expect(room.admit('a')).toBeUndefined();
    expect(room.admit('b')).toBeDefined();
    pass(59_999);
    expect(room.admit('a')).toBeUndefined();
    pass(1);
    expect(room.admit('a')).toBeDefined();
  });

  it('remembers a bounded number of addresses', () => {
    const { room } = roomOf({ failuresPerMinuteMax: 1 });
    for (let address = 0; address < 10_001; address++) room.countFailure(`address ${address}`);
    expect(room.admit('address 0')).toBeDefined();
    expect(room.admit('address 10000')).toBeUndefined();
  });
});
