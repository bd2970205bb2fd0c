/** Settings that all targets have that hold files. */
import type { ConnectorSetting } from '../connector-settings.ts';
import { fileNameTemplate } from './file-name.ts';

export const outputFileSettings: readonly ConnectorSetting[] = [
  {
    name: 'name',
    type: 'text',
    default: fileNameTemplate,
    description:
      'Name of a file: {flow}, {target}, {file}, {job}, {date}, {time} (UTC), {number}, {sequence} and {extension} are replaced.',
  },
  {
    name: 'headerLines',
    type: 'texts',
    default: null,
    description:
      'Lines before the records: placeholders of names, {count}, {sum.field}, {minorUnits.field}, each with a width such as {count:9}.',
  },
  { name: 'trailerLines', type: 'texts', default: null, description: 'Lines behind the records, with the same placeholders.' },
  { name: 'rollUp', type: 'boolean', default: false, description: 'Small jobs of the flow share a file.' },
];
