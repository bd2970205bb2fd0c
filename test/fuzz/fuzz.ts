/**
 * `npm run --silent fuzz -- --format nacha --cases 10000 --seed 1 [--json]`: changes sound files of a format at random and asks what
 * must hold whatever their bytes are: nothing fails, none takes long, memory stays bounded, the same bytes in other pieces
 * give the same, what is accepted balances. For the formats of flows: engine and reference parser say the same. Progress goes to stderr. Exit code 0 only if all held; a case that does not is
 * written to a file, with the command that makes it again.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packs } from '../../src/main/catalogue.ts';
import type { PackName } from '../../src/pipeline/formats/pack.ts';
import { seededRandom } from '../simulation/seeded-random.ts';
import { changed, type Random } from './changes.ts';
import { goodFiles } from './good-files.ts';
import { failureOf } from './pack-case.ts';
import { differenceOf, drawPlainCase, type PlainFormat, plainFormats } from './plain-case.ts';

const formats = [...Object.keys(packs), ...plainFormats];
const usage = `usage: npm run --silent fuzz -- --format ${formats.join('|')} [--cases N] [--seed N] [--case N] [--json]\n`;
const { format, cases, seed, only, isJson } = readOptions();
const growthMax = 400 * 1024 * 1024;
const failuresMax = 20;

interface Failure {
  readonly case: number;
  readonly failure: string;
  readonly file: string;
}

/** A file, and what does not hold of it: null where all does. */
type Case = (number: number, random: Random) => { readonly bytes: Buffer; readonly failure: () => string | null };
const caseOf: Case = isPlain(format) ? plainCase(format) : await packCase(format);
const failures: Failure[] = [];
let slowest = 0;
let accepted = 0;
const startMs = performance.now();
const startBytes = process.memoryUsage().rss;
let lastSaidMs = startMs;
for (let number = only ?? 0; number < (only === undefined ? cases : only + 1) && failures.length < failuresMax; number++) {
  const random = randomOf(number);
  const { bytes, failure: ask } = caseOf(number, random);
  const beganMs = performance.now();
  const failure = ask();
  const tookMs = performance.now() - beganMs;
  slowest = Math.max(slowest, tookMs);
  if (failure !== null) fail(number, bytes, failure);
  else accepted++;
  if (performance.now() - lastSaidMs > 10_000) {
    lastSaidMs = performance.now();
    process.stderr.write(`fuzz ${format}: ${number + 1} of ${cases} cases, ${failures.length} failed\n`);
  }
}
const grown = process.memoryUsage().rss - startBytes;
if (grown > growthMax) failures.push({ case: -1, failure: `memory grew by ${Math.round(grown / 1024 / 1024)} MiB`, file: '' });
const seconds = Math.round((performance.now() - startMs) / 100) / 10;
const result = { format, cases, seed, held: accepted, failures, slowestMs: Math.round(slowest), grownBytes: Math.max(0, grown), seconds };
for (const { case: number, failure, file } of failures)
  process.stderr.write(
    `case ${number}: ${failure}\n  file: ${file}\n  again: npm run --silent fuzz -- --format ${format} --seed ${seed} --case ${number}\n`,
  );
process.stdout.write(
  isJson
    ? `${JSON.stringify(result)}\n`
    : `${format}: ${result.held} of ${only === undefined ? cases : 1} cases held, the slowest took ${result.slowestMs} ms, ${seconds} s in all\n`,
);
process.exit(failures.length === 0 ? 0 : 1);

function isPlain(name: string): name is PlainFormat {
  return (plainFormats as readonly string[]).includes(name);
}

function plainCase(name: PlainFormat): Case {
  return (number, random) => {
    const drawn = drawPlainCase(name, seed * 1_000_003 + number, random);
    return { bytes: drawn.bytes, failure: () => differenceOf(drawn, random) };
  };
}

async function packCase(name: PackName): Promise<Case> {
  const pack = await packs[name]();
  const sound = goodFiles[name];
  return (_, random) => {
    const bytes = changed(sound[random.integer(sound.length)]!, random, sound);
    return { bytes, failure: () => failureOf(pack, bytes, random) };
  };
}

/** Each case by itself, so that it can be made again alone. */
function randomOf(number: number): Random {
  const random = seededRandom(seed * 1_000_003 + number);
  return { integer: (below) => Math.floor(random.fraction() * below) };
}

function fail(number: number, bytes: Buffer, failure: string): void {
  const file = join(mkdtempSync(join(tmpdir(), 'headgate-fuzz-')), `${format}-${seed}-${number}`);
  writeFileSync(file, bytes);
  failures.push({ case: number, failure, file });
}

function readOptions() {
  const parsed = (() => {
    try {
      return parseArgs({
        options: {
          format: { type: 'string' },
          cases: { type: 'string', default: '10000' },
          seed: { type: 'string', default: '1' },
          case: { type: 'string' },
          json: { type: 'boolean' },
        },
      }).values;
    } catch {
      return {};
    }
  })() as { format?: string; cases?: string; seed?: string; case?: string; json?: boolean };
  const numbers = [parsed.cases, parsed.seed, parsed.case ?? '0'].map(Number);
  const isSound =
    parsed.format !== undefined && formats.includes(parsed.format) && numbers.every((each) => Number.isSafeInteger(each) && each >= 0);
  if (!isSound) {
    process.stderr.write(usage);
    process.exit(2);
  }
  return {
    format: parsed.format as PackName | PlainFormat,
    cases: numbers[0]!,
    seed: numbers[1]!,
    only: parsed.case === undefined ? undefined : numbers[2]!,
    isJson: parsed.json === true,
  };
}
