/**
 * What the fake of Google Cloud Storage holds: buckets and their live objects, each with a generation that no other has had, listed
 * in the order of the bytes of their names. Older generations are not kept: nobody here asks for one.
 */
import { createHash } from 'node:crypto';

export interface GcsObject {
  readonly name: string;
  readonly content: Buffer;
  /** Microseconds since 1970, as the service counts them. */
  readonly generation: bigint;
  readonly updatedAt: Date;
}

export interface GcsListing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly startOffset: string;
  readonly pageToken: string;
  readonly resultsMax: number;
}

export interface GcsPage {
  readonly objects: readonly GcsObject[];
  readonly prefixes: readonly string[];
  readonly nextPageToken: string | null;
}

export type GcsBucket = Map<string, GcsObject>;

let lastGeneration = 0n;

export function keepObject(bucket: GcsBucket, name: string, content: Buffer): GcsObject {
  const nowMs = Date.now();
  const now = BigInt(nowMs) * 1_000n;
  lastGeneration = now > lastGeneration ? now : lastGeneration + 1n;
  const object = { name, content, generation: lastGeneration, updatedAt: new Date(nowMs) };
  bucket.set(name, object);
  return object;
}

/** Of a generation and its metadata, not of the content: two field numbers with a varint each, in base64 and without quotes. */
export function etagOf({ generation }: GcsObject): string {
  const bytes = [0x08];
  for (let rest = generation; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    bytes.push(rest > 0x7fn ? low | 0x80 : low);
    if (rest <= 0x7fn) break;
  }
  return Buffer.from([...bytes, 0x10, 0x01]).toString('base64');
}

/** The resource, as the JSON API writes it: 64-bit numbers are texts. */
export function resourceOf(bucketName: string, object: GcsObject): Readonly<Record<string, unknown>> {
  const { name, content, generation, updatedAt } = object;
  return {
    kind: 'storage#object',
    id: `${bucketName}/${name}/${generation}`,
    name,
    bucket: bucketName,
    generation: String(generation),
    metageneration: '1',
    contentType: 'application/octet-stream',
    storageClass: 'STANDARD',
    size: String(content.length),
    md5Hash: createHash('md5').update(content).digest('base64'),
    etag: etagOf(object),
    timeCreated: updatedAt.toISOString(),
    updated: updatedAt.toISOString(),
  };
}

/** Objects and common prefixes count alike for the size of a page; the token is the last of them. */
export function listPage(bucket: GcsBucket, { prefix, delimiter, startOffset, pageToken, resultsMax }: GcsListing): GcsPage {
  const objects: GcsObject[] = [];
  const prefixes: string[] = [];
  let last = '';
  const inOrder = [...bucket.values()].sort((a, b) => compareBytes(a.name, b.name));
  for (const object of inOrder) {
    const { name } = object;
    if (!name.startsWith(prefix) || compareBytes(name, startOffset) < 0) continue;
    const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    const shown = end < 0 ? name : name.slice(0, end + delimiter.length);
    if (shown === last || (pageToken !== '' && compareBytes(shown, pageToken) <= 0)) continue;
    if (objects.length + prefixes.length === resultsMax) return { objects, prefixes, nextPageToken: tokenOf(last) };
    if (end < 0) objects.push(object);
    else prefixes.push(shown);
    last = shown;
  }
  return { objects, prefixes, nextPageToken: null };
}

export function nameOfToken(token: string): string {
  return Buffer.from(token, 'base64').toString();
}

function tokenOf(name: string): string {
  return Buffer.from(name).toString('base64');
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
