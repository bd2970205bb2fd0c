/** The swift-mt pack: settings, rules, reader, writer. What it reads and how is in docs/formats/swift-mt.md. */
import type { Pack, PackSettings, PackSink } from '../pack.ts';
import { SwiftReader } from './swift-reader.ts';
import { swiftRules } from './swift-rules.ts';
import { SwiftWriter } from './writing/swift-writer.ts';

export const swiftPack: Pack = {
  name: 'swift-mt',
  summary: 'SWIFT MT statements and payments (MT101, 103, 202, 940, 941, 942, 950), as FIN messages or as banks hand them out.',
  settings: [
    {
      name: 'strictness',
      type: 'choice',
      choices: ['strict', 'lenient'],
      default: 'strict',
      description:
        'Lenient: fields and blocks that are missing, repeated or out of their place are warnings, so that parts of messages pass.',
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
  ],
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
      isLenient: settings.get('strictness') === 'lenient',
      balances: settings.get('balances') === 'warn' ? 'warn' : 'error',
      messageType: messageTypeOf(settings),
    },
    sink,
  );
}

/** Null: it is seen from the fields of a message. */
function messageTypeOf(settings: PackSettings): string | null {
  const type = String(settings.get('messageType'));
  return type === 'auto' ? null : type;
}
