/** The nacha pack: ACH files of 94-character records. Settings, rules, reader, writer. */
import type { Pack } from '../pack.ts';
import { AnswerMaking } from './making/answer-making.ts';
import { answerSettingList, mergeSettingList } from './making/maker-settings.ts';
import { MergeMaking } from './making/merge-making.ts';
import { NachaReader } from './nacha-reader.ts';
import { nachaRules } from './nacha-rules.ts';
import { nachaSettingList, readNachaSettings } from './nacha-settings.ts';
import { NachaDocumentWriter } from './writing/nacha-document-writer.ts';
import { writerSettingList } from './writing/writer-settings.ts';

export const nachaPack: Pack = {
  name: 'nacha',
  summary: 'ACH files of 94-character records (Nacha Operating Rules).',
  settings: nachaSettingList,
  rules: nachaRules,
  createReader: (settings, sink) => new NachaReader(readNachaSettings(settings), sink),
  writer: {
    settings: writerSettingList,
    createDocumentWriter: (settings, sink) => new NachaDocumentWriter(settings, sink),
  },
  makers: {
    merge: {
      summary: 'Puts the entries of several files into one, or into as few as limits allow.',
      settings: mergeSettingList,
      filesMax: 1_000,
      takesDocument: false,
      createMaking: (settings, sink) => new MergeMaking(settings, sink),
    },
    answers: {
      summary:
        'Returns entries of a file, dishonors and contests returns, notifies of changes and refuses notifications, as a document asks.',
      settings: answerSettingList,
      filesMax: 1,
      takesDocument: true,
      createMaking: (settings, sink) => new AnswerMaking(settings, sink),
    },
  },
};
