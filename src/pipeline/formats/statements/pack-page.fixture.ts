/** What the documentation page of a pack has to hold: a row for each rule and each setting. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Pack, PackField } from '../pack.ts';

export function packPage(pack: Pack): string {
  return readFileSync(fileURLToPath(new URL(`../../../../docs/formats/${pack.name}.md`, import.meta.url)), 'utf8');
}

export function ruleRows({ rules }: Pack): string[] {
  return Object.entries(rules).map(([rule, { code, says }]) => `| \`${rule}\` | ${code} | ${says} |`);
}

export function settingRows({ settings }: Pack): string[] {
  return settings.map(
    ({ name, choices, type, default: standard, description }) =>
      `| \`${name}\` | ${choices?.join(', ') ?? type} | ${standard} | ${description} |`,
  );
}

/** The first cells of the rows of a table of fields: name, type, and what else holds of the field. */
export function fieldCells(fields: Readonly<Record<string, PackField>>): string[] {
  return Object.entries(fields).map(([name, { type, scale, required, sum, currency, mask }]) => {
    const more = [
      ...(required === true ? ['required'] : []),
      ...(sum === true ? [currency === undefined ? 'summed' : `summed by \`${currency}\``] : []),
      ...(mask === undefined ? [] : [`masked: ${mask}`]),
    ];
    return `| \`${name}\` | ${type}${scale === undefined ? '' : `(${scale})`} | ${more.join(', ')} |`;
  });
}

/** Those of the table below a heading of the third level; every row says in its last cell what the field is. */
export function documentedCells(page: string, heading: string): string[] {
  const section = page.split(/\n#{2,3} /).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => /^(\| `.*? \|.*?\|.*?\|) .+ \|$/.exec(row)?.[1] ?? `${row} says not what it is`);
}
