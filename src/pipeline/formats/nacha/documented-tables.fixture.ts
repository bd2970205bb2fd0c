/** The tables of docs/formats/nacha.md, as the code has them. */
import { addenda } from './addenda-layouts.ts';
import type { RecordLayout } from './field-layouts.ts';
import { nachaRules } from './nacha-rules.ts';
import { nachaSettingList } from './nacha-settings.ts';
import * as records from './record-layouts.ts';

export function ruleRows(): string[] {
  return Object.entries(nachaRules).map(
    ([id, { code, severity, says }]) => `| \`${id}\` | ${severity === 'error' ? 'refused' : 'warned of'} | \`${code}\` | ${says} |`,
  );
}

export function settingRows(): string[] {
  return nachaSettingList.map(
    ({ name, type, choices, default: byDefault, description }) =>
      `| \`${name}\` | ${type === 'boolean' ? '`true`, `false`' : choices!.map((choice) => `\`${choice}\``).join(', ')} | \`${byDefault}\` | ${description} |`,
  );
}

/** Records with the keys that they are under. */
export function fieldRows(): string[] {
  const layouts: readonly RecordLayout[] = [
    records.fileHeader,
    records.batchHeader,
    records.iatBatchHeader,
    records.entryDetail,
    records.nameFirstEntryDetail,
    records.iatEntryDetail,
    records.advEntryDetail,
    ...Object.values(addenda),
    records.batchControl,
    records.advBatchControl,
    records.fileControl,
    records.advFileControl,
  ];
  return layouts.map((layout) => {
    const fields = layout.fields.flatMap(({ name, prints }) =>
      prints === 'hidden' ? [] : [prints === 'number' ? `\`${name}\` (number)` : `\`${name}\``],
    );
    const note = layout === records.nameFirstEntryDetail ? ' of CIE and MTE' : '';
    return `| \`${layout.name}\`${note} | ${fields.join(', ')} |`;
  });
}
