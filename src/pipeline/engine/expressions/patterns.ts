/**
 * Regular expressions in linear time (RE2 syntax). The engine is loaded at the first pattern, because most flows and
 * commands need none. A compiled pattern is kept, so that a flow pays once.
 */
import { createRequire } from 'node:module';
import { parseSimplePattern } from '../fields/simple-pattern.ts';

type Re2 = typeof import('re2js');

export type PatternScope = 'whole' | 'part';

const load = createRequire(import.meta.url);
let engine: Re2 | null = null;
const compiled = new Map<string, (text: string) => boolean>();
const patternsKept = 1_000;

export const patternLengthMax = 1_000;

/** `whole`: the pattern must cover the text; `part`: it may match anywhere. Throws when RE2 refuses the pattern. */
export function compilePattern(pattern: string, scope: PatternScope): (text: string) => boolean {
  const key = `${scope} ${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  engine ??= load('re2js') as Re2;
  const expression = engine.RE2JS.compile(pattern);
  const test = scope === 'whole' ? (text: string) => expression.matches(text) : (text: string) => expression.matcher(text).find();
  if (compiled.size >= patternsKept) compiled.clear();
  compiled.set(key, test);
  return test;
}

/** Null, or why the pattern is refused: back references and look-around are not linear. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > patternLengthMax) return `pattern is longer than ${patternLengthMax} characters`;
  // A pattern of this kind is one of RE2 too, and needs no engine to be loaded.
  if (parseSimplePattern(pattern) !== null) return null;
  try {
    compilePattern(pattern, 'part');
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'pattern is refused';
  }
}
