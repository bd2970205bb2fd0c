/** Files of packs that are changed at random: what must hold of a flow, whatever became of them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { good } from '../../src/pipeline/formats/bai2/bai2-mutants.fixture.ts';
import { bai2Pack } from '../../src/pipeline/formats/bai2/bai2-pack.ts';
import { creditTransfers, statement } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { iso20022Pack } from '../../src/pipeline/formats/iso20022/iso20022-pack.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { nachaPack } from '../../src/pipeline/formats/nacha/nacha-pack.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import {
  bankTransferFields,
  finMessage,
  interimFields,
  pages,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import { convert, expectSameByEveryPath, isRefused, packFlow } from '../support/pack-flows.ts';

const statements = [
  finMessage('940', statementFields),
  finMessage('942', interimFields),
  finMessage('950', shortStatementFields),
  finMessage('940', pages[0]!),
  finMessage('940', pages[1]!),
].join('');
const payments = [finMessage('103', transferFields), finMessage('202', bankTransferFields), finMessage('101', requestFields)].join('');

const entries = achFile(sampleBatches.PPD, sampleBatches.IAT, sampleBatches['PPD returned']).text();
const statuses = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFIPmtStsRpt>
<GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>
</FIToFIPmtStsRpt></Document>
`;

interface Edit {
  readonly kind: 'delete' | 'double' | 'swap' | 'replace' | 'cut';
  readonly line: number;
  readonly column: number;
  readonly character: string;
}

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom('delete', 'double', 'swap', 'replace', 'cut'),
    line: fc.nat(60),
    column: fc.nat(40),
    character: fc.constantFrom(...'0159,/:-{} ACDRNXE\u00e9\u0001"\\\n'),
  }),
  { minLength: 1, maxLength: 2 },
);

function changed(lines: readonly string[], { kind, line, column, character }: Edit): readonly string[] {
  const index = line % lines.length;
  const text = lines[index]!;
  if (kind === 'delete') return lines.toSpliced(index, 1);
  if (kind === 'double') return lines.toSpliced(index, 0, text);
  if (kind === 'swap') return lines.toSpliced(index, 2, ...lines.slice(index, index + 2).reverse());
  return lines.with(index, text.slice(0, column) + (kind === 'replace' ? character : '') + text.slice(column + 1));
}

/** What lines of a pack never are. */
const brokenLines = new Set(['E_DUPKEY', 'E_JSON', 'E_UNKNOWN_KEY', 'E_ENCODING', 'E_TAG', 'E_TYPE']);

it.each([
  ['bai2', bai2Pack, {}, good],
  ['bai2', bai2Pack, { totals: 'warn' }, good],
  ['swift-mt', swiftPack, { messages: 'statements' }, statements],
  ['swift-mt', swiftPack, { messages: 'statements', strictness: 'lenient' }, statements],
  ['swift-mt', swiftPack, { messages: 'payments' }, payments],
  ['swift-mt', swiftPack, { messages: 'payments', strictness: 'lenient' }, payments],
  ['nacha', nachaPack, {}, entries],
  [
    'nacha',
    nachaPack,
    { missingFileHeader: 'accept', missingFileControl: 'warn', missingBatchControl: 'accept', addendaCounts: 'warn' },
    entries,
  ],
  ['iso20022', iso20022Pack, { message: 'pain.001' }, creditTransfers],
  ['iso20022', iso20022Pack, { message: 'pain.001', totals: 'warn', codes: 'warn' }, creditTransfers],
  ['iso20022', iso20022Pack, { message: 'pacs.002' }, statuses],
  ['iso20022', iso20022Pack, { message: 'camt.053', totals: 'warn' }, statement],
] as const)(
  'a flow of %s refuses what its pack refuses, reads as many records, and comes to the same by every path: %#',
  async (type, pack, settings, text) => {
    const plan = packFlow(JSON.stringify({ type, ...settings }), ['acceptance: { emptyFile: accept }']);
    const lines = text.split(/(?<=\n)/);
    await fc.assert(
      fc.asyncProperty(edits, async (chosen) => {
        const bytes = Buffer.from(chosen.reduce(changed, lines).join(''));
        const { errors, summary } = runPack(pack, bytes, { settings });
        expect(await isRefused(plan, bytes)).toBe(errors.length > 0);
        const converted = await convert(plan, bytes);
        expect(await convert(plan, bytes, 97)).toEqual(converted);
        const { totals, findings, damage } = expectSameByEveryPath(plan, converted.lines);
        expect(damage).toEqual([]);
        expect((findings as string[][]).filter(([, , code]) => brokenLines.has(code!))).toEqual([]);
        expect(totals).toMatchObject({ records: { read: summary.records.read } });
        if (converted.damage.length === 0) expect(totals).toMatchObject({ records: { rejected: summary.records.rejected } });
      }),
      { numRuns: 12 },
    );
  },
);
