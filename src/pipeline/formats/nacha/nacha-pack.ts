/** The nacha pack: settings, rules, reader. */
import type { Pack } from '../pack.ts';

export const nachaPack: Pack = {
  name: 'nacha',
  summary: 'ACH files of 94-character records (Nacha Operating Rules).',
  settings: [],
  rules: {},
  createReader: () => {
    throw new Error('not written yet');
  },
};
