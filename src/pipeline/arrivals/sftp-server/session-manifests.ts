/**
 * Manifests that a session brought before the files that they describe: with one, a file that was closed too early is told
 * from a whole one. They are small, read when they are closed, and gone with the session.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { VirtualWriter } from '../../../platform/sftp/virtual-files.ts';
import { type Manifest, manifestBytesMax, parseManifest } from '../manifest.ts';
import type { UploadRequest } from '../upload.ts';
import { sftpServerErrors } from './sftp-server-errors.ts';

const manifestsMax = 1_000;

export class SessionManifests {
  /** By path of the file; oldest first. */
  readonly #manifests = new Map<string, Manifest>();

  /** Of the file at that path. */
  writer(path: string): VirtualWriter {
    const content = Buffer.alloc(manifestBytesMax);
    let bytes = 0;
    return {
      get bytes() {
        return bytes;
      },
      async write(offset, piece) {
        if (offset + piece.length > content.length) throw refused('the manifest is larger than 4 KiB');
        content.set(piece, offset);
        bytes = Math.max(bytes, offset + piece.length);
      },
      close: async () => this.#keep(path, parseManifest(content.subarray(0, bytes))),
      abort() {},
    };
  }

  /** What the upload of the file is held to. Fails with E_SFTP_MANIFEST. */
  headersOf(path: string, name: string): UploadRequest['headers'] {
    const manifest = this.#manifests.get(path);
    if (manifest === undefined) throw refused('the manifest of the file has not come, in this session');
    if (manifest.name !== null && manifest.name.replace(/^\.\//, '') !== name) throw refused('the manifest names another file');
    const digest = Buffer.from(manifest.sha256, 'hex').toString('base64');
    return { reprDigest: `sha-256=:${digest}:`, ...(manifest.bytes !== null && { contentLength: manifest.bytes }) };
  }

  forget(path: string): void {
    this.#manifests.delete(path);
  }

  #keep(path: string, manifest: Manifest | null): void {
    if (manifest === null) throw refused('the manifest can not be read');
    this.#manifests.delete(path);
    this.#manifests.set(path, manifest);
    if (this.#manifests.size > manifestsMax) this.#manifests.delete(this.#manifests.keys().next().value!);
  }
}

function refused(message: string): HeadgateError {
  return new HeadgateError(sftpServerErrors.E_SFTP_MANIFEST, message);
}
