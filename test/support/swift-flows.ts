/** Flows of SWIFT MT messages, and a file of every type that they read. */
import {
  balanceReportFields,
  bankTransferFields,
  finMessage,
  interimFields,
  pages,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { convert, linesOf, packFlow } from './pack-flows.ts';

/** A file may have no entries: balance reports, days on which nothing was booked. */
export const flowOf = (settings: string) => packFlow(`{ type: swift-mt, ${settings} }`, ['acceptance: { emptyFile: accept }']);
export const statements = flowOf('messages: statements');
export const payments = flowOf('messages: payments');

export const everyStatement = [
  finMessage('940', statementFields),
  finMessage('940', pages[0]!),
  finMessage('940', pages[1]!),
  finMessage('942', interimFields),
  finMessage('941', balanceReportFields),
  finMessage('950', shortStatementFields),
].join('');
export const everyPayment = [
  finMessage('103', transferFields),
  finMessage('202', bankTransferFields),
  finMessage('101', requestFields),
].join('');

export const recordsOf = async (plan: typeof statements, file: string) =>
  linesOf(await convert(plan, Buffer.from(file))).filter(({ record }) => record === 'record');
