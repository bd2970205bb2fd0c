/** The tables of docs/formats/nacha.md, as the code has them. */
import type { FormatSetting } from '../format.ts';
import { addenda } from './addenda-layouts.ts';
import type { RecordLayout } from './field-layouts.ts';
import { answerFormOf } from './making/answer-forms.ts';
import { answerSettingList, mergeSettingList } from './making/maker-settings.ts';
import { nachaRules } from './nacha-rules.ts';
import { nachaSettingList } from './nacha-settings.ts';
import * as records from './record-layouts.ts';
import { writerSettingList } from './writing/writer-settings.ts';

export function ruleRows(): string[] {
  return Object.entries(nachaRules).map(
    ([id, { code, severity, says }]) => `| \`${id}\` | ${severity === 'error' ? 'refused' : 'warned of'} | \`${code}\` | ${says} |`,
  );
}

export function settingRows(settings: readonly FormatSetting[] = nachaSettingList): string[] {
  return settings.map(
    ({ name, type, choices, default: byDefault, description }) =>
      `| \`${name}\` | ${valuesOf(type, choices)} | ${byDefault === null ? 'none' : `\`${byDefault}\``} | ${description} |`,
  );
}

export const writerRows = () => settingRows(writerSettingList);
export const makerRows = () => settingRows([...mergeSettingList, ...answerSettingList]);

function valuesOf(type: FormatSetting['type'], choices: readonly string[] | undefined): string {
  if (type === 'integer') return 'a whole number';
  return type === 'boolean' ? '`true`, `false`' : choices!.map((choice) => `\`${choice}\``).join(', ');
}

/** By what answers are asked for. */
export function answerRows(): string[] {
  return answerCodes.map((code) => {
    const { addenda: name, answers, takes, requires } = answerFormOf(code)!;
    const values = takes.map((value) => `\`${value}\`${requires.includes(value) ? ' (required)' : ''}`);
    return `| \`${code}\` | \`${answers}\` | \`${name}\` | ${values.join(', ')} |`;
  });
}

/** One of each form. */
const answerCodes = ['R01', 'R14', 'R68', 'R71', 'R73', 'C01', 'C61'];

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
