/** One file through one pack: what must hold whatever its bytes are. */
import { isDeepStrictEqual } from 'node:util';
import type { Pack } from '../../src/pipeline/formats/pack.ts';
import { type PackRun, runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import { HeadgateError } from '../../src/platform/base/errors.ts';
import { changed, type Random } from './changes.ts';

/** Of one reading. */
const slowMs = 1_000;

/** Null: all holds. Else what does not, in a sentence. */
export function failureOf(pack: Pack, bytes: Buffer, random: Random): string | null {
  let whole: PackRun;
  const startMs = performance.now();
  try {
    whole = runPack(pack, bytes);
  } catch (error) {
    return `it fails with ${error instanceof Error ? error.stack : String(error)}`;
  }
  const tookMs = performance.now() - startMs;
  if (tookMs > slowMs) return `reading ${bytes.length} bytes took ${Math.round(tookMs)} ms`;
  return brokenLaw(pack, bytes.length, whole) ?? differenceInPieces(pack, bytes, random) ?? failureOfWriter(pack, whole, random);
}

/** What is read can be written or is refused with a code, and so is whatever is made of it. */
function failureOfWriter({ settings, writer }: Pack, { document }: PackRun, random: Random): string | null {
  if (writer === undefined) return null;
  const byDefault = new Map([...settings, ...writer.settings].map((setting) => [setting.name, setting.default]));
  const read = Buffer.from(document);
  for (const bytes of [read, changed(read, random, [read])]) {
    try {
      const written = writer.createDocumentWriter(byDefault, { bytes: () => {} });
      written.push(bytes);
      written.end();
    } catch (error) {
      if (!(error instanceof HeadgateError))
        return `writing its document fails with ${error instanceof Error ? error.stack : String(error)}`;
    }
  }
  return null;
}

function brokenLaw(pack: Pack, length: number, { findings, errors, summary, document }: PackRun): string | null {
  const { records, controlTotals } = summary;
  if (!isJson(document)) return 'its document is no JSON';
  if (records.rejected > records.read) return `${records.rejected} of ${records.read} records are rejected`;
  if (errors.length === 0 && !controlTotals.balanced) return 'it is accepted and does not balance';
  for (const { rule, code, line, columns, offset } of findings) {
    if (pack.rules[rule]?.code !== code) return `the rule ${rule} of a finding is none of the pack, or has another code than ${code}`;
    if (offset < 0 || offset > length) return `a finding of ${rule} is at byte ${offset} of ${length}`;
    if (line < 1 || (columns !== null && (columns[0] < 1 || columns[1] < columns[0])))
      return `a finding of ${rule} is at line ${line}, columns ${columns}`;
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** With settings of any kind: by default some findings are not made. */
function differenceInPieces(pack: Pack, bytes: Buffer, random: Random): string | null {
  const settings = anySettings(pack, random);
  const cuts = Array.from({ length: random.integer(8) + 1 }, () => random.integer(bytes.length + 1)).sort((a, b) => a - b);
  const whole = runPack(pack, bytes, { settings });
  const pieces = runPack(pack, bytes, { settings, cuts });
  for (const part of ['findings', 'summary', 'document'] as const)
    if (!isDeepStrictEqual(pieces[part], whole[part]))
      return `its ${part} differ when it is cut at ${cuts.join(', ')}, with ${JSON.stringify(settings)}`;
  return null;
}

/** Half of them as they are by default. */
function anySettings({ settings }: Pack, random: Random): Record<string, string | boolean> {
  const chosen: Record<string, string | boolean> = {};
  for (const { name, type, choices } of settings) {
    if (random.integer(2) === 0) continue;
    if (type === 'boolean') chosen[name] = random.integer(2) === 0;
    else if (choices !== undefined) chosen[name] = choices[random.integer(choices.length)]!;
  }
  return chosen;
}
