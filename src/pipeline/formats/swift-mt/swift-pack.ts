/** The swift-mt pack: settings, rules, reader. What it reads and how is in docs/formats/swift-mt.md. */
import type { Pack } from '../pack.ts';
import type { MessageKind } from './swift-findings.ts';
import { SwiftReader } from './swift-reader.ts';
import { swiftRules } from './swift-rules.ts';
import { swiftSettingList } from './swift-settings.ts';

export const swiftPack: Pack = {
  name: 'swift-mt',
  summary: 'SWIFT MT statements and payments (MT101, 103, 202, 940, 941, 942, 950), as FIN messages or as banks hand them out.',
  settings: swiftSettingList,
  rules: swiftRules,
  createReader: (settings, sink) => {
    const type = String(settings.get('messageType'));
    return new SwiftReader(
      {
        isLenient: settings.get('strictness') === 'lenient',
        balances: settings.get('balances') === 'warn' ? 'warn' : 'error',
        messageType: type === 'auto' ? null : type,
        messages: settings.get('messages') as MessageKind,
      },
      sink,
    );
  },
};
