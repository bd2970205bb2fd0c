/**
 * Reads bodies of JSON. A field that is there twice is refused: of two values one reader takes the first and another one the last, so
 * that nobody could tell which of them somebody looked at before.
 */
import type { FastifyInstance } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';

export function takeJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parse(request, text, (error, body) => {
      const path = error === null ? repeatedField(text) : null;
      done(path === null ? error : twice(path), body);
    });
  });
}

const pathMax = 200;

function twice(path: string): HeadgateError {
  const shown = path.length > pathMax ? `${path.slice(0, pathMax)}…` : path;
  return new HeadgateError(apiErrors.E_REQUEST, 'the request does not have the described shape', {
    details: [{ code: apiErrors.E_REQUEST, message: 'this field is there twice', path: shown }],
  });
}

interface Level {
  /** Names of its fields so far; null: it is a list. */
  readonly names: Set<string> | null;
  /** Of the field or item that is being read. */
  name: string | number;
  isNameNext: boolean;
}

/** The JSON pointer of the first field that is there twice; null: there is none. `json` is known to be well formed, and is read once. */
export function repeatedField(json: string): string | null {
  const levels: Level[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;
  for (let found = tokens.exec(json); found !== null; found = tokens.exec(json)) {
    const [token] = found;
    const level = levels.at(-1);
    if (token === '{') levels.push({ names: new Set(), name: '', isNameNext: true });
    else if (token === '[') levels.push({ names: null, name: 0, isNameNext: false });
    else if (token === '}' || token === ']') levels.pop();
    else if (token === ',') next(level!);
    else if (level?.isNameNext && level.names !== null) {
      level.name = JSON.parse(token) as string;
      level.isNameNext = false;
      if (level.names.has(level.name)) return pointerOf(levels);
      level.names.add(level.name);
    }
  }
  return null;
}

function next(level: Level): void {
  if (typeof level.name === 'number') level.name++;
  else level.isNameNext = true;
}

/** RFC 6901. */
function pointerOf(levels: readonly Level[]): string {
  return levels.map(({ name }) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
