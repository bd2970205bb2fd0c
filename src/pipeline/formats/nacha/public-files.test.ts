import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../test/support/public-data.ts';
import { readAch } from './ach-files.fixture.ts';

interface Verdict {
  readonly file: string;
  readonly kind?: 'options';
  readonly valid: boolean;
  readonly batches: number;
  readonly iatBatches: number;
  readonly entryAddendaCount: number;
  readonly totalDebit: number;
  readonly totalCredit: number;
  readonly entryHash: number;
  readonly sec: readonly string[];
  readonly returnBatches: number;
  readonly nocBatches: number;
}

const cents = (text: unknown) => Number(String(text).replace('.', ''));

itWithPublicData('ach', 'public ACH files are accepted, refused and summed up as moov-io/ach does', (folder) => {
  const verdicts = expectedVerdicts<Verdict>(folder).filter(({ file, kind }) => kind === undefined && !file.endsWith('.json'));
  expect(verdicts.length).toBeGreaterThan(0);
  for (const verdict of verdicts) {
    const { findings, summary } = readAch(readFileSync(join(folder, verdict.file)));
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect([verdict.file, errors.length === 0]).toEqual([verdict.file, verdict.valid]);
    if (!verdict.valid) continue;
    const { declared, balanced } = summary.controlTotals;
    const classes: Record<string, number> = {};
    for (const sec of verdict.sec) classes[sec] = (classes[sec] ?? 0) + 1;
    expect({ file: verdict.file, balanced, secCodes: summary.details['secCodes'] }).toEqual({
      file: verdict.file,
      balanced: true,
      secCodes: classes,
    });
    expect([declared['entryAddendaCount'], declared['entryHash'], cents(declared['totalDebit']), cents(declared['totalCredit'])]).toEqual([
      verdict.entryAddendaCount,
      verdict.entryHash,
      verdict.totalDebit,
      verdict.totalCredit,
    ]);
    const { batches, iatBatches, returnBatches, nocBatches } = summary.details;
    expect([batches, iatBatches, returnBatches, nocBatches]).toEqual([
      verdict.batches + verdict.iatBatches,
      verdict.iatBatches,
      verdict.returnBatches,
      verdict.nocBatches,
    ]);
  }
});

type Parsed = Readonly<Record<string, unknown>>;
/** What that reader adds of its own. */
const ownKeys: ReadonlySet<string> = new Set(['id', 'offset']);

function differences(expected: unknown, found: unknown, path: string): string[] {
  if (expected === null) return [];
  if (Array.isArray(expected))
    return expected.flatMap((each, index) => differences(each, (found as unknown[])?.[index], `${path}[${index}]`));
  if (typeof expected === 'object')
    return Object.entries(expected as Parsed).flatMap(([key, value]) =>
      ownKeys.has(key) ? [] : differences(value, (found as Parsed | undefined)?.[key], `${path}.${key}`),
    );
  return expected === found ? [] : [`${path}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`];
}

interface MoovFile {
  readonly fileHeader: Parsed;
  readonly batches: readonly Parsed[] | null;
  readonly IATBatches: readonly Parsed[] | null;
  readonly fileControl: Parsed;
  readonly fileADVControl: Parsed;
}

itWithPublicData('ach', 'every field of public ACH files is that which moov-io/ach reads', (folder) => {
  const lines = readFileSync(join(folder, 'EXPECTED_FIELDS.jsonl'), 'utf8').split('\n');
  for (const line of lines.filter((each) => each !== '')) {
    const { id, parsed } = JSON.parse(line) as { id: string; parsed: MoovFile };
    const found = JSON.parse(readAch(readFileSync(join(folder, id))).document);
    const isAdv = parsed.fileADVControl['batchCount'] !== 0;
    const domestic = (parsed.batches ?? []).map(({ batchControl, ...batch }) => (isAdv ? batch : { ...batch, batchControl }));
    expect([
      ...differences(parsed.fileHeader, found.fileHeader, `${id}.fileHeader`),
      ...differences([...domestic, ...(parsed.IATBatches ?? [])], found.batches, `${id}.batches`),
      ...(isAdv
        ? differences(parsed.fileADVControl, found.fileADVControl, `${id}.fileADVControl`)
        : differences(parsed.fileControl, found.fileControl, `${id}.fileControl`)),
    ]).toEqual([]);
  }
});
