import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CommandLine, printable } from '../../src/cli/command.ts';
import { printOne, printRows } from '../../src/cli/output.ts';

const hostile = ['\u001b]0;title\u0007', '\u001b[2J\u001b[H', '\u009b31m', 'a\rb', '\u202egpj.exe', '\u2066x\u2069', '\u0000', '\u007f'];
const obeyed = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const line = (output?: string): CommandLine =>
  ({ positionals: [], options: output === undefined ? {} : { output } }) as unknown as CommandLine;

afterEach(() => vi.restoreAllMocks());

async function printed(print: () => Promise<void>): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: (error?: Error) => void) => {
    text += chunk;
    done?.();
    return true;
  }) as typeof process.stdout.write);
  await print();
  vi.restoreAllMocks();
  return text;
}

describe('text from outside (D11)', () => {
  it.each([undefined, 'json', 'ndjson', 'yaml', 'csv'])('holds nothing that a terminal obeys, printed as %s', async (output) => {
    const rows = hostile.map((name, index) => ({ id: index, name }));
    const texts = [
      await printed(() => printRows(line(output), rows, { columns: ['id', 'name'] })),
      ...(await Promise.all([printed(() => printOne(line(output), { name: hostile.join('') }))])),
    ];
    for (const text of texts) {
      expect(text).not.toBe('');
      // CRLF ends the lines of CSV.
      expect(text.replaceAll('\r\n', '\n')).not.toMatch(obeyed);
      expect(text.replaceAll('\r\n', '\n')).not.toContain('\r');
    }
  });

  it('makes no line or column of its own, also in what is nested', async () => {
    const thing = { id: 1, fields: { note: 'a\tb\nstate\tcompleted\r\nc', more: { deep: true }, none: {} }, targets: ['x\ny'] };
    expect(await printed(() => printOne(line(), thing))).toBe(
      'id\t1\nfields.note\ta b state completed  c\nfields.more.deep\ttrue\nfields.none\t{}\ntargets\t["x\\ny"]\n'.replace(
        '  c',
        '\ufffd c',
      ),
    );
    expect(await printed(() => printRows(line(), [{ note: 'a\tb\nc' }], { columns: ['note'] }))).toBe('note\na b c\n');
  });

  it('in errors is made harmless too', () => {
    for (const text of hostile) expect(printable(text)).not.toMatch(obeyed);
  });

  it('printed as JSON is the same data', async () => {
    const text = await printed(() => printOne(line('json'), { name: hostile.join('') }));
    expect(JSON.parse(text)).toEqual({ name: hostile.join('') });
  });
});

describe('a table for a spreadsheet (B14)', () => {
  it.each(['=1+1', '+1', '-1+cmd', '@SUM(A1)', '\t=1', ' =1', '\u00a0=1', '"safe"\n=cmd'])(
    'has no formula in the cell %j',
    async (name) => {
      const text = await printed(() => printRows(line('csv'), [{ name }], { columns: ['name'] }));
      const cell = text.slice('name\r\n'.length).replace(/^"/, '');
      expect(cell).not.toMatch(/^[\s\u00a0]*[=+\-@]/);
    },
  );

  it.each(['-1.00', '-15', '12.5'])('keeps the number %s as it is', async (name) => {
    expect(await printed(() => printRows(line('csv'), [{ name }], { columns: ['name'] }))).toBe(`name\r\n${name}\r\n`);
  });
});
