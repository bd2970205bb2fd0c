/** Which rules and roles a family of messages has, by the first two parts of its name. */
import type { Roles } from '../schema/compiled-types.ts';
import type { MessageRules, RuleContext } from './message-rules.ts';
import { creditTransferRoles, directDebitRoles, returnRoles, settlementRoles, statementRoles, statusRoles } from './roles.ts';
import { StatementRules } from './statement-rules.ts';
import { StatusRules } from './status-rules.ts';
import { TransferRules } from './transfer-rules.ts';

export interface MessageFamily {
  readonly roles: Roles;
  create(context: RuleContext): MessageRules;
}

const transfers = (roles: Roles, amounts: string, total: string | null): MessageFamily => ({
  roles,
  create: (context) => new TransferRules(context, { amounts, total }),
});

const settlements = transfers(settlementRoles, 'settled', 'GrpHdr/TtlIntrBkSttlmAmt');
const statuses: MessageFamily = { roles: statusRoles, create: (context) => new StatusRules(context) };
const statements = (element: string): MessageFamily => ({
  roles: statementRoles(element),
  create: (context) => new StatementRules(context),
});

const families: Readonly<Record<string, MessageFamily>> = {
  'pain.001': transfers(creditTransferRoles, 'instructed', null),
  'pain.002': statuses,
  'pain.008': transfers(directDebitRoles, 'collected', null),
  'pacs.002': statuses,
  'pacs.004': transfers(returnRoles, 'returned', 'GrpHdr/TtlRtrdIntrBkSttlmAmt'),
  'pacs.008': settlements,
  'pacs.009': settlements,
  'camt.052': statements('Rpt'),
  'camt.053': statements('Stmt'),
  'camt.054': statements('Ntfctn'),
};

/** `pain.001` of `pain.001.001.09`. */
export function familyName(message: string): string {
  return message.slice(0, 'pain.001'.length);
}

/** Every message that is read has a family. */
export function familyOf(message: string): MessageFamily {
  return families[familyName(message)]!;
}
