/** The iso20022 pack: settings, rules, reader, writer. */
import type { Pack } from '../pack.ts';
import { Iso20022Reader } from './iso20022-reader.ts';
import { iso20022Rules } from './iso20022-rules.ts';
import { iso20022Settings } from './iso20022-settings.ts';
import { MessageWriter } from './writing/message-writer.ts';

export const iso20022Pack: Pack = {
  name: 'iso20022',
  summary:
    'Messages of ISO 20022 in XML: pain.001, pain.002, pain.008, pacs.002, pacs.004, pacs.008, pacs.009, camt.052, camt.053, camt.054.',
  settings: iso20022Settings,
  rules: iso20022Rules,
  createReader: (settings, sink) => new Iso20022Reader(settings, sink),
  writer: { settings: [], createDocumentWriter: (settings, sink) => new MessageWriter(settings, sink) },
};
