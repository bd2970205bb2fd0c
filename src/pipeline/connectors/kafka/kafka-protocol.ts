/** Which requests are sent, and in which version: the newest that both the broker and the client know. */
import {
  apiVersionsV1,
  type Connection,
  initProducerIdV0,
  initProducerIdV1,
  initProducerIdV2,
  initProducerIdV3,
  initProducerIdV4,
  metadataV4,
  metadataV5,
  metadataV7,
  metadataV8,
  metadataV9,
  metadataV12,
  produceV3,
  produceV5,
  produceV7,
  produceV8,
  produceV9,
  produceV10,
  produceV11,
} from '@platformatic/kafka';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';

export type ApiName = 'produce' | 'metadata' | 'initProducerId';

/** By number of the request. */
export type VersionRanges = ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>;

export interface Api {
  readonly key: number;
  readonly version: number;
  async(connection: Connection, ...args: readonly unknown[]): Promise<unknown>;
}

const apis = {
  // Records with headers and producer ids came with version 3.
  produce: [produceV11, produceV10, produceV9, produceV8, produceV7, produceV5, produceV3],
  // That a topic is not made by asking for it can be said from version 4.
  metadata: [metadataV12, metadataV9, metadataV8, metadataV7, metadataV5, metadataV4],
  initProducerId: [initProducerIdV4, initProducerIdV3, initProducerIdV2, initProducerIdV1, initProducerIdV0],
};

/** Fails with E_TARGET_SETUP where one of the requests can't be sent in any version. */
export function chooseApis(ranges: VersionRanges): Readonly<Record<ApiName, Api>> {
  return {
    produce: chooseApi('produce', ranges),
    metadata: chooseApi('metadata', ranges),
    initProducerId: chooseApi('initProducerId', ranges),
  };
}

function chooseApi(name: ApiName, ranges: VersionRanges): Api {
  const known = apis[name].map(({ api }) => api as unknown as Api);
  const found = known.find(({ key, version }) => {
    const range = ranges.get(key);
    return range !== undefined && version >= range.minVersion && version <= range.maxVersion;
  });
  if (found !== undefined) return found;
  throw new HeadgateError(connectorErrors.E_TARGET_SETUP, `the broker takes no version of ${name} that is known here`);
}

/** Version 1 of the question is answered by every broker. */
export async function readVersions(connection: Connection): Promise<VersionRanges> {
  const { apiKeys } = await apiVersionsV1.api.async(connection, 'headgate', '1');
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]));
}
