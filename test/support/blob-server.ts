/** An emulator of a blob service, as tests see it. */
import type { BlobCredentials, BlobService } from '../../src/platform/blob/blob-service.ts';

export interface BlobServer {
  readonly port: number;
  /** As `type` of connections. */
  readonly connectionType: 'azure-blob' | 's3';
  readonly credentials: BlobCredentials;
  /** Which it refuses; null where it refuses none. */
  readonly otherCredentials: BlobCredentials | null;
  /** Whether it compares the ETag when it is asked to remove an object. */
  readonly comparesOnRemove: boolean;
  /** The names of containers are those of buckets. Another port is that of a proxy. */
  service(container: string, port?: number, host?: string): BlobService;
  makeContainer(name: string): Promise<void>;
  /** From then on every object keeps its versions; null where the emulator has none. */
  readonly keepVersions: ((container: string) => Promise<void>) | null;
  stop(): Promise<void>;
}
