import { describe, expect, it } from 'vitest';
import { createPlaces } from './places.ts';

describe('places', () => {
  it('are bounded for a tenant and for all, and one that is given back twice is given back once', () => {
    const places = createPlaces({ tenantMax: 2, processMax: 3 });
    const first = places.take('a')!;
    expect([places.take('a'), places.take('a'), places.take('b'), places.take('b')].map(Boolean)).toEqual([true, false, true, false]);
    first();
    first();
    expect([places.take('c'), places.take('c')].map(Boolean)).toEqual([true, false]);
  });
});
