/** The swift-mt pack: settings, rules, reader, writer. What it reads and how is in docs/formats/swift-mt.md. */
import type { Pack, PackSettings, PackSink } from '../pack.ts';
import type { MessageKind, Strictness } from './swift-findings.ts';
import { SwiftReader } from './swift-reader.ts';
import { swiftRules } from './swift-rules.ts';
import { swiftSettingList } from './swift-settings.ts';
import { SwiftWriter } from './writing/swift-writer.ts';

export const swiftPack: Pack = {
  name: 'swift-mt',
  summary: 'SWIFT MT statements and payments (MT101, 103, 202, 940, 941, 942, 950), as FIN messages or as banks hand them out.',
  settings: swiftSettingList,
  rules: swiftRules,
  createReader,
  writer: {
    settings: [
      {
        name: 'lineEnd',
        type: 'choice',
        choices: ['CRLF', 'LF'],
        default: 'CRLF',
        description: 'How lines that are written end.',
      },
    ],
    createDocumentWriter: (settings, sink) =>
      new SwiftWriter(
        { lineEnd: settings.get('lineEnd') === 'LF' ? 'LF' : 'CRLF', messageType: messageTypeOf(settings) },
        (readerSink) => createReader(settings, readerSink),
        sink,
      ),
  },
};

function createReader(settings: PackSettings, sink: PackSink): SwiftReader {
  return new SwiftReader(
    {
      strictness: (settings.get('strictness') ?? 'strict') as Strictness,
      balances: settings.get('balances') === 'warn' ? 'warn' : 'error',
      messageType: messageTypeOf(settings),
      messages: (settings.get('messages') ?? 'any') as MessageKind,
    },
    sink,
  );
}

/** Null: it is seen from the fields of a message. */
function messageTypeOf(settings: PackSettings): string | null {
  const type = String(settings.get('messageType'));
  return type === 'auto' ? null : type;
}
