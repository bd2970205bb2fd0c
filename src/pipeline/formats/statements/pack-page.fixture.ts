/** What the documentation page of a pack has to hold: a row for each rule and each setting. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Pack } from '../pack.ts';

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
