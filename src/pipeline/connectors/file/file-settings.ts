/** Settings of file targets and folder connections. */
import type { ConnectorSetting } from '../connector-settings.ts';
import { outputFileSettings, pgpConnectionSettings } from '../output-files/output-file-settings.ts';

export const fileTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '.', description: "Folder below the connection's root; made when it is missing." },
  ...outputFileSettings,
  {
    name: 'readBack',
    type: 'choice',
    choices: ['hash', 'size', 'none'],
    default: 'none',
    description: 'What is compared of a written file before it gets its name: all of its bytes, its size, or nothing.',
  },
];

export const fileConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'root', type: 'text', isRequired: true, default: null, description: 'Absolute path of a folder; nothing outside it is touched.' },
  ...pgpConnectionSettings,
];
