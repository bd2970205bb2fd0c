/** An emulator of a blob service, or a fake, as tests see it. */
import type { BlobCredentials, BlobService } from '../../src/platform/blob/blob-service.ts';

export interface BlobServer {
  readonly port: number;
  /** As `type` of connections. */
  readonly connectionType: 'azure-blob' | 's3' | 'gcs';
  readonly credentials: BlobCredentials;
  /** Which it refuses; null where it refuses none. */
  readonly otherCredentials: BlobCredentials | null;
  /** Whether another object than the one that was meant is not removed in its place. */
  readonly comparesOnRemove: boolean;
  /** Whether equal bytes have the same ETag again. */
  readonly etagIsOfContent: boolean;
  /** The names of containers are those of buckets. Another port is that of a proxy. */
  service(container: string, port?: number, host?: string): BlobService;
  makeContainer(name: string): Promise<void>;
  /** From then on every object keeps its versions; null where it has none. */
  readonly keepVersions: ((container: string) => Promise<void>) | null;
  stop(): Promise<void>;
}
