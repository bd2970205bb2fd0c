/**
 * A fake of Google Cloud Storage, of our own: the part of its JSON API that OpenDAL uses, written from what is documented and
 * reported of it. It shows how OpenDAL and we speak what is known of the protocol, and nothing of the service itself. What it does
 * not know it refuses, parameters too, so that nothing is passed over that the service would heed. Run as a process of its own:
 * `node gcs-service.ts <port> <token>`.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { etagOf, type GcsBucket, type GcsObject, keepObject, listPage, nameOfToken, resourceOf } from './gcs-buckets.ts';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly parameters: URLSearchParams;
  readonly body: Buffer;
}

/** An upload that is not complete. Whoever knows its address may go on with it, without a token. */
interface Session {
  readonly bucket: GcsBucket;
  readonly bucketName: string;
  readonly name: string;
  readonly ifGenerationMatch: string | null;
  content: Buffer;
  /** What came of it: told again to who asks again. */
  made: GcsObject | null;
}

class Refusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const pieceBytes = 256 * 1024;
const resultsMax = 1_000;
const [port, token] = process.argv.slice(2);
const buckets = new Map<string, GcsBucket>();
const sessions = new Map<string, Session>();

function bucketOf(name: string): GcsBucket {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new Refusal(404, 'notFound', 'The specified bucket does not exist.');
  return bucket;
}

/** Of a bucket that is missing it says no more than of an object that is. */
function objectOf(bucketName: string, name: string): GcsObject {
  const object = buckets.get(bucketName)?.get(name);
  if (object === undefined) throw new Refusal(404, 'notFound', `No such object: ${bucketName}/${name}`);
  return object;
}

function checkGeneration(expected: string | null, found: GcsObject | undefined): void {
  if (expected !== null && expected !== String(found?.generation ?? 0)) throw conditionNotMet();
}

function conditionNotMet(): Refusal {
  return new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.');
}

function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/json; charset=UTF-8', ...headers }, body: JSON.stringify(value) };
}

function makeBucket({ body }: Asked): Answer {
  const { name } = JSON.parse(body.toString()) as { name: string };
  if (buckets.has(name))
    throw new Refusal(409, 'conflict', 'Your previous request to create the named bucket succeeded and you already own it.');
  buckets.set(name, new Map());
  return json({ kind: 'storage#bucket', id: name, name });
}

function list(bucketName: string, { parameters }: Asked): Answer {
  const found = listPage(bucketOf(bucketName), {
    prefix: parameters.get('prefix') ?? '',
    delimiter: parameters.get('delimiter') ?? '',
    startOffset: parameters.get('startOffset') ?? '',
    pageToken: nameOfToken(parameters.get('pageToken') ?? ''),
    resultsMax: Math.min(resultsMax, Number(parameters.get('maxResults') ?? resultsMax)),
  });
  return json({
    kind: 'storage#objects',
    ...(found.nextPageToken !== null && { nextPageToken: found.nextPageToken }),
    ...(found.prefixes.length > 0 && { prefixes: found.prefixes }),
    ...(found.objects.length > 0 && { items: found.objects.map((object) => resourceOf(bucketName, object)) }),
  });
}

function get(bucketName: string, name: string, { request, parameters }: Asked): Answer {
  const object = objectOf(bucketName, name);
  const ifMatch = request.headers['if-match'];
  if (ifMatch !== undefined && ifMatch !== etagOf(object)) throw conditionNotMet();
  if (parameters.get('alt') !== 'media') return json(resourceOf(bucketName, object), { etag: etagOf(object) });
  const { content, generation } = object;
  const headers = { 'content-type': 'application/octet-stream', etag: etagOf(object), 'x-goog-generation': String(generation) };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) return { status: 200, headers, body: content };
  const from = Number(range[1]);
  if (from >= content.length) throw new Refusal(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable');
  const piece = content.subarray(from, range[2] === '' ? content.length : Number(range[2]) + 1);
  const contentRange = `bytes ${from}-${from + piece.length - 1}/${content.length}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: piece };
}

function remove(bucketName: string, name: string): Answer {
  objectOf(bucketName, name);
  bucketOf(bucketName).delete(name);
  return { status: 204 };
}

/** In one call: buckets here are all of one place and class. */
function rewrite(from: readonly [string, string], to: readonly [string, string]): Answer {
  const { content } = objectOf(...from);
  const resource = resourceOf(to[0], keepObject(bucketOf(to[0]), to[1], content));
  const size = String(content.length);
  return json({ kind: 'storage#rewriteResponse', totalBytesRewritten: size, objectSize: size, done: true, resource });
}

/** The condition is not looked at before the object would be there, and is in the address, as the other parameters are. */
function beginUpload(bucketName: string, { request, parameters }: Asked): Answer {
  const name = parameters.get('name') ?? '';
  const bucket = bucketOf(bucketName);
  if (parameters.get('uploadType') !== 'resumable' || name === '') throw invalid('uploadType');
  const ifGenerationMatch = parameters.get('ifGenerationMatch');
  const id = randomBytes(24).toString('base64url');
  sessions.set(id, { bucket, bucketName, name, ifGenerationMatch, content: Buffer.alloc(0), made: null });
  const query = new URLSearchParams([...parameters, ['upload_id', id]]);
  const location = `http://${request.headers.host}/upload/storage/v1/b/${bucketName}/o?${query}`;
  return { status: 200, headers: { location, 'x-guploader-uploadid': id } };
}

/** Bytes that it has already are passed over, so that a piece may be sent again; none may be left out. */
function goOnWithUpload({ request, parameters, body }: Asked): Answer {
  const session = sessions.get(parameters.get('upload_id') ?? '');
  if (session === undefined) throw new Refusal(404, 'notFound', 'Not Found');
  const { bucket, bucketName, name, ifGenerationMatch } = session;
  if (session.made !== null) return json(resourceOf(bucketName, session.made));
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '');
  if (range === null) throw invalid('content-range');
  const [, from = String(session.content.length), last, total] = range;
  const isWhole = last === undefined ? body.length === 0 : body.length === Number(last) - Number(from) + 1;
  const known = session.content.length - Number(from);
  if (!isWhole || known < 0) throw invalid('content-range');
  const content = Buffer.concat([session.content, body.subarray(known)]);
  const isLast = total !== '*' && Number(total) === content.length;
  if (!isLast && content.length % pieceBytes !== 0) throw invalid('content-length');
  session.content = content;
  if (!isLast) return { status: 308, headers: content.length === 0 ? {} : { range: `bytes=0-${content.length - 1}` } };
  checkGeneration(ifGenerationMatch, bucket.get(name));
  session.made = keepObject(bucket, name, content);
  return json(resourceOf(bucketName, session.made));
}

function cancelUpload({ parameters }: Asked): Answer {
  return { status: sessions.delete(parameters.get('upload_id') ?? '') ? 499 : 404 };
}

function invalid(what: string): Refusal {
  return new Refusal(400, 'invalid', `Invalid argument: ${what}`);
}

interface Call {
  readonly method: string;
  readonly path: RegExp;
  readonly parameters: readonly string[];
  readonly needsToken: boolean;
  answer(names: readonly string[], asked: Asked): Answer;
}

const anObject = '/storage/v1/b/([^/]+)/o/([^/]+)';
const uploads = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/;
const uploadParameters = ['uploadType', 'name', 'ifGenerationMatch'];
const sessionParameters = [...uploadParameters, 'upload_id'];
const calls: readonly Call[] = [
  { method: 'POST', path: /^\/storage\/v1\/b$/, parameters: ['project'], needsToken: true, answer: (_names, asked) => makeBucket(asked) },
  {
    method: 'GET',
    path: /^\/storage\/v1\/b\/([^/]+)\/o$/,
    parameters: ['prefix', 'delimiter', 'startOffset', 'pageToken', 'maxResults'],
    needsToken: true,
    answer: ([bucket], asked) => list(bucket!, asked),
  },
  {
    method: 'GET',
    path: new RegExp(`^${anObject}$`),
    parameters: ['alt'],
    needsToken: true,
    answer: ([bucket, name], asked) => get(bucket!, name!, asked),
  },
  {
    method: 'DELETE',
    path: new RegExp(`^${anObject}$`),
    parameters: [],
    needsToken: true,
    answer: ([bucket, name]) => remove(bucket!, name!),
  },
  {
    method: 'POST',
    path: new RegExp(`^${anObject}/rewriteTo/b/([^/]+)/o/([^/]+)$`),
    parameters: [],
    needsToken: true,
    answer: ([bucket, name, toBucket, toName]) => rewrite([bucket!, name!], [toBucket!, toName!]),
  },
  {
    method: 'POST',
    path: uploads,
    parameters: uploadParameters,
    needsToken: true,
    answer: ([bucket], asked) => beginUpload(bucket!, asked),
  },
  { method: 'PUT', path: uploads, parameters: sessionParameters, needsToken: false, answer: (_names, asked) => goOnWithUpload(asked) },
  { method: 'DELETE', path: uploads, parameters: sessionParameters, needsToken: false, answer: (_names, asked) => cancelUpload(asked) },
];

function answerTo(request: IncomingMessage, body: Buffer): Answer {
  const [path = '', query = ''] = request.url!.split('?');
  const parameters = new URLSearchParams(query);
  const call = calls.find((each) => each.method === request.method && each.path.test(path));
  if (call === undefined) throw new Refusal(501, 'notImplemented', 'the fake does not know this request');
  if (call.needsToken && request.headers.authorization !== `Bearer ${token}`) throw new Refusal(401, 'authError', 'Invalid Credentials');
  const unknown = [...parameters.keys()].find((name) => !call.parameters.includes(name));
  if (unknown !== undefined) throw invalid(unknown);
  const names = call.path.exec(path)!.slice(1).map(decodeURIComponent);
  return call.answer(names, { request, parameters, body });
}

/** Where a content was asked for, the answer is no JSON. */
function refused({ status, reason, message }: Refusal, isMedia: boolean): Answer {
  const headers: Record<string, string> =
    status === 401 ? { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' } : {};
  if (isMedia) return { status, headers: { ...headers, 'content-type': 'text/html; charset=UTF-8' }, body: message };
  const errors = [{ message, domain: 'global', reason }];
  return { ...json({ error: { code: status, message, errors } }, headers), status };
}

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request) pieces.push(piece as Buffer);
  } catch {
    return;
  }
  let answer: Answer;
  try {
    answer = answerTo(request, Buffer.concat(pieces));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    answer = refused(error, request.url!.endsWith('?alt=media'));
  }
  const body = answer.body ?? '';
  response.writeHead(answer.status, { ...answer.headers, ...(answer.status !== 204 && { 'content-length': Buffer.byteLength(body) }) });
  response.end(body);
}

createServer((request, response) => void take(request, response)).listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`listening on ${port}\n`);
});
