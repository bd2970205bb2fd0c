/** Settings of file targets and folder connections. */
import type { ConnectorSetting } from '../connector-settings.ts';
import { fileNameTemplate } from './file-name.ts';

export const fileTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '.', description: "Folder below the connection's root; made when it is missing." },
  {
    name: 'name',
    type: 'text',
    default: fileNameTemplate,
    description: 'Name of a file: {flow}, {target}, {file}, {job}, {date} (UTC), {number} and {extension} are replaced.',
  },
  { name: 'rollUp', type: 'boolean', default: false, description: 'Small jobs of the flow share a file.' },
];

export const fileConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'root', type: 'text', isRequired: true, default: null, description: 'Absolute path of a folder; nothing outside it is touched.' },
];
