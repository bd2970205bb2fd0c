/** Status reports of a bank, as text: a pain.002 with its payment informations and transactions. */

/** A pain.002 about a message, with what stands behind its group status. */
export const report = (originalMessageId: string, groupStatus: string, payments: string) => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S-${originalMessageId}-${groupStatus}</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>${originalMessageId}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>${groupStatus === '' ? '' : `<GrpSts>${groupStatus}</GrpSts>`}</OrgnlGrpInfAndSts>
${payments}
</CstmrPmtStsRpt></Document>`;
export const payment = (id: string, status: string, transactions = '') =>
  `<OrgnlPmtInfAndSts><OrgnlPmtInfId>${id}</OrgnlPmtInfId>${status === '' ? '' : `<PmtInfSts>${status}</PmtInfSts>`}${transactions}</OrgnlPmtInfAndSts>`;
export const transaction = (id: string, status: string, reason = '') =>
  `<TxInfAndSts><OrgnlEndToEndId>${id}</OrgnlEndToEndId><TxSts>${status}</TxSts>${reason === '' ? '' : `<StsRsnInf><Rsn><Cd>${reason}</Cd></Rsn></StsRsnInf>`}</TxInfAndSts>`;
