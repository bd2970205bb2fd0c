/** The bai2 pack in flows: what a BAI2 file has without a schema. The file trailer is compared with the details that the engine read. */
import type { PackFlow, PackSchema } from '../pack.ts';
import { bai2SettingList } from './bai2-settings.ts';
import { headerFields, recordFields, trailerFields } from './flow-fields.ts';

const totals: PackSchema['totals'] = [
  {
    id: 'bai2-control-total',
    assert: 'trailer.fileControlTotal == trailer.summaryTotal + stats.sum.controlAmount',
    code: 'BAI2-TOTAL',
    message: 'The control total of the file trailer is not that of the account summaries and the details',
  },
  {
    id: 'bai2-record-count',
    assert: 'trailer.numberOfRecords == trailer.otherLines + stats.sum.lines',
    code: 'BAI2-RECORDS',
    message: 'The number of records of the file trailer is not that of the lines',
  },
  {
    id: 'bai2-group-count',
    assert: 'trailer.numberOfGroups == trailer.groups',
    code: 'BAI2-GROUPS',
    message: 'The number of groups of the file trailer is not that of the groups',
  },
];

export const bai2Flow: PackFlow = {
  settings: bai2SettingList,
  schema: (settings) => ({
    header: headerFields,
    record: recordFields,
    trailer: trailerFields,
    key: ['groupNumber', 'detailNumber'],
    tied: ['currency', 'typeCode', 'amount', 'credit', 'debit', 'controlAmount', 'lines'],
    totals: settings.get('totals') === 'warn' ? [] : totals,
  }),
};
