/** Settings that all targets have that hold files. */
import type { ConnectorSetting } from '../connector-settings.ts';
import { fileNameTemplate } from './file-name.ts';

export const outputFileSettings: readonly ConnectorSetting[] = [
  {
    name: 'name',
    type: 'text',
    default: fileNameTemplate,
    description: 'Name of a file: {flow}, {target}, {file}, {job}, {date} (UTC), {number} and {extension} are replaced.',
  },
  { name: 'rollUp', type: 'boolean', default: false, description: 'Small jobs of the flow share a file.' },
];
