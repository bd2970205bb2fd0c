/** What is read of files of SWIFT MT messages, and how strictly; in `headgate run` and in flows. */
import type { FormatSetting } from '../format.ts';

export const swiftSettingList: readonly FormatSetting[] = [
  {
    name: 'strictness',
    type: 'choice',
    choices: ['network', 'strict', 'lenient'],
    default: 'strict',
    description:
      'Network: dialects of banks, which are warnings in statements, are errors, as the network would refuse them. Lenient: fields and blocks that are missing, repeated or out of their place are warnings, so that parts of messages pass.',
  },
  {
    name: 'balances',
    type: 'choice',
    choices: ['error', 'warn'],
    default: 'error',
    description: 'Whether balances and totals that do not add up refuse the file.',
  },
  {
    name: 'messageType',
    type: 'choice',
    choices: ['auto', '101', '103', '202', '940', '941', '942', '950'],
    default: 'auto',
    description: 'Type of messages that do not say theirs; auto: it is seen from their fields.',
  },
  {
    name: 'messages',
    type: 'choice',
    choices: ['any', 'statements', 'payments'],
    default: 'any',
    description: 'Kind of messages that a file may have. A flow names one: its records are entries of statements, or payments.',
  },
];
