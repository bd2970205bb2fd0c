import { describe, expect, it } from 'vitest';
import { openOptions } from '../connector-contract.fixture.ts';
import { blobConnectors } from './blob-connectors.ts';
import { readBlobSettings } from './blob-settings.ts';

const azure = { type: 'azure-blob', place: { container: 'bank-in', account: 'bankza' }, keys: ['accountKey', 'sasToken'] } as const;
const google = { type: 'gcs', place: { bucket: 'bank-in' }, keys: ['serviceAccount', 'accessToken'] } as const;

describe('a connection with a choice of credentials', () => {
  it.each([azure, google])('of type $type has one of them', ({ type, place, keys }) => {
    const read = (given: readonly string[]) => {
      const connector = blobConnectors.find(({ name }) => name === type)!;
      const credentials = Object.fromEntries(given.map((key) => [key, 'env:SECRET']));
      return readBlobSettings(type, openOptions(connector, { settings: {}, connection: { ...place, ...credentials } }));
    };
    const kinds = keys.map((key) => read([key]).blob.credentials.kind);
    expect(new Set(kinds).size).toBe(2);
    for (const given of [[], keys]) expect(() => read(given)).toThrow(expect.objectContaining({ code: 'E_TARGET' }));
  });
});
