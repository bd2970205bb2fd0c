/** Settings of targets of type answers. */
import type { ConnectorSetting } from '../connector-settings.ts';

export const answersTargetSettings: readonly ConnectorSetting[] = [
  {
    name: 'of',
    type: 'objects',
    isRequired: true,
    default: null,
    description: 'Whose deliveries the answers are about: flows of the tenant and their targets.',
  },
  {
    name: 'file',
    type: 'text',
    default: null,
    description: 'The output field with the name of the file that was sent, or the id of the batch.',
  },
  { name: 'group', type: 'text', default: null, description: 'The output field that names a group of records.' },
  { name: 'key', type: 'text', default: null, description: 'The output field that names a record.' },
  {
    name: 'level',
    type: 'text',
    default: null,
    description: 'The output field that is `transaction` where an answer is about one record, which it then has to name.',
  },
  {
    name: 'about',
    type: 'choice',
    choices: ['any', 'records'],
    default: 'any',
    description: 'Whether each answer is about one record, which it then has to name.',
  },
  { name: 'status', type: 'text', default: null, description: 'The output field that says what became of it.' },
  { name: 'reason', type: 'text', default: null, description: 'The output field with the code that says why it was refused.' },
  { name: 'accepted', type: 'texts', default: null, description: 'Statuses that say that it was accepted.' },
  { name: 'refused', type: 'texts', default: null, description: 'Statuses that say that it was refused.' },
  { name: 'pending', type: 'texts', default: null, description: 'Statuses that say that it is not decided.' },
  {
    name: 'partial',
    type: 'texts',
    default: null,
    description: 'Statuses of a file or group that say that its records are told of one by one.',
  },
  {
    name: 'unlisted',
    type: 'choice',
    choices: ['accepted', 'pending', 'unanswered'],
    default: 'unanswered',
    description: 'What the records are that such a file or group does not list.',
  },
];
