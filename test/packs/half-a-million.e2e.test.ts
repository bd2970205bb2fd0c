/** An ACH file of 500,000 entries through the command line: exact totals, every entry printed, and memory that does not follow the file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeAch } from '../../bench/formats/ach-data.ts';
import { highWaterBytes } from '../../bench/timed-run.ts';

const entries = 500_000;
/** Of the whole process; the file has 95 MB, what is printed of it more than 250. */
const residentBytesMax = 200_000_000;
const lineBytes = 95;
const hashEnd = 10_000_000_000;

const folder = mkdtempSync(join(tmpdir(), 'headgate-half-'));
const file = join(folder, 'half.ach');
beforeAll(() => writeAch(file, { rows: entries, distinct: 20_000 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the columns of the entries add up to, read here once more. */
function totalsOfColumns() {
  const totals = { entries: 0, hash: 0, cents: 0 };
  const page = Buffer.alloc(lineBytes * 10_000);
  const handle = openSync(file, 'r');
  for (let length = 0, at = 0; (length = readSync(handle, page, 0, page.length, at)) > 0; at += length) {
    for (let line = 0; line < length; line += lineBytes) {
      if (page[line] !== 0x36) continue;
      totals.entries++;
      totals.hash = (totals.hash + Number(page.toString('latin1', line + 3, line + 11))) % hashEnd;
      totals.cents += Number(page.toString('latin1', line + 29, line + 39));
    }
  }
  closeSync(handle);
  return totals;
}

async function run(...options: readonly string[]) {
  const path = join(folder, 'out');
  const out = openSync(path, 'w');
  const child = spawn(join(import.meta.dirname, '../../bin/headgate'), ['run', '--format', 'nacha', ...options, file], {
    stdio: ['ignore', out, 'inherit'],
  });
  let residentBytes = 0;
  const poll = setInterval(() => {
    residentBytes = Math.max(residentBytes, highWaterBytes(child.pid!));
  }, 15);
  await once(child, 'close');
  clearInterval(poll);
  closeSync(out);
  expect(residentBytes).toBeGreaterThan(20_000_000);
  expect(residentBytes).toBeLessThan(residentBytesMax);
  return path;
}

/** How often it stands in a file. */
function count(path: string, what: string): number {
  const page = Buffer.alloc(1 << 20);
  const handle = openSync(path, 'r');
  let [found, kept] = [0, 0];
  for (let length = 0; (length = readSync(handle, page, kept, page.length - kept, null)) > 0; ) {
    const end = kept + length;
    let at = 0;
    for (let next = page.indexOf(what); next >= 0 && next + what.length <= end; next = page.indexOf(what, at)) {
      found++;
      at = next + what.length;
    }
    kept = Math.min(what.length - 1, end - at);
    page.copy(page, 0, end - kept, end);
    page.fill(0, kept);
  }
  closeSync(handle);
  return found;
}

test('its totals are those of its columns', async () => {
  const { hash, cents, entries: read } = totalsOfColumns();
  const { records, controlTotals } = JSON.parse(readFileSync(await run('--json'), 'utf8'));
  const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
  expect([read, records.read, records.rejected]).toEqual([entries, entries, expect.any(Number)]);
  expect(controlTotals).toMatchObject({
    computed: { batchCount: 50, entryAddendaCount: 2 * entries, entryHash: hash, totalCredit: amount, totalDebit: '0.00' },
    balanced: true,
  });
});

test('all of it is printed, and every finding', async () => {
  const document = await run('--parse');
  expect(statSync(document).size).toBeGreaterThan(2 * statSync(file).size);
  expect(count(document, '"checkDigit"')).toBe(entries);
  const findings = readFileSync(await run('--errors'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(findings.length).toBeGreaterThan(500);
  expect(new Set(findings.map((line) => JSON.parse(line).rule))).toEqual(new Set(['check-digit']));
});
